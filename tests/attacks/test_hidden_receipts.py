"""A machine between client and node hides the receipts, or answers with an earlier answer of the node. Such a signature is genuine but says
less, or is about another request."""

import json

import pytest

from support.between import Between
from support.fixtures import session_node
from support.node import run
from support.upstream import ScriptedServer, whole

# On a shared platform, the last configuration in the register is another node's.
pytestmark = pytest.mark.own_seed

CHAT = "/v1/chat/completions"


def without_receipts(path, status, headers, text):
    headers = {name: value for name, value in headers.items() if not name.lower().startswith("x-receipt")}
    return 404 if path.startswith("/v1/cloister/") else status, headers, text


def test_nothing_is_said_where_the_receipts_are_hidden(echo, between):
    url = between(without_receipts)
    assert run("verify", "host", url, "--accept-simulator").returncode == 0, "the legacy form shows the same keys and configuration"
    before = echo.metric("cloister_requests_total", route="chat_completions")
    for more in ([], ["--require-receipt"], ["--no-stream"]):
        refused = run("chat", url, "my secret", "--accept-simulator", *more)
        assert refused.returncode in (1, 3) and "nothing was sent" in refused.stderr, refused.stderr
        assert "signature alone" not in refused.stdout
    assert echo.metric("cloister_requests_total", route="chat_completions") == before


def test_nothing_is_said_where_the_verifier_knows_the_configuration_by_its_digest(echo, between, tmp_path):
    digest = json.loads(echo.get("/v1/cloister/attestation?nonce=" + "07" * 32)[2])["statement"]["policy_digest"]
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[service]\npolicy_digests = ["{digest}"]\n')
    refused = run("chat", between(without_receipts), "my secret", "--accept-simulator", "--policy", policy)
    assert refused.returncode == 3 and "nothing was sent" in refused.stderr, refused.stderr


@pytest.fixture(scope="module")
def relayed(folder):
    """Starts a node in front of a server that answers with another model than the requested one."""
    reply = whole(json.dumps({"id": "r-1", "object": "chat.completion", "model": "cheap",
                              "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]}).encode())
    with ScriptedServer(lambda connection, _: connection.sendall(reply)) as server:
        yield from session_node(folder, "cheap", "--upstream", server.url)


def test_a_signature_alone_does_not_say_which_model_of_another_server_answered(relayed, tmp_path):
    saved, policy = tmp_path / "proof", tmp_path / "policy.toml"
    policy.write_text("[service]\naccept_upstream_claims = true\n")
    told = run("chat", relayed.url, "x", "--model", "m", "--no-stream", "--accept-simulator", "--policy", policy, "--save", saved, "--json")
    receipt = json.loads(told.stdout)["receipt"]
    assert told.returncode == 1 and "receipt.served_model" in [one["id"] for one in receipt["checks"] if one["state"] == "fail"]
    proof = json.loads(saved.read_text())
    judged = run("verify", "proof", saved, "--accept-simulator", "--policy", policy, "--at", proof["time"], "--nonce", proof["nonce"], "--json")
    checks = {one["id"]: one for one in json.loads(judged.stdout)["checks"]}
    assert judged.returncode == 3, judged.stdout
    assert checks["signature.served_model"]["state"] == "skipped" and checks["signature.served_model"]["required"]
    assert checks["signature.valid"]["state"] == "pass"


def test_what_the_node_said_before_is_no_answer_to_what_is_asked_now(echo):
    kept = {}

    def replay(path, status, headers, text):
        if path == CHAT:
            headers, text = kept.setdefault(path, (headers, text))
        return status, headers, text

    server = Between(echo, replay)
    try:
        first = run("chat", server.url, "Is it safe?", "--temperature", 0, "--accept-simulator")
        assert first.returncode == 0, first.stdout + first.stderr
        again = run("chat", server.url, "Is it safe?", "--temperature", 0, "--accept-simulator", "--json")
    finally:
        server.close()
    assert again.returncode == 1, again.stdout
    failed = [one["id"] for one in json.loads(again.stdout)["verdict"]["checks"] if one["state"] == "fail"]
    assert "signature.request_hash" in failed
