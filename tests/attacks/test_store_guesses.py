"""An attacker tries guesses on the data that lies outside the TEE.

The attack once succeeded. receipts.db kept the SHA-256 of every event of a streamed reply, and an event of one token can be guessed from
the vocabulary. 60 tokens were read back in 0.2 s. So the attacker in these tests has everything that is stored and knows the form of every
event. The attacker tries all guesses in every notation of a digest and must find nothing. Each search is first shown to find the content of
an earlier form of the store.
"""

import base64
import hashlib
import json
import pathlib
import secrets
import sqlite3
import time

import pytest

from support.fixtures import TOKEN
from support.node import own_seed, run
from support.postgres import Postgres
from support.rawhttp import exchange
from support.receipts import check_receipt, client, events, keyset_of, leaf, merkle_root, receipt_of, seed_of, sse_events

CHAT = "/v1/chat/completions"
WORDS = "the quick brown fox jumps over a lazy dog and then it sleeps under an old tree".split()
MINE = [("Authorization", f"Bearer {TOKEN}")]


def chat(model="echo", **options):
    return json.dumps({"model": model, "messages": [{"role": "user", "content": " ".join(WORDS)}], "stream": True, **options}).encode()


def sha256(data):
    return hashlib.sha256(data).digest()


def written(digest):
    """Returns the beginning of a digest in every notation in which it may be stored. Shortened digests begin in the same way."""
    return digest[:8], digest.hex().encode()[:16], base64.b64encode(digest)[:10]


def digests_of(guess):
    """Returns the digests that a store might keep of a text, with and without the prefixes of trees and roles."""
    return [sha256(prefix + guess) for prefix in (b"", b"\0", b"cloister.owner.v1")]


def confirmed(stored, guesses):
    """Returns the guesses that the stored bytes confirm."""
    return [guess for guess in guesses if any(mark in stored for digest in digests_of(guess) for mark in written(digest))]


def vocabulary_of(found):
    """Returns all frames that the attacker can guess: each event with each word of the vocabulary in place of its own."""
    texts = set()
    for event in found:
        try:
            text = json.loads(event.decode().removeprefix("data: "))["choices"][0]["delta"].get("content")
        except (ValueError, KeyError, IndexError):
            continue
        if text:
            texts.add(text)
    frames = set(found)
    for event in found:
        for own in texts:
            quoted = json.dumps(own, ensure_ascii=False)[1:-1].encode()
            if b'"content":"' + quoted + b'"' not in event:
                continue
            for other in texts:
                frames.add(event.replace(b'"content":"' + quoted + b'"', b'"content":"' + json.dumps(other, ensure_ascii=False)[1:-1].encode() + b'"'))
    return frames


def disk_of(node):
    """Returns every byte of the state folder but the seed of the simulated TEE, which stands for the hardware."""
    files = [path for path in node.state.rglob("*") if path.is_file() and path.name != "insecure-simulator.seed"]
    assert any(path.name.startswith("receipts.db") for path in files)
    return b"\n".join(path.read_bytes() for path in sorted(files))


def look_for(stored, request, reply, token=None, vocabulary=True):
    """Returns everything of this reply that an attacker could confirm or read."""
    found = sse_events(reply.body)
    assert len(found) > 10
    assert confirmed(stored, vocabulary_of(found) if vocabulary else found) == []
    receipt_id, reply_id = reply.header("x-receipt-id"), reply.reply_id()
    texts = [request, reply.body, receipt_id.encode(), reply_id.encode(), receipt_id[5:].encode()]
    if token:
        texts.append(token.encode())
    assert confirmed(stored, texts) == []
    # The store has no plain text of the reply: no id, no name, no digest of a receipt, no leaf, and not the end of an id in bytes.
    for text in (receipt_id[17:], receipt_id[5:], "request.received", "body_hash", "response.events", CHAT, "chatcmpl-"):
        assert text.encode() not in stored, text
    assert bytes.fromhex(receipt_id[17:]) not in stored
    secret = bytes.fromhex(reply.header("x-receipt-secret"))
    assert all(mark not in stored for mark in written(secret))
    for number, event in enumerate(found):
        assert leaf(event, seed_of(secret, number)) not in stored, "leaves are encrypted, too"


