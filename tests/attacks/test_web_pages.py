"""Web pages and tenants: what a page in a browser of the same machine, and another tenant, may see and do."""

import contextlib
import json
import socket
import time

import pytest

from support.fixtures import TOKEN
from support.node import ADMIN_TOKEN, run
from support.rawhttp import Connection, exchange

pytestmark = pytest.mark.fast

CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "echo", "max_tokens": 2, "messages": [{"role": "user", "content": "x"}]}).encode()


def ask(node, method, path, headers, body=None):
    """Sends exactly these headers."""
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    with Connection(node) as connection:
        connection.send(("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode() + (body or b""))
        return connection.reply()


def own(node):
    return ("Host", f"{node.host}:{node.port}")


SIMPLE = {
    "a form": [("Content-Type", "application/x-www-form-urlencoded")],
    "text": [("Content-Type", "text/plain;charset=UTF-8")],
    "a form with files": [("Content-Type", "multipart/form-data; boundary=x")],
    "no type": [],
    "two types": [("Content-Type", "text/plain"), ("Content-Type", "application/json")],
    "json of another kind": [("Content-Type", "application/json-patch+json")],
}


@pytest.mark.parametrize("name", SIMPLE)
def test_a_simple_request_of_a_page_is_refused(echo, name):
    """These are requests that a browser sends to another origin without a preflight (fetch, "simple" requests), with and without its
    Origin."""
    for origin in ([], [("Origin", "https://evil.example")], [("Origin", "null")]):
        reply = ask(echo, "POST", CHAT, [own(echo), *SIMPLE[name], *origin], BODY)
        assert reply.status in (403, 415), reply.body
        assert ask(echo, "POST", "/v1/attestation/report", [own(echo), *SIMPLE[name], *origin], b"{}").status in (403, 415)


def test_a_page_of_another_origin_uses_up_no_reports(echo):
    nonce = "07" * 32
    for path in ("/v1/attestation/report", "/v1/cloister/attestation", "/v1/aci/attestation"):
        for headers in ([("Origin", "https://evil.example")], [("Origin", "null")], [("Sec-Fetch-Site", "cross-site")]):
            assert ask(echo, "GET", f"{path}?nonce={nonce}", [own(echo), *headers]).status == 403, (path, headers)
        assert ask(echo, "GET", f"{path}?nonce={nonce}", [own(echo), ("Sec-Fetch-Site", "same-origin")]).status == 200
        assert ask(echo, "GET", f"{path}?nonce={nonce}", [own(echo)]).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1.evil.example:80", "",
                                    "http://localhost:80, http://evil.example"])
def test_a_page_of_another_origin_may_not_ask(echo, origin):
    headers = [own(echo), ("Content-Type", "application/json"), ("Origin", origin)]
    reply = ask(echo, "POST", CHAT, headers, BODY)
    assert reply.status == 403 and reply.header("access-control-allow-origin") is None
    preflight = ask(echo, "OPTIONS", CHAT, [own(echo), ("Origin", origin), ("Access-Control-Request-Method", "POST")])
    assert preflight.header("access-control-allow-origin") is None


def test_a_second_origin_is_not_passed_over(echo, locked):
    for node in (echo, locked):
        for origins in (("http://localhost", "https://evil.example"), ("https://evil.example", "http://localhost")):
            headers = [own(node), ("Content-Type", "application/json"), *[("Origin", each) for each in origins]]
            for method, path, body in (("POST", CHAT, BODY), ("GET", "/v1/models", None), ("OPTIONS", CHAT, None)):
                reply = ask(node, method, path, headers, body)
                assert reply.status == 400 and reply.header("access-control-allow-origin") is None, reply.body


def test_pages_of_this_machine_and_allowed_ones_may(echo, start):
    for origin in ("http://localhost:3000", f"http://127.0.0.1:{echo.port}", "http://[::1]"):
        reply = ask(echo, "POST", CHAT, [own(echo), ("Content-Type", "application/json; charset=utf-8"), ("Origin", origin)], BODY)
        assert reply.status == 200 and reply.header("access-control-allow-origin") == origin
    node = start("--engine", "echo", "--cors-origin", "https://chat.example")
    for origin, status in (("https://chat.example", 200), ("https://evil.example", 403), ("http://localhost:3000", 403)):
        assert ask(node, "POST", CHAT, [own(node), ("Content-Type", "application/json"), ("Origin", origin)], BODY).status == status


HOSTS = {
    "evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "10.0.0.1": 421,
    "[fe80::1]": 421, "0.0.0.0": 421, "localhost": 200, "LOCALHOST:80": 200, "x.localhost": 200, "127.9.9.9": 200, "[::1]:80": 200, "node": 200,
}


@pytest.mark.parametrize("host", HOSTS)
def test_a_name_that_was_bound_to_this_machine_reaches_nothing(echo, host):
    """DNS rebinding: the page's own name resolves to 127.0.0.1, so the browser takes this node for the page's origin."""
    for path in ("/v1/models", "/health", "/metrics", "/", "/v1/aci/attestation", "/nowhere"):
        status = ask(echo, "GET", path, [("Host", host)]).status
        assert status == (421 if HOSTS[host] == 421 else 404 if path == "/nowhere" else 200), path
    headers = [("Host", host), ("Origin", f"http://{host}"), ("Content-Type", "application/json")]
    assert ask(echo, "POST", CHAT, headers, BODY).status in ((421, 403) if HOSTS[host] == 421 else (200, 421))


