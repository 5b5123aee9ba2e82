"""Configuration, reload, logs, and the service manager's protocol."""

import json
import os
import signal
import socket

import pytest

from support.node import run, wait_until
from support.rawhttp import Connection, head

pytestmark = pytest.mark.fast

CHAT = {"model": "echo", "messages": [{"role": "user", "content": "x"}]}


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def test_a_node_from_a_file(start, tmp_path):
    config = tmp_path / "cloister.toml"
    config.write_text('[serve]\nengine = "echo"\nmodel-id = "from-the-file"\necho-tokens = 7\n')
    node = start("--config", config)
    assert node.model() == "from-the-file"
    other = start("--config", config, "--model-id", "from-the-line")
    assert other.model() == "from-the-line", "the command line wins"


def test_what_is_printed_is_a_configuration(tmp_path):
    first = run("serve", "--engine", "echo", "--listen", "127.0.0.1:7", "--tee", "none", "--cors-origin", "https://a.example",
                "--require-gpu-tee", "off", "--no-auth", "--print-config")
    assert first.returncode == 0 and first.stdout.startswith("[serve]\n"), first.stderr
    config = tmp_path / "printed.toml"
    config.write_text(first.stdout)
    again = run("serve", "--config", config, "--print-config")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr
    for line in ('listen="127.0.0.1:7"', 'require-gpu-tee="off"', "no-auth=true", "grace-seconds=10"):
        assert line in first.stdout.splitlines(), first.stdout


@pytest.mark.parametrize("text", ['[serve]\nlistne = "x"\n', '[serve]\ngpu-check-seconds = 0\n', '[serve]\nparallel = "many"\n', "nonsense = 1\n"])
def test_a_wrong_configuration_is_refused(tmp_path, text):
    config = tmp_path / "cloister.toml"
    config.write_text(text)
    result = run("serve", "--config", config, "--engine", "echo", "--listen", "127.0.0.1:0")
    assert result.returncode == 2 and result.stderr.strip() and result.stdout == "", result.stderr


def test_reload(start, tmp_path):
    tokens, config = tmp_path / "tokens", tmp_path / "cloister.toml"
    tokens.write_text("the-first-token\n")
    config.write_text('[serve]\nlog-level = "error"\n')
    node = start("--config", config, "--engine", "echo", "--api-key-file", tokens)

    def status(token):
        return node.post("/v1/chat/completions", CHAT, bearer(token))[0]

    assert status("the-first-token") == 200 and status("the-second-token") == 401
    tokens.write_text("the-second-token\n")
    config.write_text('[serve]\nlog-level = "info"\n')
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: status("the-second-token") == 200, 10, "the new token")
    assert status("the-first-token") == 401
    wait_until(lambda: "reloaded" in node.log, 10, "the new log level")

    tokens.write_text("short\n")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "not everything was reloaded" in node.log, 10, "the refusal")
    assert "the tokens stay as they were" in node.log and node.log.count("info reloaded") == 1
    assert status("the-second-token") == 200
    tokens.write_text("the-third-token\n")
    config.write_text('[serve]\nlog-level = "loud"\nno-such-key = 1\n')
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the log level stays as it was" in node.log, 10, "the refusal")
    assert status("the-third-token") == 200
    config.rename(tmp_path / "away.toml")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: node.log.count("the log level stays as it was") == 2, 10, "the refusal")
    assert status("the-third-token") == 200
    assert node.stop() == 0
    for secret in ("first-token", "second-token", "third-token"):
        assert secret not in node.log


ACCEPTED = [
    'grace-seconds = 3\n',
    'no-auth = true\nreport-rate = 0.5\ncontext = 0\nreceipt-bytes = "1G"\n',
    'cors-origin = ["https://a.example", "https://b.example"]\n',
    '[verify.host]\noffline = true\n',
]
REFUSED = [
    'listne = "x"\n',
    'print-config = true\n',
    'help = true\n',
    'no-auth = "yes"\n',
    'context = 63\n',
    'report-rate = 1e9\n',
    'receipt-bytes = "1K"\n',
    'model = ""\n',
    'signing = "sometimes"\n',
    'tls-key = "key.pem"\n',
    'log-level = "info"\nlog-level = "info"\n',
    'replica = ["nonsense"]\n',
    'tls = "tee-key"\n',
    'receipts = "postgres"\n',
    'receipts = "memory"\nreceipt-file = "receipts.db"\n',
    'tls-cert = "chain.pem"\n',
    'tls = "self-signed"\ntls-cert = "chain.pem"\n',
    'upstream-key-file = "token"\n',
    'upstream = "http://127.0.0.1:9"\n',
    'known-answers = ["none", "answers.json"]\n',
    'require-gpu-tee = "on"\nallow-non-cc-gpu = true\n',
    'tee-socket = "a"\ntsm-root = "b"\n',
    'model = "model.gguf"\n',
    '[sevre]\n',
    '[verify.host]\nno-such-key = true\n',
    'grace-seconds = 3\n[serve]\n',
]