def test_the_search_finds_what_was_stored_before():
    """The earlier form had leaves without salts, and body hashes, owners and names as digests without a key."""
    found = [f'data: {{"id":"chatcmpl-1","choices":[{{"index":0,"delta":{{"content":"{word} "}}}}]}}\n\n'.encode() for word in WORDS * 4]
    stored = secrets.token_bytes(1000) + b"".join(sha256(b"\0" + event) for event in found) + secrets.token_bytes(1000)
    begun = time.monotonic()
    assert set(confirmed(stored, vocabulary_of(found))) == set(found)
    print(f"\n{len(found)} events read back in {time.monotonic() - begun:.2f} s")
    for mark in (sha256(b"cloister.owner.v1" + TOKEN.encode())[:16], sha256(TOKEN.encode())[:8], sha256(TOKEN.encode()).hex().encode(), base64.b64encode(sha256(TOKEN.encode()))):
        assert confirmed(secrets.token_bytes(100) + mark, [TOKEN.encode()]) == [TOKEN.encode()]
    assert confirmed(secrets.token_bytes(4000), [TOKEN.encode(), *found]) == []


@pytest.mark.fast
def test_receipts_db_of_a_node(start, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN + "\n")
    node = start("--engine", "echo", "--api-key-file", tokens, "--log-level", "debug")
    replies = [exchange(node, "POST", CHAT, chat(), MINE) for _ in range(20)]
    buffered = exchange(node, "POST", CHAT, chat(stream=False), MINE)
    assert all(reply.status == 200 and reply.complete for reply in replies)
    for _ in range(2):  # first with the write-ahead log, then after the process has ended
        stored = disk_of(node)
        for reply in replies[::7]:
            look_for(stored, chat(), reply, TOKEN)
        assert confirmed(stored, [chat(stream=False), buffered.body, buffered.reply_id().encode()]) == []
        log = node.log.encode()
        assert confirmed(log, [TOKEN.encode(), chat(), replies[0].body]) == []
        assert all(reply.header("x-receipt-id")[17:].encode() not in log for reply in replies)
        node.stop()


@own_seed
@pytest.mark.fast
def test_an_export(start, tmp_path):
    node = start("--engine", "echo")
    replies = [exchange(node, "POST", CHAT, chat()) for _ in range(3)]
    out = tmp_path / "export"
    done = run("receipts", "export", "--store", node.state / "receipts.db", "--tee", "insecure-simulator", "--out", out)
    assert done.returncode == 0 and done.stderr.startswith("exported 3 receipts"), done.stderr
    stored = out.read_bytes()
    stored += b"".join(base64.b64decode(json.loads(line)["sealed"]) for line in stored.splitlines())
    for reply in replies:
        look_for(stored, chat(), reply)
    refused = run("receipts", "export", "--store", node.state / "receipts.db")
    assert refused.returncode == 2 and refused.stdout == ""
    again = run("receipts", "import", out, "--store", tmp_path / "state/restored.db", "--tee", "insecure-simulator", "--state", node.state)
    assert again.returncode == 0, again.stderr
    listed = run("receipts", "list", "--store", tmp_path / "state/restored.db", "--tee", "insecure-simulator", "--state", node.state, "--json")
    assert {json.loads(line)["receipt_id"] for line in listed.stdout.splitlines()} == {reply.header("x-receipt-id") for reply in replies}


@own_seed
def test_a_postgresql_of_replicas(start, tmp_path):
    """The attacker has PostgreSQL's tables, its write-ahead log and its own log."""
    server = Postgres()
    try:
        tokens = tmp_path / "tokens"
        tokens.write_text(TOKEN + "\n")
        node = start("--engine", "echo", "--api-key-file", tokens, "--receipts", "postgres", "--receipt-postgres-file", server.connection_file(tmp_path))
        replies = [exchange(node, "POST", CHAT, chat(), MINE) for _ in range(5)]
        for reply in replies:
            check_receipt(node, chat(), reply, MINE)
        node.stop()
        server.stop()  # PostgreSQL writes its memory to disk
        files = [path for path in pathlib.Path(server.folder).rglob("*") if path.is_file()]
        stored = b"\n".join(path.read_bytes() for path in files).replace(bytes(4096), b"")
        assert b"cloister_receipt" in stored and any("pg_wal" in str(path) for path in files)
        for reply in replies[:2]:
            look_for(stored, chat(), reply, TOKEN, vocabulary=False)
    finally:
        server.close()


def test_a_real_model(llama):
    """The test repeats the recorded attack exactly: greedy, 60 tokens, the vocabulary of the model."""
    request = chat(llama.model(), max_tokens=60, temperature=0)
    reply = exchange(llama, "POST", CHAT, request)
    assert reply.status == 200 and len(sse_events(reply.body)) > 30
    stored = disk_of(llama)
    found = sse_events(reply.body)
    assert confirmed(stored, vocabulary_of(found)) == []
    assert confirmed(stored, [request, reply.body, reply.reply_id().encode()]) == []


