"""Receipts of every kind of request, from bytes captured off a raw socket. The tests verify them by hand and with `cloister verify
receipt`."""

import base64
import json
import secrets
import sqlite3
import struct
import socket

import pytest

from support.fixtures import TOKEN
from support.node import own_seed, run, wait_until
from support.rawhttp import Connection, exchange, head
from support.receipts import (check_receipt, check_signature, digest, client, events, keyset_of, receipt_of,
                              sse_events)

CHAT, PATHS = "/v1/chat/completions", {}
ODD = '{ "stream":%s,\n\t"messages" : [{"content":"Gr\\u00fc\\u00dfe, 世界 🌍", "role":"user"}] ,"n":1, "model":"echo" }  \n'


def chat(**options):
    return json.dumps({"model": "echo", "messages": [{"role": "user", "content": "a b c"}], **options}).encode()


def save(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def verify(tmp_path, node, receipt, request, response, *arguments, form="native"):
    """Returns (exit status, verdict) of the program, with a report made for a nonce of the test."""
    nonce = secrets.token_hex(32)
    path = {"native": "/v1/cloister/attestation", "aci": "/v1/aci/attestation"}[form]
    report = exchange(node, "GET", f"{path}?nonce={nonce}").body
    result = run("verify", "receipt", save(tmp_path, "receipt.json", receipt), "--report", save(tmp_path, "report.json", report),
                 "--nonce", nonce, "--request", save(tmp_path, "request", request), "--response",
                 save(tmp_path, "response", response), "--accept-simulator", "--json", *arguments)
    return result.returncode, json.loads(result.stdout) if result.stdout.startswith("{") else result.stderr


def failed(verdict):
    return {check["id"] for check in verdict["checks"] if check["state"] == "fail"}


# --- the replies that have a receipt


@pytest.mark.fast
# The last configuration in a shared platform's register is another node's. That does not affect the native form.
@pytest.mark.parametrize("form", ["native", pytest.param("aci", marks=pytest.mark.own_seed)])
@pytest.mark.parametrize("stream", ["false", "true"])
def test_a_reply(attested, tmp_path, stream, form):
    request = (ODD % stream).encode()
    reply = exchange(attested, "POST", CHAT, request)
    receipt = check_receipt(attested, request, reply)
    log = events(receipt)
    assert receipt["chat_id"] == reply.reply_id() and receipt["model"] == "echo"
    assert (receipt["endpoint"], receipt["method"]) == (CHAT, "POST")
    assert log["request.forwarded"]["body_hash"] == digest(request)
    assert log["model.served"]["engine"] == "echo" and log["model.served"]["model_id"] == "echo"
    assert log["usage.metered"]["completion_tokens"] > 0 and log["usage.metered"]["finish_reason"] == "stop"
    status, verdict = verify(tmp_path, attested, receipt, request, reply.body, "--model", "echo", "--id", receipt["chat_id"],
                             form=form)
    assert status == 0, verdict


BODIES = {
    "completions": ("/v1/completions", {"prompt": "one two"}),
    "n": (CHAT, {"messages": [{"role": "user", "content": "x y"}], "n": 3}),
    "embeddings": ("/v1/embeddings", {"input": ["a", "b"]}),
    "responses": ("/v1/responses", {"input": "one two"}),
    "messages": ("/v1/messages", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9}),
    "responses streamed": ("/v1/responses", {"input": "one two", "stream": True}),
    "messages streamed": ("/v1/messages", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9, "stream": True}),
    "n streamed": (CHAT, {"messages": [{"role": "user", "content": "x y"}], "n": 2, "stream": True}),
    "usage streamed": (CHAT, {"messages": [{"role": "user", "content": "x"}], "stream": True, "stream_options": {"include_usage": True}}),
}


@pytest.mark.fast
@pytest.mark.parametrize("name", BODIES)
def test_other_routes(echo, name):
    path, body = BODIES[name]
    request = json.dumps({"model": "echo", **body}).encode()
    reply = exchange(echo, "POST", path, request)
    assert reply.status == 200 and reply.complete, reply.body
    receipt = check_receipt(echo, request, reply)
    assert receipt["endpoint"] == path


