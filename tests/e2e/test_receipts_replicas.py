"""Replicas that share one PostgreSQL. Each replica has the receipts of all, and survives an outage of the server."""

import json
import re
import secrets

import pytest

from support.node import own_seed, wait_until
from support.postgres import Postgres
from support.rawhttp import exchange
from support.receipts import check_receipt, client, keyset_of

CHAT = "/v1/chat/completions"
SEED = "5e" * 32
REQUEST = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "a b"}], "stream": True}).encode()


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def replica(start, postgres, tmp_path):
    where = postgres.connection_file(tmp_path)

    def begin(*options, seed=SEED):
        """Starts a separate node in the TEE of this seed, because replicas of one application are given the same keys."""
        state = tmp_path / secrets.token_hex(4)
        state.mkdir(mode=0o700)
        (state / "insecure-simulator.seed").write_text(seed + "\n")
        (state / "insecure-simulator.seed").chmod(0o600)
        return start("--engine", "echo", "--receipts", "postgres", "--receipt-postgres-file", where, *options, state=state)

    return begin


@own_seed
def test_one_answers_for_the_other(replica):
    first, second = replica(), replica()
    assert first.get_json("/health")["receipts"]["store"] == "postgresql"
    reply = exchange(first, "POST", CHAT, REQUEST)
    keyset = keyset_of(first)
    receipt = check_receipt(first, REQUEST, reply, keyset=keyset)
    assert check_receipt(second, REQUEST, reply, keyset=keyset) == receipt
    count = next(event["count"] for event in receipt["event_log"] if event["type"] == "response.events")
    proof = exchange(second, "GET", f"/v1/cloister/prefix/{receipt['receipt_id']}?events=1", None, client(reply)).json()
    assert proof["total"] == count
    signatures = [exchange(node, "GET", f"/v1/signature/{reply.reply_id()}").json() for node in (first, second)]
    assert signatures[0] == signatures[1]
    signatures = [exchange(node, "GET", f"/v1/signature/{reply.reply_id()}?signing_algo=ed25519").json() for node in (first, second)]
    assert signatures[0] == signatures[1]


@own_seed
def test_another_tee_is_refused(replica, postgres):
    """Records that other keys have encrypted are neither read nor changed, and the node reports them."""
    node = replica()
    reply = exchange(node, "POST", CHAT, REQUEST)
    with pytest.raises(AssertionError) as raised:
        replica(seed="ab" * 32)
    assert "encrypted with the key" in str(raised.value) and "Nothing was changed" in str(raised.value)
    check_receipt(node, REQUEST, reply)


@own_seed
def test_the_server_goes_and_comes(replica, postgres):
    node = replica()
    before = exchange(node, "POST", CHAT, REQUEST)
    keyset = keyset_of(node)
    postgres.stop()
    cut = exchange(node, "POST", CHAT, REQUEST)
    assert not cut.complete and b"[DONE]" not in cut.body
    assert node.get("/health")[0] == 503
    found = exchange(node, "GET", f"/v1/aci/receipts/{before.header('x-receipt-id')}")
    assert found.status == 503 and str(postgres.folder) not in found.body.decode()
    postgres.start()
    wait_until(lambda: node.get("/health")[0] == 200, 30, "the node recovers by itself")
    after = exchange(node, "POST", CHAT, REQUEST)
    for reply in (before, after):
        check_receipt(node, REQUEST, reply, keyset=keyset)
    # The operator's log names the server only in the messages about failures of the store.
    assert [] == [line for line in node.log.splitlines() if str(postgres.folder) in line and not re.search("receipts? cannot be", line)]