# --- the route that serves leaves


@pytest.mark.fast
def test_leaves_are_for_the_client_alone(echo, locked):
    mine, other = (exchange(echo, "POST", CHAT, chat()) for _ in range(2))
    path = f"/v1/cloister/prefix/{mine.header('x-receipt-id')}?events=3"
    attempts = [[], client(other), [("X-Receipt-Secret", "")], [("X-Receipt-Secret", "00" * 32)], [("X-Receipt-Secret", mine.header("x-receipt-secret")[:-2])]]
    for headers in attempts:
        refused = exchange(echo, "GET", path, None, headers)
        assert refused.status == 403 and b"consistency" not in refused.body, headers
    for name in (mine.header("x-receipt-id"), mine.reply_id()):
        assert exchange(echo, "GET", f"/v1/cloister/prefix/{name}?events=3", None, client(mine)).status == 200
    owned = exchange(locked, "POST", CHAT, chat(), MINE)
    path = f"/v1/cloister/prefix/{owned.header('x-receipt-id')}?events=3"
    assert exchange(locked, "GET", path, None, client(owned)).status == 401, "a secret is no token"
    assert exchange(locked, "GET", path, None, [("Authorization", f"Bearer {TOKEN}-of-another"), *client(owned)]).status == 404
    assert exchange(locked, "GET", path, None, MINE).status == 200


@pytest.mark.fast
def test_a_proof_says_nothing_of_what_follows(echo):
    """A client shows the first events to somebody. The proof contains the leaf of the next event but not its salt."""
    reply = exchange(echo, "POST", CHAT, chat())
    found = sse_events(reply.body)
    secret = bytes.fromhex(reply.header("x-receipt-secret"))
    for shown in (len(found) - 1, 16, 7, 1):
        proof = exchange(echo, "GET", f"/v1/cloister/prefix/{reply.header('x-receipt-id')}?events={shown}", None, client(reply)).json()
        assert proof["proof"] == "cloister.prefix.v2" and len(proof["salts"]) <= 75
        # The set holds everything that follows from the seeds shown, down to the events.
        known, level = set(), [bytes.fromhex(seed) for seed in proof["salts"]]
        for _ in range(3):
            known.update(level)
            level = [sha256(bytes([2, number]) + seed) for seed in level for number in range(16)]
        known.update(level)
        hidden = {bytes.fromhex(each) for each in proof["consistency"]}
        for number in range(shown, len(found)):
            assert seed_of(secret, number) not in known
            guesses = {hashlib.sha256(b"\0" + seed[:16] + sha256(event)).digest() for seed in known for event in found[shown:]}
            assert not guesses & hidden
        assert {seed_of(secret, number) for number in range(shown)} <= known, "those that are shown can be salted"
        assert all(sha256(prefix + event) not in hidden for event in found for prefix in (b"", b"\0"))


@pytest.mark.fast
def test_the_secret_comes_once_and_to_its_client(echo):
    """Neither the receipt nor a proof repeats the secret, and each reply has its own."""
    replies = [exchange(echo, "POST", CHAT, chat(), [("X-Receipt", "inline")]) for _ in range(3)]
    assert len({reply.header("x-receipt-secret") for reply in replies}) == 3
    for reply in replies:
        secret = reply.header("x-receipt-secret")
        receipt = exchange(echo, "GET", f"/v1/aci/receipts/{reply.header('x-receipt-id')}")
        proof = exchange(echo, "GET", f"/v1/cloister/prefix/{reply.header('x-receipt-id')}?events=5", None, client(reply))
        assert receipt.header("x-receipt-secret") is None and secret not in receipt.body.decode()
        assert proof.status == 200 and secret not in proof.body.decode() and proof.header("x-receipt-secret") is None
        assert not any(secret in base64.b64decode(value).decode() for name, value in reply.trailers if name == "x-receipt")


# --- earlier forms of the store


PLAIN = """
PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;
CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL, served_at INTEGER NOT NULL, owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT;
CREATE TABLE place(receipt_id BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE moment(served_at INTEGER NOT NULL, receipt_id BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(served_at, receipt_id)) STRICT, WITHOUT ROWID;
CREATE TABLE name(id INTEGER NOT NULL, owner INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(id, owner, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE event_hashes(seq INTEGER PRIMARY KEY, served_at INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT;
CREATE INDEX event_hashes_served ON event_hashes(served_at);
CREATE TABLE document(key BLOB NOT NULL, kind BLOB NOT NULL, made INTEGER NOT NULL, text BLOB NOT NULL, PRIMARY KEY(key, kind)) STRICT;
CREATE INDEX document_made ON document(made);
CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), indexed INTEGER NOT NULL, receipts INTEGER NOT NULL, bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT;
INSERT INTO state VALUES(1, 0, 0, 0, 0); PRAGMA application_id=1131180916; PRAGMA user_version=2
"""


