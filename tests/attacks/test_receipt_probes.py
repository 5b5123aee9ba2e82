"""Somebody without a token asks a node with tokens for receipts. The answer once told whether a foreign receipt of an id exists: 401 or
404. Ids that an upstream chose can be guessed."""

import json

import pytest
from support.node import Node
from support.rawhttp import exchange
from support.upstream import ScriptedServer, whole

TOKEN = "token-of-the-owner-0123456"
GUESSED = "chatcmpl-1"


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probes")
    (folder / "tokens").write_text(TOKEN + "\n")
    reply = whole(json.dumps({"id": GUESSED, "model": "m", "choices": []}).encode())
    with ScriptedServer(lambda connection, _: connection.sendall(reply)) as server:
        node = Node(folder / "node", "--upstream", server.url, "--api-key-file", folder / "tokens")
        yield node
        assert node.alive(), node.log[-3000:]
        node.kill()


@pytest.mark.parametrize("credentials", [[], bearer("token-of-nobody-at-all"), [("X-Api-Key", "x" * 5000)]])
@pytest.mark.parametrize("route", ["/v1/aci/receipts/{}", "/v1/cloister/prefix/{}?events=1", "/v1/signature/{}"])
def test_a_stranger_learns_nothing_about_an_id(node, credentials, route):
    body = json.dumps({"model": "m", "messages": []}).encode()
    receipt_id = exchange(node, "POST", "/v1/chat/completions", body, bearer(TOKEN)).header("x-receipt-id")
    assert exchange(node, "GET", f"/v1/aci/receipts/{GUESSED}", headers=bearer(TOKEN)).status == 200
    for there, absent in ((GUESSED, "chatcmpl-2"), (receipt_id, "rcpt-" + "0" * 32), (receipt_id, "x" * 300), (receipt_id, "%2e")):
        known, unknown = (exchange(node, "GET", route.format(each), headers=credentials) for each in (there, absent))
        assert known.status == unknown.status == 401, (known.status, unknown.status)
        assert known.body == unknown.body and known.header("www-authenticate") == unknown.header("www-authenticate")
        assert [name for name, _ in known.headers] == [name for name, _ in unknown.headers]