def test_serve_doctor_and_sighup_accept_the_same_files(start, tmp_path):
    config, base = tmp_path / "cloister.toml", '[serve]\nengine = "echo"\n'
    config.write_text(base)
    node = start("--config", config)

    def accepted_by_sighup():
        before = len(node.log)
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any(words in node.log[before:] for words in ("info reloaded", "need a restart", "not everything")), 10, "the reload")
        return "not everything" not in node.log[before:]

    def accepted_by_doctor():
        found = json.loads(run("doctor", "--no-gpu", "--json", "--config", config).stdout)["findings"]
        return all(each["state"] == "ok" for each in found if each["id"].startswith("config."))

    def accepted_by_serve():
        # A state folder that cannot be made stops the node once its options are accepted.
        done = run("serve", "--config", config, "--tee", "none", "--state", "/proc/none")
        assert done.returncode in (1, 2), done.stdout
        return done.returncode == 1

    for text in [*ACCEPTED, *REFUSED]:
        config.write_text(base + text)
        found = {"serve": accepted_by_serve(), "doctor": accepted_by_doctor(), "SIGHUP": accepted_by_sighup()}
        assert found == dict.fromkeys(found, text in ACCEPTED), text


def test_a_token_is_a_clients_or_the_operators(start, tmp_path):
    clients, operators = tmp_path / "clients", tmp_path / "operators"
    clients.write_text("of-a-client\nof-both-of-them\n")
    operators.write_text("of-both-of-them\n")
    files = ("--api-key-file", clients, "--admin-token-file", operators)
    done = run("serve", "--engine", "echo", "--tee", "none", "--listen", "127.0.0.1:0", "--state", tmp_path, *files)
    assert done.returncode == 2 and "one token is both a client's and the operator's" in done.stderr, done.stderr
    operators.write_text("of-an-operator\n")
    node = start("--engine", "echo", *files)
    operators.write_text("of-an-operator-2\nof-a-client\n")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the operator's tokens stay as they were" in node.log, 10, "the refusal")
    assert node.get("/metrics", bearer("of-a-client"))[0] != 200
    assert node.get("/metrics", bearer("of-an-operator"))[0] == 200


def test_streams_outlive_a_reload(start):
    node = start("--engine", "echo", "--echo-token-gap-ms", 10, "--echo-tokens", 50)
    node.process.send_signal(signal.SIGHUP)
    assert node.post("/v1/chat/completions", CHAT)[0] == 200
    assert node.alive() and node.stop() == 0


def test_json_logs(start):
    node = start("--engine", "echo", "--log-format", "json", "--log-level", "debug")
    assert node.stop() == 0
    lines = [json.loads(line) for line in node.log.splitlines()]
    assert lines and all(set(line) == {"time", "level", "message"} for line in lines)
    assert any("INSECURE SIMULATOR" in line["message"] and line["level"] == "warn" for line in lines)


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told(start, tmp_path, monkeypatch, abstract):
    name = f"cloister-test-{os.getpid()}" if abstract else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name if abstract else name)
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name if abstract else name)
        node = start("--engine", "echo")
        assert b"READY=1" in manager.recv(4096).split(b"\n")
        node.process.send_signal(signal.SIGHUP)
        reloading = manager.recv(4096).split(b"\n")
        assert b"RELOADING=1" in reloading and any(line.startswith(b"MONOTONIC_USEC=") for line in reloading)
        assert b"READY=1" in manager.recv(4096).split(b"\n")
        assert node.stop() == 0
        assert b"STOPPING=1" in manager.recv(4096).split(b"\n")


def test_no_core_file(start):
    node = start("--engine", "echo")
    with open(f"/proc/{node.process.pid}/limits", encoding="ascii") as limits:
        line = next(line for line in limits if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]


def test_stopping_in_the_midst_of_streams(start):
    """The engine's threads still know the replies that were cut off when the node ends."""
    body = json.dumps({**CHAT, "stream": True}).encode()
    for _ in range(6):
        node = start("--engine", "echo", "--echo-token-gap-ms", 200, "--echo-tokens", 100_000, "--grace-seconds", 0)
        connections = [Connection(node) for _ in range(4)]
        for connection in connections:
            connection.send(head(node, "POST", "/v1/chat/completions", body) + body)
        for connection in connections:
            wait_until(lambda each=connection: b"data:" in each.pending or not each._more(), 20, "the first token")
        assert node.stop() == 0, node.log
        for connection in connections:
            connection.socket.close()