def plain_statement(text):
    """Returns the statement on one line with single spaces, as earlier versions of the program wrote it."""
    return " ".join(text.split())


@own_seed
@pytest.mark.fast
def test_a_store_of_before_is_encrypted_when_it_is_opened(start, tmp_path):
    """The receipt of a token is still found by it and a proof of its events is still given, but nothing remains in plain text."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    found = [f'data: {{"choices":[{{"delta":{{"content":"{word} "}}}}]}}\n\n'.encode() for word in WORDS]
    owner = sha256(b"cloister.owner.v1" + TOKEN.encode())[:16]
    served = int(time.time()) - 60
    database = sqlite3.connect(state / "receipts.db", isolation_level=None)
    for statement in PLAIN.split(";"):
        database.execute(plain_statement(statement))
    leaves = [sha256(b"\0" + event) for event in found]
    for seq in range(1, 40):
        receipt_id = f"rcpt-{seq:032x}"
        document = {"api_version": "aci/1", "receipt_id": receipt_id, "chat_id": f"chatcmpl-{seq:032x}", "model": "echo", "workload_keyset_digest": "sha256:" + "a" * 64,
                    "endpoint": CHAT, "method": "POST", "served_at": served, "key_id": "k", "signature": "0" * 128,
                    "event_log": [{"type": "request.received", "body_hash": "sha256:" + sha256(chat()).hex()},
                                  {"type": "response.events", "count": len(leaves), "root": "sha256:" + merkle_root(leaves).hex()}]}
        ids = f"chatcmpl-{seq:032x}".encode()
        row = (seq, receipt_id.encode(), served, owner, 1000, len(ids).to_bytes(2, "big") + ids, None, json.dumps(document).encode())
        database.execute("INSERT INTO receipt VALUES(?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.execute("INSERT INTO event_hashes VALUES(?, ?, ?)", (seq, served, b"".join(leaves)))
    database.execute("DELETE FROM receipt WHERE seq < 20")
    database.close()
    (state / "receipts.db").chmod(0o600)
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN + "\n")

    def disk():
        return b"".join(path.read_bytes() for path in state.glob("receipts.db*"))

    assert set(confirmed(disk(), found)) == set(found) and confirmed(disk(), [TOKEN.encode(), chat()])
    node = start("--engine", "echo", "--api-key-file", tokens, state=state)
    for _ in range(2):
        assert confirmed(disk(), found) == [] and confirmed(disk(), [TOKEN.encode(), chat()]) == []
        for text in (b"request.received", b"chatcmpl-", CHAT.encode(), owner, leaves[0], leaves[-1]):
            assert text not in disk(), text
        if node.alive():
            assert receipt_of(node, f"chatcmpl-{30:032x}", MINE)["receipt_id"] == f"rcpt-{30:032x}"
            assert exchange(node, "GET", f"/v1/aci/receipts/rcpt-{30:032x}").status == 401
            proof = exchange(node, "GET", f"/v1/cloister/prefix/rcpt-{30:032x}?events=5", None, MINE)
            assert proof.json()["proof"] == "cloister.prefix.v1"
            node.stop()


@own_seed
@pytest.mark.fast
def test_another_tee_reads_nothing_and_changes_nothing(start, tmp_path):
    node = start("--engine", "echo")
    reply = exchange(node, "POST", CHAT, chat())
    keyset = keyset_of(node)
    node.stop()
    before = (node.state / "receipts.db").read_bytes()
    seed = node.state / "insecure-simulator.seed"
    own = seed.read_text()
    seed.write_text("ab" * 32 + "\n")
    with pytest.raises(AssertionError) as raised:
        start("--engine", "echo", state=node.state)
    assert "receipts.db" in str(raised.value) and "encrypted with the key" in str(raised.value)
    assert (node.state / "receipts.db").read_bytes() == before
    seed.write_text(own)
    again = start("--engine", "echo", state=node.state)
    receipt = check_receipt(again, chat(), reply, keyset=keyset)
    assert events(receipt)["response.events"]["tree"] == "cloister.events.v2"
