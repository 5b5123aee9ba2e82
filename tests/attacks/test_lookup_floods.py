"""One client asks for proofs of a long reply, each of which takes a tenth of a second of a worker's time. Some sixty requests, sent within
ten milliseconds, once held up all lookups of receipts, signatures and proofs of all clients for seconds, also after the attacker had left,
and held up the node's end. The tests count answers and measure no time."""

import contextlib
import json
import re
import select
import socket

import pytest
from support.node import Node, wait_until
from support.rawhttp import Connection, exchange

ATTACKER, VICTIM = "token-of-the-attacker-0123", "token-of-the-victim-456789"
EVENTS = 60_000
FLOOD = 48


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


def ask(node, token, **more):
    """Returns the receipt id of a reply of the echo engine; absent when the node has cut off the reply because this client fell behind."""
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "one"}], **more}).encode()
    head, tail = b"", b""
    with socket.create_connection((node.host, node.port), timeout=300) as peer:
        peer.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
                     b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s" % (token.encode(), len(body), body))
        with contextlib.suppress(ConnectionError):
            while data := peer.recv(4 << 20):
                head, tail = (head + data)[:4000], (tail + data)[-100:]
    assert head.startswith(b"HTTP/1.1 200"), head
    whole = tail.endswith(b"0\r\n\r\n") or not more.get("stream")
    return re.search(rb"(?m)^x-receipt-id: (\S+)", head)[1].decode() if whole else None


def reply(node, token, **more):
    return wait_until(lambda: ask(node, token, **more), 60, "a whole reply")


class Flood:
    """Requests for proofs, each on a connection of its own."""

    def __init__(self, node, receipt_id, count=FLOOD):
        self.stack = contextlib.ExitStack()
        self.connections = [self.stack.enter_context(Connection(node)) for _ in range(count)]
        for number, connection in enumerate(self.connections):
            path = f"/v1/cloister/prefix/{receipt_id}?events={EVENTS // 2 - number}"
            host = f"Host: {node.host}:{node.port}"
            connection.send(f"GET {path} HTTP/1.1\r\n{host}\r\nAuthorization: Bearer {ATTACKER}\r\n\r\n".encode())

    def answered(self):
        """Returns how many are answered by now."""
        return len(select.select([each.socket for each in self.connections], [], [], 0)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    file = tmp_path_factory.mktemp("lookups") / "tokens"
    file.write_text(f"{ATTACKER}\n{VICTIM}\n")
    return file


def start_node(folder, tokens):
    node = Node(folder / "node", "--engine", "echo", "--echo-tokens", EVENTS, "--api-key-file", tokens, "--grace-seconds", 60)
    node.long_reply = reply(node, ATTACKER, stream=True)
    return node


@pytest.fixture(scope="module")
def node(tmp_path_factory, tokens):
    node = start_node(tmp_path_factory.mktemp("lookups"), tokens)
    yield node
    assert node.alive(), node.log[-3000:]
    node.kill()


def proofs_made(node):
    return node.metric("cloister_requests_total", route="prefix", status="200")


def test_proofs_of_one_client_hold_up_no_lookup_of_another(node):
    own = reply(node, VICTIM, max_tokens=1)
    with Flood(node, node.long_reply) as flood:
        for path in (f"/v1/aci/receipts/{own}", f"/v1/cloister/prefix/{own}?events=1", f"/v1/signature/{own}"):
            answer = exchange(node, "GET", path, headers=bearer(VICTIM))
            assert answer.status in (200, 404), answer.body
        done = flood.answered()
        assert done < FLOOD / 2, f"another client's lookups waited for {done} proofs of one client"
        # Callers behind one proxy may be one client.
        answer = exchange(node, "GET", f"/v1/aci/receipts/{node.long_reply}", headers=bearer(ATTACKER))
        assert answer.status == 200 and flood.answered() < FLOOD / 2, "the client's own lookup waited for its proofs"
        assert [each.reply().status for each in flood.connections] == [200] * FLOOD


def test_a_client_that_has_left_is_not_worked_for(node):
    before = proofs_made(node)
    with Flood(node, node.long_reply) as flood:
        wait_until(lambda: flood.answered() > 0, 30, "the first proof is made")
    # This lookup is of the same client and comes after all that still wait.
    assert exchange(node, "GET", f"/v1/cloister/prefix/{node.long_reply}?events=1", headers=bearer(ATTACKER)).status == 200
    made = proofs_made(node) - before
    assert made < FLOOD / 2, f"{made} proofs were made for nobody"


def test_what_waits_is_bounded_for_each_client(node):
    with Flood(node, node.long_reply, 150) as flood:
        # Whoever is refused is told so at once.
        wait_until(lambda: flood.answered() >= 150 - 64 - 2, 30, "the surplus is refused")
        assert exchange(node, "GET", "/v1/aci/receipts/none", headers=bearer(VICTIM)).status == 404
        answers = [each.reply() for each in flood.connections]
    refused = [each for each in answers if each.status == 503]
    assert 0 < len(refused) < 150 and len(answers) - len(refused) == sum(each.status == 200 for each in answers)
    for each in refused:
        assert re.fullmatch(r"[1-9]\d*", each.header("retry-after")) and each.json()["error"]["code"] == "busy", each.body


def test_a_node_with_waiting_proofs_ends_and_answers_all(tmp_path, tokens):
    node = start_node(tmp_path, tokens)
    try:
        with Flood(node, node.long_reply) as flood:
            wait_until(lambda: flood.answered() > 0, 30, "the first proof is made")
            node.process.terminate()
            answers = [each.reply() for each in flood.connections]
        assert all(answers), "each request that the node has read is answered"
        counts = {status: sum(each.status == status for each in answers) for status in (200, 503)}
        assert sum(counts.values()) == FLOOD and counts[503] > FLOOD / 2, counts
        assert node.process.wait(60) == 0, node.log[-3000:]
    finally:
        node.kill()
