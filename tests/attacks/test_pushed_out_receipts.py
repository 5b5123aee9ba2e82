"""Receipts share a bounded room, in which the oldest make way. Counting tokens costs nothing: 21,000 requests of one client, in four seconds,
once pushed the receipts of all others out of a room of 16 MiB."""

import json

import pytest
from support.rawhttp import Connection, head

ATTACKER, VICTIM = "token-of-the-attacker-0123", "token-of-the-victim-456789"


def ask(connection, node, path, body, token, times=1):
    """Sends the requests one after the other without waiting, and returns the replies."""
    text = json.dumps(body).encode()
    request = head(node, "POST", path, text, [("Authorization", f"Bearer {token}")]) + text
    replies = []
    for begun in range(0, times, 50):
        count = min(50, times - begun)
        connection.send(request * count)
        replies += [connection.reply() for _ in range(count)]
    return replies


MESSAGES = [{"role": "user", "content": "a"}]
ROUTES = {"/v1/tokenize": {"prompt": "a"}, "/v1/messages/count_tokens": {"model": "echo", "messages": MESSAGES}}


@pytest.mark.parametrize("path", ROUTES)
def test_counting_tokens_leaves_receipts_in_their_place(start, tmp_path, path):
    (tmp_path / "tokens").write_text(f"{ATTACKER}\n{VICTIM}\n")
    node = start("--engine", "echo", "--api-key-file", tmp_path / "tokens", "--receipt-bytes", "16M")
    with Connection(node) as connection:
        own, = ask(connection, node, "/v1/chat/completions", {"model": "echo", "messages": MESSAGES}, VICTIM)
        replies = ask(connection, node, path, ROUTES[path], ATTACKER, 2000)
        assert {each.status for each in replies} == {200}
        stored = [each for each in replies if each.header("x-receipt-stored") != "false"]
        assert 1000 <= len(stored) < 1200, len(stored)
        last, = ask(connection, node, "/v1/chat/completions", {"model": "echo", "messages": MESSAGES}, ATTACKER)
        assert last.status == 200 and last.header("x-receipt-stored") is None, "what was computed has a receipt"
        for token, reply in ((VICTIM, own), (ATTACKER, last)):
            path = f"/v1/aci/receipts/{reply.header('x-receipt-id')}"
            assert connection.request("GET", path, headers=[("Authorization", f"Bearer {token}")]).status == 200