def test_no_page_uses_a_name_without_a_dot(echo):
    """An attacker in the local network may answer for such a name. A browser is recognised by the headers that it sends."""
    for extra in (("Referer", "http://node/"), ("Accept-Language", "en"), ("Sec-Fetch-Mode", "cors"), ("Origin", "http://node")):
        assert ask(echo, "GET", "/v1/models", [("Host", "node"), extra]).status == 421


def test_other_names_are_for_the_operator_to_allow(start):
    node = start("--engine", "echo", "--host-name", "Node.Example")
    assert ask(node, "GET", "/v1/models", [("Host", "node.example:1")]).status == 200
    assert ask(node, "GET", "/v1/models", [("Host", "other.example")]).status == 421
    node = start("--engine", "echo", "--host-name", "*")
    assert ask(node, "GET", "/v1/models", [("Host", "other.example")]).status == 200


def test_a_node_with_tokens_is_protected_by_them(locked):
    headers = [("Host", "any.example"), ("Origin", "https://page.example"), ("Content-Type", "application/json")]
    assert ask(locked, "POST", CHAT, headers, BODY).status == 401
    assert ask(locked, "POST", CHAT, [*headers, ("Authorization", f"Bearer {TOKEN}")], BODY).status == 200
    # JSON is still required.
    simple = [("Host", "any.example"), ("Content-Type", "text/plain"), ("Authorization", f"Bearer {TOKEN}")]
    assert ask(locked, "POST", CHAT, simple, BODY).status == 415


# --- what a tenant sees of other tenants


def test_metrics_are_the_operators(locked, echo, start, tmp_path):
    for token, status in ((None, 401), (TOKEN, 401), (TOKEN + "-of-another", 401), (ADMIN_TOKEN, 200)):
        assert exchange(locked, "GET", "/metrics", headers=[("Authorization", f"Bearer {token}")] if token else []).status == status
    assert exchange(locked, "POST", CHAT, BODY, [("Authorization", f"Bearer {ADMIN_TOKEN}")]).status == 401, "the operator is no tenant"
    assert exchange(echo, "GET", "/metrics").status == 200, "the owner of the machine"
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN + "\n")
    config = tmp_path / "config.toml"
    config.write_text(f'[serve]\nengine = "echo"\napi-key-file = "{tokens}"\n')
    without = start("--config", config)
    assert exchange(without, "GET", "/metrics", headers=[("Authorization", f"Bearer {TOKEN}")]).status == 403


def test_no_document_for_everybody_names_an_address(start):
    from support.upstream import ScriptedServer, whole

    with ScriptedServer(lambda connection, _: connection.sendall(whole(b"{}"))) as server:
        node = start("--upstream", server.url, "--upstream", "http://10.1.2.3:9876", "--upstream", "unix:/run/secret/engine.sock",
                     "--replica", "http://10.4.5.6:5432", "--upstream-connect-timeout", 1)
        public = ["/", "/health", "/health/ready", "/v1/models", "/v1/models/m", "/v1/cloister/policy", "/v1/cloister/keyset",
                  "/v1/cloister/attestation", "/v1/aci/attestation", "/v1/attestation/report?replicas=false"]
        for path in public:
            text = node.get(path)[2].decode()
            for secret in (f":{server.port}", "10.1.2.3", ":9876", "secret/engine", "10.4.5.6", ":5432"):  # a port alone occurs in many digests
                assert secret not in text, (path, secret)
        assert node.get_json("/v1/cloister/policy")["engine"]["upstreams"] == ["http://localhost", "http://private", "unix:"]
        assert "active" not in json.dumps(node.get_json("/health")["upstreams"])


# --- files that the program writes


def test_a_file_is_not_written_through_a_link(echo, tmp_path):
    """An attacker who may write into the folder must not foresee a name. A link that waits under a foreseen name would be followed."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    out = tmp_path / "report.json"
    out.symlink_to(victim)
    for pid in range(1, 70000, 7):  # names that follow from a process id
        if pid % 4096 == 1:
            (tmp_path / f"report.json.new.{pid}").symlink_to(victim)
    assert run("verify", "host", echo.url, "--accept-simulator", "--save", out).returncode == 0
    assert victim.read_text() == "untouched" and not out.is_symlink() and json.loads(out.read_text())


# --- a stream that looks dead


def test_the_head_of_a_stream_does_not_wait_for_the_first_token(start):
    node = start("--engine", "echo", "--echo-first-token-ms", 8000)
    body = json.dumps({"model": "echo", "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: {node.host}:{node.port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((node.host, node.port), timeout=60) as peer:
        begun, got = time.monotonic(), b""
        peer.sendall(head.encode() + body)
        while b"\r\n\r\n" not in got:
            got += peer.recv(65536)
        assert time.monotonic() - begun < 7, "before the first token"
        assert b"x-accel-buffering: no" in got.lower()
        with contextlib.suppress(TimeoutError):
            while b"[DONE]" not in got:
                got += peer.recv(65536)
        assert b"hi" in got and b"[DONE]" in got


def test_an_id_with_a_slash_can_be_asked_for(start):
    node = start("--engine", "echo", "--model-id", "org/name")
    for path in ("/v1/models/org/name", "/v1/models/org%2Fname"):
        assert node.get_json(path)["id"] == "org/name"
    assert node.get("/v1/models/org")[0] == 404 and node.get("/v1/models/")[0] == 404
