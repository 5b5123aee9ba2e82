"""`kill -9` in a loop under load. Every reply that a client has in full has a receipt that verifies, and no receipt is wrong. The same holds
when the operator truncates the file that SQLite maps.

CLOISTER_CRASH_SECONDS sets the duration (12 by default)."""

import contextlib
import json
import os
import random
import socket
import threading
import time

from support.node import Node, own_seed, wait_until
from support.rawhttp import Connection, exchange, head
from support.receipts import check_signature, digest, events, keyset_of, leaves, merkle_root, receipt_of, sse_events

SECONDS = float(os.environ.get("CLOISTER_CRASH_SECONDS", "12"))
CLIENTS = 8
CHAT = "/v1/chat/completions"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client(threading.Thread):
    """Sends requests until it is told to stop. Keeps every reply, whole or not."""

    def __init__(self, host, port, number, stop):
        super().__init__()
        self.host, self.port, self.stop = host, port, stop
        self.random = random.Random(number)
        self.whole, self.cut = [], []  # (request, receipt id, secret, body)

    def run(self):
        while not self.stop.is_set():
            stream = self.random.random() < 0.6
            words = " ".join(str(self.random.random()) for _ in range(self.random.randrange(1, 40)))
            request = json.dumps({"model": "echo", "stream": stream, "messages": [{"role": "user", "content": words}]}).encode()
            try:
                self.ask(request)
            except OSError:
                time.sleep(0.005)  # the node is away

    def ask(self, request):
        with Connection(self) as connection:
            connection.send(head(self, "POST", CHAT, request) + request)
            try:
                reply = connection.reply()
            except (ConnectionError, ValueError):
                return  # cut in the middle of a chunk: the parser loses the part that came
        if reply is None or reply.status != 200 or reply.header("x-receipt-id") is None:
            return
        done = reply.complete or b"data: [DONE]\n\n" in reply.body
        (self.whole if done else self.cut).append((request, reply.header("x-receipt-id"), reply.header("x-receipt-secret"), reply.body))


def check_whole(node, keysets, request, receipt_id, _, body):
    receipt = receipt_of(node, receipt_id)
    check_signature(receipt, keysets[receipt["workload_keyset_digest"]])
    log = events(receipt)
    assert log["request.received"]["body_hash"] == digest(request)
    assert log["response.returned"]["body_hash"] == digest(body)
    assert "response.aborted" not in log


def check_cut(node, keysets, request, receipt_id, secret, body):
    """Checks the receipt of a cut reply. There may be none. If there is one, the client has a beginning of the reply that the receipt is
    about. Returns True when there is a receipt."""
    found = exchange(node, "GET", f"/v1/aci/receipts/{receipt_id}")
    if found.status == 404:
        return False
    receipt = found.json()
    check_signature(receipt, keysets[receipt["workload_keyset_digest"]])
    log = events(receipt)
    assert log["request.received"]["body_hash"] == digest(request)
    held = sse_events(body)
    if held and "response.events" in log:
        proof = exchange(node, "GET", f"/v1/cloister/prefix/{receipt_id}?events={len(held)}", None, [("X-Receipt-Secret", secret)]).json()
        assert proof["total"] == log["response.events"]["count"] >= len(held)
        if len(held) == proof["total"]:
            assert "sha256:" + merkle_root(leaves(held, secret)).hex() == log["response.events"]["root"]
    return True


@own_seed
def test_kill_nine_under_load(tmp_path):
    port, state = free_port(), tmp_path / "state"
    chance = random.Random(1)
    keysets, kills, recovered = {}, 0, []
    stop = threading.Event()

    def start(number):
        return Node(tmp_path / f"node{number}", "--engine", "echo", "--echo-token-gap-ms", 1, listen=f"127.0.0.1:{port}", state=state)

    node = start(0)
    clients = [Client(node.host, port, number, stop) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            keyset = keyset_of(node)
            keysets[node.get("/health")[1]["x-aci-keyset-digest"]] = keyset
            time.sleep(chance.uniform(0.05, 0.6))
            node.process.kill()
            node.process.wait()
            kills += 1
            begun = time.monotonic()
            node = start(kills)
            recovered.append(time.monotonic() - begun)
    finally:
        stop.set()
        for client in clients:
            client.join()
    try:
        whole = [one for client in clients for one in client.whole]
        cut = [one for client in clients for one in client.cut]
        for one in whole:
            check_whole(node, keysets, *one)
        found = sum(check_cut(node, keysets, *one) for one in cut)
        wait_until(lambda: node.metric("cloister_inference_running") == 0, 5, "every request ends")
    finally:
        status = node.stop()
    print(f"\n{kills} kills in {SECONDS:.0f} s: {len(whole)} whole replies, each with its receipt; {len(cut)} cut ones, {found} with "
          f"a receipt that fits; back after {sorted(recovered)[len(recovered) // 2]:.3f} s (median), {max(recovered):.3f} s (most)")
    assert status == 0 and kills >= 3 and len(whole) > 50


@own_seed
def test_a_truncated_index_costs_no_receipt(tmp_path):
    """SQLite maps receipts.db-shm. Anybody who can truncate that file can end the process (docs/threat-model.md), as anybody can who may
    kill the process, and can do no more."""
    state, replies = tmp_path / "state", []

    def ask(node):
        request = json.dumps({"model": "echo", "messages": [{"role": "user", "content": f"number {len(replies)}"}]}).encode()
        reply = exchange(node, "POST", CHAT, request)
        if reply is not None and reply.status == 200 and reply.complete:
            replies.append((request, reply.header("x-receipt-id"), None, reply.body))

    keysets, ends = {}, []
    for number in range(3):
        node = Node(tmp_path / f"node{number}", "--engine", "echo", state=state)
        keysets[node.get("/health")[1]["x-aci-keyset-digest"]] = keyset_of(node)
        for _ in range(20):
            ask(node)
        os.truncate(state / "receipts.db-shm", 0)
        with contextlib.suppress(OSError, ValueError):
            for _ in range(40):
                ask(node)
        if node.process.poll() is None:
            node.process.kill()
        ends.append(node.process.wait())
    node = Node(tmp_path / "last", "--engine", "echo", state=state)
    try:
        assert len(replies) >= 60
        for one in replies:
            check_whole(node, keysets, *one)
        ask(node)
        assert node.get("/health")[0] == 200
    finally:
        assert node.stop() == 0
    print(f"\nhow the processes ended: {ends}; {len(replies)} replies, each with its receipt")
