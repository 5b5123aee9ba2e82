"""A node that starts, fails to start, or stops prints one clear line on failure, ends with a status that is not zero, and never crashes."""

import json
import signal
import socket
import subprocess
import time

import pytest

from support.node import BINARY, PATIENCE, Node, SIMULATED, run, wait_until
from support.rawhttp import Connection, head


def fails_to_start(tmp_path, *arguments, seconds=30):
    """Returns (status, the one line on stderr that is no log line's continuation)."""
    options = [] if "--state" in arguments else ["--state", tmp_path / "state"]
    result = run("serve", *SIMULATED, *options, *arguments, timeout=seconds)
    assert result.returncode > 0, (result.returncode, result.stderr)
    errors = [line for line in result.stderr.splitlines() if line.startswith("cloister") or "error" in line.lower()]
    assert len(errors) == 1, result.stderr
    return result.returncode, errors[0]


@pytest.mark.fast
def test_busy_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, line = fails_to_start(tmp_path, "--engine", "echo", "--listen", f"127.0.0.1:{port}")
    assert str(port) in line and "in use" in line.lower()


@pytest.mark.fast
@pytest.mark.llama
def test_missing_model(tmp_path):
    _, line = fails_to_start(tmp_path, "--listen", "127.0.0.1:0", "--model", tmp_path / "nothing.gguf")
    assert "nothing.gguf" in line


@pytest.mark.fast
@pytest.mark.llama
@pytest.mark.parametrize("content", [b"", b"GGUF", b"this is no model" * 1000])
def test_file_that_is_no_model(tmp_path, content):
    model = tmp_path / "broken.gguf"
    model.write_bytes(content)
    _, line = fails_to_start(tmp_path, "--listen", "127.0.0.1:0", "--model", model)
    assert "broken.gguf" in line


@pytest.mark.parametrize("keep", [100, 100_000, 40_000_000])
def test_model_cut_short(tmp_path, model_file, keep):
    """Such a file fails while it loads. The node reports that and ends, or stays and reports it in /health."""
    model = tmp_path / "cut.gguf"
    with open(model_file, "rb") as source:
        model.write_bytes(source.read(keep))
    result = subprocess.Popen(
        [BINARY, "serve", *SIMULATED, "--state", tmp_path / "state", "--listen", "127.0.0.1:0", "--model", model],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, errors = result.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        result.kill()
        pytest.fail("it goes on with a broken model")
    assert result.returncode > 0 and "cut.gguf" in errors, errors[-2000:]


@pytest.mark.fast
def test_unwritable_state_folder(tmp_path):
    (tmp_path / "file").write_text("")
    _, line = fails_to_start(tmp_path, "--engine", "echo", "--listen", "127.0.0.1:0", "--state", tmp_path / "file" / "state")
    assert str(tmp_path / "file") in line


@pytest.mark.fast
@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["--listen", "nonsense"],
        ["--listen", "127.0.0.1:99999"],
        ["--tee", "quantum"],
        ["--engine", "abacus"],
        ["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem", "--engine", "echo"],
        ["--api-key-file", "/nowhere/tokens", "--engine", "echo"],
    ],
)
def test_usage_errors(tmp_path, arguments):
    result = run("serve", "--state", tmp_path / "state", *arguments, timeout=30)
    assert result.returncode > 0 and result.stderr.strip() and result.stdout == ""
    assert len(result.stderr.strip().splitlines()) <= 3, result.stderr


@pytest.mark.fast
def test_no_token_on_a_public_address_is_refused(tmp_path):
    _, line = fails_to_start(tmp_path, "--engine", "echo", "--listen", "0.0.0.0:0")
    assert "--api-key-file" in line or "--no-auth" in line


@pytest.mark.fast
def test_help():
    for arguments in (["--help"], ["serve", "--help"], ["verify", "--help"], ["verify", "host", "--help"], ["chat", "--help"]):
        result = run(*arguments)
        assert result.returncode == 0 and len(result.stdout) > 100, arguments
    assert run("--version").returncode == 0


@pytest.mark.fast
def test_start_without_model_is_quick(start):
    node = start("--engine", "echo")
    assert time.monotonic() - node.started < 2, "generous: the bench measures it properly"


@pytest.mark.fast
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_idle_node_stops_at_once(start, how):
    node = start("--engine", "echo")
    with Connection(node) as idle:
        assert idle.request("GET", "/health").status == 200
        begun = time.monotonic()
        node.process.send_signal(how)
        assert node.process.wait(10 * PATIENCE) == 0
        assert time.monotonic() - begun < 5 * PATIENCE


def test_sigterm_while_streaming(start):
    """The running reply may end within the grace period. Otherwise it is cut in a way that the client can see. The node ends with status 0."""
    node = start("--engine", "echo", "--echo-token-gap-ms", 50, "--echo-tokens", 20)
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x"}], "stream": True}).encode()
    with Connection(node) as connection:
        connection.send(head(node, "POST", "/v1/chat/completions", body) + body)
        while b"data:" not in connection.pending:
            assert connection._more()
        node.process.send_signal(signal.SIGTERM)
        reply = connection.reply()
    assert reply.complete and reply.body.endswith(b"data: [DONE]\n\n"), "a second fits into the grace"
    assert node.process.wait(30) == 0


def test_sigterm_with_an_endless_stream(start):
    node = start("--engine", "echo", "--echo-token-gap-ms", 200, "--echo-tokens", 100_000)
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x"}], "stream": True}).encode()
    with Connection(node, timeout=60) as connection:
        connection.send(head(node, "POST", "/v1/chat/completions", body) + body)
        while b"data:" not in connection.pending:
            assert connection._more()
        node.process.send_signal(signal.SIGTERM)
        try:
            reply = connection.reply()
            assert not reply.complete and b"[DONE]" not in reply.body
        except ConnectionResetError:
            pass
    assert node.process.wait(60) == 0


def test_loading_is_told(tmp_path, model_file):
    """/health answers 503 loading, then 200. Other requests meanwhile get a 503 that says why."""
    node = Node(tmp_path, "--model", model_file, "--context", 512, "--parallel", 1, wait=False)
    try:
        seen = set()

        def ready():
            status, _, body = node.get("/health")
            seen.add((status, json.loads(body)["status"]))
            return status == 200

        wait_until(ready, 60, "health")
        assert seen <= {(503, "loading"), (200, "ok")}
        assert node.stop() == 0
    finally:
        node.kill()


@pytest.mark.fast
def test_nothing_of_a_prompt_is_logged(start):
    node = start("--engine", "echo", "--log-level", "debug")
    secret = "a-word-that-nobody-else-says"
    node.post("/v1/chat/completions", {"model": "echo", "messages": [{"role": "user", "content": secret}]})
    node.post("/v1/chat/completions", {"model": "echo", "messages": [{"role": "user", "content": [secret]}]})
    node.get(f"/v1/signature/{secret}")
    assert node.stop() == 0
    assert secret not in node.log