ERRORS = {
    "not JSON": (b"{", 400, "json.malformed"),
    "another model": (json.dumps({"model": "other", "messages": []}).encode(), 404, "model_not_found"),
    "no messages": (b'{"model":"echo"}', 400, None),
    "empty": (b"", 400, "json.malformed"),
    "not UTF-8": (b'{"model":"\xff"}', 400, "json.malformed"),
}


@pytest.mark.fast
@pytest.mark.parametrize("name", ERRORS)
def test_a_refusal(echo, name, tmp_path):
    request, status, code = ERRORS[name]
    reply = exchange(echo, "POST", CHAT, request)
    assert reply.status == status, reply.body
    receipt = check_receipt(echo, request, reply)
    log = events(receipt)
    assert log["request.failed"] == {"type": "request.failed", "code": reply.json()["error"]["code"], "status": status}
    assert code is None or log["request.failed"]["code"] == code
    assert "request.forwarded" not in log and "model.served" not in log
    assert exchange(echo, "GET", f"/v1/signature/{receipt['receipt_id']}").status == 404, "an error has no legacy signature"
    returncode, verdict = verify(tmp_path, echo, receipt, request, reply.body)
    assert returncode == 0, verdict
    assert verdict["facts"]["partial_reply"] == f"the reply is an error: {status} {log['request.failed']['code']}"


@pytest.mark.fast
def test_a_very_long_model_name_is_no_name(echo):
    request = json.dumps({"model": "m" * 5000, "messages": []}).encode()
    reply = exchange(echo, "POST", CHAT, request)
    assert reply.status == 404 and check_receipt(echo, request, reply)["model"] is None


def abandon(node, request, count):
    """Reads `count` events of a stream and resets the connection. Returns (head fields, bytes of the complete events)."""
    with Connection(node) as connection:
        connection.send(head(node, "POST", CHAT, request) + request)
        top = connection._until(b"\r\n\r\n").decode().lower()
        fields = dict(line.split(": ", 1) for line in top.split("\r\n")[1:])
        body = b""
        while len(sse_events(body)) < count:
            size = int(connection._until(b"\r\n"), 16)
            body += connection._exactly(size)
            connection._exactly(2)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return fields, b"".join(sse_events(body)[:count])


def wait_for_receipt(node, receipt_id):
    return wait_until(lambda: (r := exchange(node, "GET", f"/v1/aci/receipts/{receipt_id}")).status == 200 and r.json(), 5, "receipt")


@pytest.mark.fast
def test_an_aborted_stream_and_its_beginning(slow_echo, tmp_path):
    request = chat(stream=True)
    fields, held = abandon(slow_echo, request, 5)
    receipt = wait_for_receipt(slow_echo, fields["x-receipt-id"])
    check_signature(receipt, keyset_of(slow_echo))
    log = events(receipt)
    total = log["response.events"]["count"]
    assert 5 <= total < 200 and log["response.aborted"]["events"] == total
    assert log["response.aborted"]["reason"] == "connection_ended" and log["response.aborted"]["bytes"] >= len(held)
    assert exchange(slow_echo, "GET", f"/v1/signature/{receipt['receipt_id']}").status == 404

    secret = [("X-Receipt-Secret", fields["x-receipt-secret"])]
    for k in (1, 3, 5):
        proof = exchange(slow_echo, "GET", f"/v1/cloister/prefix/{receipt['receipt_id']}?events={k}", None, secret).json()
        assert (proof["events"], proof["total"], proof["receipt_id"]) == (k, total, receipt["receipt_id"])
        beginning = b"".join(sse_events(held)[:k])
        arguments = ("--prefix-proof", save(tmp_path, "proof.json", proof))
        status, verdict = verify(tmp_path, slow_echo, receipt, request, beginning, *arguments)
        assert status == 0 and verdict["facts"]["prefix_events"] == k, verdict
        # The test adds one event of its own, leaves one out, and changes one. It uses the proofs of k and of k + 1.
        more = exchange(slow_echo, "GET", f"/v1/cloister/prefix/{receipt['receipt_id']}?events={min(k + 1, total)}", None, secret).json()
        lies = [beginning + b'data: {"choices":[{"delta":{"content":"lie"}}]}\n\n', beginning.replace(b"echo", b"evil"),
                b"".join(sse_events(beginning)[1:])]
        for lie in lies:
            for each in (proof, more):
                arguments = ("--prefix-proof", save(tmp_path, "proof.json", each))
                status, verdict = verify(tmp_path, slow_echo, receipt, request, lie, *arguments)
                assert status == 1 and failed(verdict) == {"receipt.prefix"}, verdict


