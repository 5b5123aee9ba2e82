"""Tokens, configuration and files that change while a node runs and serves a request. A caller who is no longer known must not become an
anonymous one. A request must not be answered under a configuration other than the one that it names. No file may stop the node."""

import json
import os
import resource
import signal
import time

import pytest

from support.node import PATIENCE, wait_until
from support.rawhttp import Connection, exchange

pytestmark = pytest.mark.own_seed

CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "one two"}]}).encode()
BEARER = lambda token: ("Authorization", f"Bearer {token}")  # noqa: E731


def reload(node):
    done = node.log.count(" reload")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: node.log.count(" reload") > done, 20, "the node has read its files anew")


def head_of(node, *headers):
    lines = [f"POST {CHAT} HTTP/1.1", f"Host: {node.host}:{node.port}", "Content-Type: application/json", f"Content-Length: {len(BODY)}",
             *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answered(node, change, sent, *headers):
    """Sends a request whose first `sent` bytes of the body come before the change, and returns its reply."""
    with Connection(node) as connection:
        connection.send(head_of(node, *headers) + BODY[:sent])
        time.sleep(0.3 * PATIENCE)
        change()
        connection.send(BODY[sent:])
        return connection.reply()


def test_a_revoked_token_does_not_become_nobody(start, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("token-of-a\ntoken-of-b\n")
    node = start("--engine", "echo", "--api-key-file", tokens)
    own = exchange(node, "POST", CHAT, BODY, headers=[BEARER("token-of-a")])
    receipt = f"/v1/aci/receipts/{own.header('x-receipt-id')}"

    def revoke():
        tokens.write_text("token-of-b\n")
        reload(node)

    for sent in (0, 10):
        late = answered(node, revoke, sent, BEARER("token-of-a"))
        assert late.status == 401 and late.header("x-receipt-id") is None, late.body
        tokens.write_text("token-of-a\ntoken-of-b\n")
        reload(node)
    assert exchange(node, "GET", receipt, headers=[BEARER("token-of-a")]).status == 200
    assert exchange(node, "GET", receipt, headers=[BEARER("token-of-b")]).status == 404
    assert exchange(node, "GET", receipt).status == 401
    both = [BEARER("token-of-a"), ("X-Api-Key", "token-of-b")]
    assert exchange(node, "POST", CHAT, BODY, headers=both).status == 401, "two tokens name two callers"
    assert exchange(node, "POST", CHAT, BODY, headers=[BEARER("token-of-a"), ("X-Api-Key", "token-of-a")]).status == 200


def test_the_configuration_is_compared_when_the_body_is_whole(start, tmp_path):
    config = tmp_path / "cloister.toml"
    config.write_text('[serve]\nlog-level = "info"\n')
    node = start("--engine", "echo", "--config", config)
    for number, sent in enumerate((0, 10)):
        digest = exchange(node, "GET", f"/v1/cloister/attestation?nonce={'07' * 32}").json()["statement"]["policy_digest"]

        def change():
            config.write_text(f'[serve]\nlog-level = "{"info" if number else "debug"}"\n')
            reload(node)

        late = answered(node, change, sent, ("X-Cloister-Policy-Digest", digest))
        assert late.status == 409 and late.json()["error"]["code"] == "request.configuration_changed", late.body


def test_a_pipe_in_place_of_a_file_stops_nothing(start, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("token-of-a\n")
    node = start("--engine", "echo", "--api-key-file", tokens)
    tokens.unlink()
    os.mkfifo(tokens)
    reload(node)
    assert "no regular file" in node.log
    assert exchange(node, "POST", CHAT, BODY, headers=[BEARER("token-of-a")]).status == 200, "the tokens stay as they were"
    tokens.unlink()
    tokens.write_text("token-of-b\n")
    reload(node)
    assert exchange(node, "POST", CHAT, BODY, headers=[BEARER("token-of-a")]).status == 401
    assert node.stop() == 0


def test_a_limit_on_files_is_a_failure_of_the_store(start):
    node = start("--engine", "echo")
    assert exchange(node, "POST", CHAT, BODY).status == 200
    limits = resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (1000, limits[1]))
    assert exchange(node, "POST", CHAT, BODY).status == 503
    assert node.process.poll() is None
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, limits)
    wait_until(lambda: exchange(node, "POST", CHAT, BODY).status == 200, 30, "the store works again")


def test_a_store_that_is_gone_stays_gone(start):
    node = start("--engine", "echo")
    assert exchange(node, "POST", CHAT, BODY).status == 200
    store = next(node.state.glob("receipts.db"))
    kept = store.with_name("kept")
    store.rename(kept)
    assert exchange(node, "POST", CHAT, BODY).status == 503
    until = time.monotonic() + 4
    while time.monotonic() < until:
        assert node.get("/health")[0] == 503, "nothing is stored where the file is not"
        time.sleep(0.2)
    kept.rename(store)
    wait_until(lambda: node.get("/health")[0] == 200, 30, "the file is back")
    assert exchange(node, "POST", CHAT, BODY).status == 200


@pytest.mark.parametrize("text, words", [
    ('share-prompt-cache = ""', "true or false"), ("share-prompt-cache = 1", "true or false"), ('share-prompt-cache = "true"', "true or false"),
    ("share-prompt-cache = 1.0", "true or false"), ("share-prompt-cache = 2026-01-01", "line 2"), ("[[serve]]", "line 2"),
    ("max-body = [1, [2]]", "line 2"), ("max-body = 1\nmax-body = 2", "line 3"),
])
def test_a_value_of_another_kind_is_no_value(tmp_path, text, words):
    from support.node import run
    config = tmp_path / "cloister.toml"
    config.write_text(f"[serve]\n{text}\n")
    done = run("serve", "--config", config, "--print-config")
    assert done.returncode == 2 and words in done.stderr, done.stdout + done.stderr


def test_a_text_is_what_toml_says(tmp_path):
    from support.node import run
    config = tmp_path / "cloister.toml"
    config.write_text('[serve]  # the node\nmodel-id = "x#y\\u0074\\\\"\ncors-origin = [\n  "https://a.example",\n  "https://b.example",\n]\n')
    done = run("serve", "--config", config, "--engine", "echo", "--print-config")
    assert done.returncode == 0, done.stderr
    assert 'model-id="x#yt\\\\"' in done.stdout and 'cors-origin=["https://a.example", "https://b.example"]' in done.stdout
    config.write_text(done.stdout)
    again = run("serve", "--config", config, "--print-config")
    assert again.stdout == done.stdout, "what is printed is what is read"


def test_changes_that_a_reload_does_not_make_are_named(start, tmp_path):
    """"reloaded" after an edit of the configuration means that the edit is in force."""
    config = tmp_path / "cloister.toml"
    lines = {"log-level": '"info"', "max-body": "20000", "report-rate": "7", "host-name": '["a.example", "b.example"]', "grace-seconds": "3"}

    def reloaded(**changes):
        lines.update({name.replace("_", "-"): value for name, value in changes.items()})
        config.write_text("[serve]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None))
        before = len(node.log)
        reload(node)
        return node.log[before:]

    config.write_text("[serve]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items()))
    node = start("--engine", "echo", "--config", config, "--report-rate", "30")
    digest = exchange(node, "GET", "/v1/models").header("x-aci-keyset-digest")
    assert "reloaded" in reloaded(log_level='"debug"') and "restart" not in node.log
    # The values are the same in another notation, and the command line overrides one of them.
    assert "reloaded" in reloaded(report_rate="8", receipts='"sqlite"', host_name='[ "a.example" , "b.example" ]') and "restart" not in node.log
    said = reloaded(max_body="2000000", grace_seconds=None, cors_origin='"https://a.example"', log_level='"info"')
    warning = next(line for line in said.splitlines() if "restart" in line)
    assert warning.endswith("these changes need a restart: cors-origin, grace-seconds, max-body") and " warning " in warning, warning
    assert "reloaded" not in said
    assert exchange(node, "POST", CHAT, BODY + b" " * 30000).status == 413, "the largest body is what it was"
    assert exchange(node, "GET", "/v1/models").header("x-aci-keyset-digest") == digest
    assert "restart: cors-origin, grace-seconds, max-body" in reloaded(), "they still do"
    assert "reloaded" in reloaded(max_body="20000", grace_seconds="3", cors_origin=None)
