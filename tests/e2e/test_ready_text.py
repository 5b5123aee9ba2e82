"""The text that ./run prints about a node. The commands in it run as they stand, against nodes of several kinds."""

import json
import re
import subprocess

import pytest

from support.node import BINARY, ROOT, Node, own_seed, run

# A node behind a shared platform has other options than these.
pytestmark = own_seed


def shell(script, *arguments, folder=ROOT):
    command = ["bash", "-euo", "pipefail", "-c", script, "bash", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, cwd=folder, stdin=subprocess.DEVNULL)


def ready_text(node, folder, *options):
    config = run("serve", *options, "--print-config", cwd=folder)
    assert config.returncode == 0, config.stderr
    text = shell(f'. {ROOT}/tools/ready_text.sh; ready_text "$@"', BINARY, node.url, config.stdout, folder=folder)
    assert text.returncode == 0 and text.stderr == "", text.stderr
    return text.stdout


def command(text, name):
    """Returns the line of that name with its continuations, or None where there is none."""
    found = re.search(rf"^  {name} +((?:.*\\\n)*.*)$", text, re.MULTILINE)
    return found and found.group(1)


@pytest.fixture
def tokens(tmp_path):
    (tmp_path / "tokens of users").write_text("token-of-a-tenant-0123456789abcdef\n")
    (tmp_path / "operator").write_text("token-of-the-operator-0123456789\n")
    return ["--api-key-file", "tokens of users", "--admin-token-file", "operator"]


KINDS = {
    "as ./run starts it": ([], False, "127.0.0.1:0"),
    "self-signed": (["--tls", "self-signed"], False, "127.0.0.1:0"),
    "tokens": ([], True, "127.0.0.1:0"),
    "for others, with tokens": (["--tls", "self-signed"], True, "0.0.0.0:0"),
    "for others, on IPv6": (["--tls", "self-signed"], True, "[::]:0"),
    "a key that awaits its certificate": (["--tls", "tee-key", "--tls-name", "node.example"], True, "0.0.0.0:0"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_works(tmp_path, tokens, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    options, with_tokens, listen = KINDS[kind]
    options = ["--engine", "echo", *options, *(tokens if with_tokens else [])]
    node = Node(tmp_path / "node", *options, listen=listen)
    try:
        text = ready_text(node, tmp_path, *options)
        assert "SIMULATED" in text and "0123456789" not in text
        asked = shell(command(text, "ask"), folder=tmp_path)
        assert json.loads(asked.stdout)["choices"][0]["message"]["content"] == "What is the capital of France?"
        for name in ("verify", "chat"):
            done = shell(command(text, name), folder=tmp_path)
            assert done.returncode == 0 and "accepted" in done.stdout, (name, done.stdout, done.stderr)
        assert "cloister_" in shell(command(text, "metrics"), folder=tmp_path).stdout
    finally:
        node.stop()


def test_a_node_without_tls_for_other_machines(tmp_path, tokens, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--engine", "echo", *tokens]
    node = Node(tmp_path / "node", *options, listen="0.0.0.0:0")
    try:
        text = ready_text(node, tmp_path, *options)
        assert "policy.tls" in text and "--tls self-signed" in text and command(text, "chat") is None
        assert "choices" in shell(command(text, "ask"), folder=tmp_path).stdout
        verified = shell(command(text, "verify"), folder=tmp_path)
        assert verified.returncode == 3 and "undetermined" in verified.stdout
    finally:
        node.stop()


def test_a_node_with_an_upstream(tmp_path):
    behind = Node(tmp_path / "behind", "--engine", "echo")
    options = ["--upstream", behind.url]
    node = Node(tmp_path / "node", *options)
    try:
        text = ready_text(node, tmp_path, *options)
        assert "accept_upstream_claims" in text and "receipt.served_model" in text
        assert shell(command(text, "verify")).returncode == 0
        chat = shell(command(text, "chat"))
        assert chat.returncode == 3 and "service.accept_upstream_claims" in chat.stdout
        policy = tmp_path / "policy.toml"
        policy.write_text("[service]\naccept_upstream_claims = true\n")
        assert shell(f"{command(text, 'chat')} --policy {policy}").returncode == 0
    finally:
        node.stop()
        behind.stop()


def test_a_node_without_a_tee(tmp_path):
    node = Node(tmp_path / "node", "--engine", "echo", "--tee", "none", simulated=False)
    try:
        text = ready_text(node, tmp_path, "--engine", "echo", "--tee", "none")
        assert "nothing to verify" in text and "SIMULATED" not in text
        assert command(text, "verify") is None and command(text, "chat") is None
    finally:
        node.stop()


def test_the_default_model_is_asked_as_it_answers_best(tmp_path, model_file):
    options = ["--model", str(model_file), "--context", "1024"]
    node = Node(tmp_path / "node", *options)
    try:
        text = ready_text(node, tmp_path, *options)
        assert "Paris" in shell(command(text, "ask")).stdout
        chat = shell(command(text, "chat"))
        assert chat.returncode == 0 and "Paris" in chat.stdout, chat.stderr
    finally:
        node.stop()


@pytest.mark.fast
@pytest.mark.parametrize(
    "given, added",
    [
        ([], "--listen L --state S --tee insecure-simulator --gpu insecure-simulator --model C/model/M"),
        (["--upstream", "http://127.0.0.1:8000"], "--listen L --state S --tee insecure-simulator --gpu insecure-simulator"),
        (["--upstream=http://127.0.0.1:8000"], "--listen L --state S --tee insecure-simulator --gpu insecure-simulator"),
        (["--engine", "echo", "--listen=127.0.0.1:0"], "--state S --tee insecure-simulator --gpu insecure-simulator"),
        (["--model", "x.gguf", "--tee", "auto"], "--listen L --state S"),
        (["--config", "cloister.toml"], ""),
    ],
)
def test_what_the_node_is_given(given, added):
    script = f'. {ROOT}/tools/node_options.sh; cache=C MODEL_FILE=M; serve_arguments L S "$@"; echo "${{serve[*]}}"'
    assert shell(script, *given).stdout.split() == [*added.split(), *given]