@pytest.mark.fast
def test_what_cannot_be_proven(echo):
    request = chat(stream=True)
    reply = exchange(echo, "POST", CHAT, request)
    count = len(sse_events(reply.body))
    path = f"/v1/cloister/prefix/{reply.header('x-receipt-id')}"
    for wrong in ("", "?events=", "?events=0", "?events=-1", "?events=x", f"?events={count + 1}", "?events=99999999999999999999"):
        assert exchange(echo, "GET", path + wrong, None, client(reply)).status == 400, wrong
    whole = exchange(echo, "GET", f"{path}?events={count}", None, client(reply)).json()
    assert whole["consistency"] == [] and whole["total"] == count
    buffered = exchange(echo, "POST", CHAT, chat())
    assert buffered.header("x-receipt-secret") is None, "there are no events to salt"
    assert exchange(echo, "GET", f"/v1/cloister/prefix/{buffered.header('x-receipt-id')}?events=1").status == 403


# --- no part of it may change


def test_every_changed_byte_is_found(echo, tmp_path):
    request = (ODD % "true").encode()
    reply = exchange(echo, "POST", CHAT, request)
    keyset = keyset_of(echo)
    receipt = check_receipt(echo, request, reply, keyset=keyset)
    text = json.dumps(receipt).encode()
    for at in range(len(text)):
        changed = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        try:
            other = json.loads(changed)
        except ValueError:
            continue
        with pytest.raises((AssertionError, StopIteration, KeyError, ValueError, TypeError)):
            check_signature(other, keyset)
    for at in range(0, len(request), 9):
        changed = request[:at] + bytes([request[at] ^ 1]) + request[at + 1 :]
        status, verdict = verify(tmp_path, echo, receipt, changed, reply.body)
        assert status == 1 and failed(verdict) == {"receipt.request_hash"}, (at, verdict)
    for at in range(0, len(reply.body), 97):
        changed = reply.body[:at] + bytes([reply.body[at] ^ 1]) + reply.body[at + 1 :]
        status, verdict = verify(tmp_path, echo, receipt, request, changed)
        assert status == 1 and failed(verdict) == {"receipt.response_hash"}, (at, verdict)


@pytest.mark.fast
def test_swapped_and_cut_receipts_are_rejected(echo, tmp_path):
    requests = [chat(seed=1), chat(seed=2)]
    replies = [exchange(echo, "POST", CHAT, request) for request in requests]
    first, second = (receipt_of(echo, reply.header("x-receipt-id")) for reply in replies)
    status, verdict = verify(tmp_path, echo, second, requests[0], replies[0].body, "--id", replies[0].reply_id())
    assert status == 1 and {"receipt.id", "receipt.request_hash", "receipt.response_hash"} <= failed(verdict)
    reordered = {**first, "event_log": first["event_log"][::-1]}
    status, verdict = verify(tmp_path, echo, reordered, requests[0], replies[0].body)
    assert status == 1 and {"receipt.signature", "receipt.events"} <= failed(verdict)
    shortened = {**first, "event_log": first["event_log"][:-1]}
    status, verdict = verify(tmp_path, echo, shortened, requests[0], replies[0].body)
    assert status == 1 and "receipt.signature" in failed(verdict)
    status, verdict = verify(tmp_path, echo, first, requests[0], replies[0].body, "--model", "other")
    assert status == 1 and failed(verdict) == {"receipt.model", "receipt.served_model"}


@own_seed
@pytest.mark.fast
def test_a_receipt_of_another_node_is_rejected(echo, start, tmp_path):
    other = start("--engine", "echo")
    request = chat()
    reply = exchange(other, "POST", CHAT, request)
    receipt = receipt_of(other, reply.header("x-receipt-id"))
    status, verdict = verify(tmp_path, echo, receipt, request, reply.body)
    assert status == 1 and "receipt.keyset" in failed(verdict), verdict


# --- where it is found


@pytest.mark.fast
def test_it_is_found_by_each_of_its_names(echo):
    reply = exchange(echo, "POST", CHAT, chat())
    names = [reply.header("x-receipt-id"), reply.reply_id(), reply.header("x-request-id")]
    assert len({json.dumps(receipt_of(echo, name)) for name in names}) == 1
    for unknown in ("rcpt-" + "0" * 32, "x", "a" * 300, "%2e%2e"):
        assert exchange(echo, "GET", f"/v1/aci/receipts/{unknown}").status == 404, unknown


@pytest.mark.fast
def test_it_belongs_to_its_owner(locked):
    mine, other, unknown = ([("Authorization", f"Bearer {token}")] for token in (TOKEN, TOKEN + "-of-another", "x" * 20))
    request = chat()
    reply = exchange(locked, "POST", CHAT, request, mine)
    path = f"/v1/aci/receipts/{reply.header('x-receipt-id')}"
    assert exchange(locked, "GET", path, None, mine).status == 200
    assert exchange(locked, "GET", path).status == 401
    assert exchange(locked, "GET", path, None, other).status == 404
    assert exchange(locked, "GET", path, None, unknown).status == 401
    assert exchange(locked, "GET", path.replace("aci/receipts", "cloister/prefix") + "?events=1", None, other).status == 404
    absent = exchange(locked, "GET", "/v1/aci/receipts/rcpt-" + "0" * 32, None, other)
    assert absent.body == exchange(locked, "GET", path, None, other).body, "as if it did not exist"
    check_receipt(locked, request, reply, mine)


@pytest.mark.fast
def test_there_is_none_before_the_body_is_read(locked):
    refused = exchange(locked, "POST", CHAT, chat())
    assert refused.status == 401 and refused.header("x-receipt-id") is None
    assert refused.header("x-aci-keyset-digest")


@pytest.mark.fast
@pytest.mark.parametrize("stream", [False, True])
def test_in_band(echo, stream):
    request = chat(stream=stream)
    reply = exchange(echo, "POST", CHAT, request, [("X-Receipt", "inline")])
    fields = dict(reply.trailers if stream else reply.headers)
    receipt = json.loads(base64.b64decode(fields["x-receipt"]))
    assert receipt == check_receipt(echo, request, reply)
    assert not stream or reply.header("trailer") == "x-receipt"
    assert exchange(echo, "POST", CHAT, request).header("x-receipt") is None, "only when it is asked for"


@pytest.mark.fast
def test_it_is_there_when_the_reply_ends(echo):
    """The look-up follows the last event without a wait and uses another connection."""
    for stream in (False, True):
        request = chat(stream=stream)
        for _ in range(20):
            with Connection(echo) as connection, Connection(echo) as asking:
                connection.send(head(echo, "POST", CHAT, request) + request)
                mark = b"[DONE]" if stream else b'"usage"'
                while mark not in connection.pending:
                    assert connection._more()
                fields = connection.pending.split(b"\r\n\r\n")[0].lower().decode().split("\r\n")
                name = next(line.split(": ")[1] for line in fields if line.startswith("x-receipt-id"))
                assert asking.request("GET", f"/v1/aci/receipts/{name}").status == 200


# --- they last


@own_seed
@pytest.mark.fast
def test_they_outlive_the_process(start, tmp_path):
    state = tmp_path / "state"
    node = start("--engine", "echo", state=state)
    keyset = keyset_of(node)
    request = chat(stream=True)
    replies = [exchange(node, "POST", CHAT, request) for _ in range(5)]
    node.process.kill()
    node.process.wait()
    again = start("--engine", "echo", state=state)
    for reply in replies:
        check_receipt(again, request, reply, keyset=keyset)
        assert exchange(again, "GET", f"/v1/signature/{reply.reply_id()}").status == 200
    proof = exchange(again, "GET", f"/v1/cloister/prefix/{replies[0].reply_id()}?events=2", None, client(replies[0])).json()
    assert proof["total"] == len(sse_events(replies[0].body))


@pytest.mark.fast
def test_memory_forgets(start):
    node = start("--engine", "echo", "--receipts", "memory")
    reply = exchange(node, "POST", CHAT, chat())
    assert receipt_of(node, reply.header("x-receipt-id"))
    assert node.get_json("/health")["receipts"]["store"] == "memory"
    assert not (node.state / "receipts.db").exists()


class Lock:
    """Another process writes to the node's file and does not finish."""

    def __init__(self, node):
        self.connection = sqlite3.connect(node.state / "receipts.db", isolation_level=None)
        self.connection.execute("BEGIN IMMEDIATE")

    def release(self):
        self.connection.execute("ROLLBACK")
        self.connection.close()


def test_a_store_that_fails_stops_the_node(start):
    node = start("--engine", "echo")
    before = exchange(node, "POST", CHAT, chat())
    lock = Lock(node)
    held = exchange(node, "POST", CHAT, chat())
    assert held.status == 503 and held.json()["error"]["code"] == "receipts.unavailable", held.body
    assert held.header("retry-after") and str(node.state) not in held.body.decode()
    refused = exchange(node, "POST", CHAT, chat())
    assert refused.status == 503 and refused.header("x-receipt-id") is None, "before its body is read"
    status, _, body = node.get("/health")
    assert status == 503 and json.loads(body)["status"] == "receipts_unavailable"
    assert json.loads(body)["receipts"]["failing"] is True
    assert receipt_of(node, before.header("x-receipt-id")), "what is stored is found meanwhile"
    lock.release()
    node.wait_healthy(20)
    after = exchange(node, "POST", CHAT, chat())
    check_receipt(node, chat(), after)
    assert "receipts cannot be stored" in node.log and "receipts can be stored again" in node.log
    assert node.metric("cloister_receipt_store_failures_total") >= 1


def test_a_stream_without_a_receipt_does_not_look_whole(start):
    node = start("--engine", "echo", "--echo-token-gap-ms", 5)
    lock = Lock(node)
    reply = exchange(node, "POST", CHAT, chat(stream=True))
    assert not reply.complete and b"[DONE]" not in reply.body and reply.body.startswith(b"data: ")
    lock.release()
    node.wait_healthy(20)


def test_a_node_that_serves_on_says_so(start):
    node = start("--engine", "echo", "--on-store-failure", "serve")
    lock = Lock(node)
    request = chat()
    replies = [exchange(node, "POST", CHAT, request) for _ in range(3)]
    for reply in replies:
        assert reply.status == 200 and reply.header("x-receipt-stored") == "false"
        check_receipt(node, request, reply)
    health = node.get_json("/health")["receipts"]
    assert health["failing"] is True and health["in_memory"] == 3
    lock.release()
    wait_until(lambda: node.get_json("/health")["receipts"]["in_memory"] == 0, 20, "memory is written")
    for reply in replies:
        check_receipt(node, request, reply)
    assert exchange(node, "POST", CHAT, request).header("x-receipt-stored") is None


def test_a_damaged_file_is_not_served_from(start, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "receipts.db").write_bytes(b"SQLite format 3\0" + secrets.token_bytes(8192))
    with pytest.raises(AssertionError) as raised:
        start("--engine", "echo", state=state)
    assert "receipts.db" in str(raised.value)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("options", [{}, {"logprobs": True, "top_logprobs": 2}, {"n": 2}, {"seed": 7, "temperature": 0.5}, {"seed": 2**63}])
def test_real_model(llama, tmp_path, stream, options):
    messages = [{"role": "user", "content": "Antworte auf Deutsch: Grüße, 世界 🌍!"}]
    request = json.dumps({"model": llama.model(), "messages": messages, "max_tokens": 16, "stream": stream, **options}).encode()
    reply = exchange(llama, "POST", CHAT, request)
    assert reply.status == 200 and reply.complete
    receipt = check_receipt(llama, request, reply)
    served = events(receipt)["model.served"]
    assert served["engine"] == "llama.cpp" and served["model_id"] == llama.model()
    # The engine's seeds have 32 bits. A receipt that named another number than the requested one would be wrong.
    asked = options.get("seed")
    assert asked is None or (served["seed"] == asked and "seed_asked" not in served) or served["seed_asked"] == str(asked)
    status, verdict = verify(tmp_path, llama, receipt, request, reply.body)
    assert status == 0, verdict


def test_tool_call_of_a_real_model(llama):
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
    request = json.dumps({"model": llama.model(), "messages": [{"role": "user", "content": "Weather in Paris?"}], "tools": tools,
                          "tool_choice": "required", "max_tokens": 64}).encode()
    reply = exchange(llama, "POST", CHAT, request)
    assert reply.status == 200
    receipt = check_receipt(llama, request, reply)
    assert events(receipt)["usage.metered"]["finish_reason"] in ("tool_calls", "length")
