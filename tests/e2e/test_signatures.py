"""The signature of a reply is verified with an Ethereum library from bytes captured off a raw socket."""

import hashlib
import json
import urllib.parse

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys import keys

from support.fixtures import TOKEN
from support.rawhttp import Connection, exchange, head

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
# No serialiser would write this key order, spacing and escapes. The node must hash exactly the bytes that were sent.
ODD_BODY = '{ "stream":%s,\n\t"messages" : [{"content":"Gr\\u00fc\\u00dfe, 世界 🌍", "role":"user"}] ,"n":1, "model":"%s" }  \n'


def signature_of(node, reply_id, algo, model=None, headers=()):
    path = f"/v1/signature/{reply_id}?model={urllib.parse.quote(model or node.model())}&signing_algo={algo}"
    reply = exchange(node, "GET", path, None, headers)
    assert reply.status == 200, reply.body
    return reply.json()


def check_ecdsa(signature, address):
    raw = bytes.fromhex(signature["signature"].removeprefix("0x"))
    assert len(raw) == 65 and signature["signature"].startswith("0x")
    assert raw[64] in (27, 28), "v"
    assert int.from_bytes(raw[32:64], "big") <= HALF_ORDER, "s is low"
    recovered = Account.recover_message(encode_defunct(text=signature["text"]), signature=signature["signature"])
    assert recovered == signature["signing_address"] == address, "exactly, checksummed case included"


def check_ed25519(signature, address):
    assert len(signature["signature"]) == 128 and len(address) == 64
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(address))
    key.verify(bytes.fromhex(signature["signature"]), signature["text"].encode())
    assert signature["signing_address"] == address


CHECKS = {"ecdsa": check_ecdsa, "ed25519": check_ed25519}


def check_exchange(node, request, path="/v1/chat/completions"):
    """Sends these bytes. Checks the hashes and both signatures over the sent bytes and the received ones. Returns the reply."""
    reply = exchange(node, "POST", path, request)
    assert reply.status == 200 and reply.complete, reply.body
    for algo, check in CHECKS.items():
        report = node.get_json(f"/v1/attestation/report?signing_algo={algo}")
        signature = signature_of(node, reply.reply_id(), algo)
        halves = [hashlib.sha256(part).hexdigest() for part in (request, reply.body)]
        assert signature["text"] == ":".join(halves)
        assert signature["signing_algo"] == algo
        check(signature, report["signing_address"])
    return reply


def chat(node, **options):
    return json.dumps({"model": node.model(), **options}, ensure_ascii=False).encode()


@pytest.mark.fast
@pytest.mark.parametrize("stream", ["false", "true"])
def test_odd_bytes_on_echo(echo, stream):
    reply = check_exchange(echo, (ODD_BODY % (stream, echo.model())).encode())
    assert "世界".encode() in reply.body or b"\\u4e16" in reply.body


@pytest.mark.fast
def test_echo_completions(echo):
    check_exchange(echo, chat(echo, prompt="one two three"), "/v1/completions")


@pytest.mark.fast
def test_request_sent_in_chunks(echo):
    """The hash covers the body. The framing of the transfer does not matter."""
    request = chat(echo, messages=[{"role": "user", "content": "sliced"}])
    with Connection(echo) as connection:
        connection.send(head(echo, "POST", "/v1/chat/completions", None, [("Transfer-Encoding", "chunked")]))
        for i in range(0, len(request), 7):
            part = request[i : i + 7]
            connection.send(b"%x\r\n" % len(part) + part + b"\r\n")
        connection.send(b"0\r\n\r\n")
        reply = connection.reply()
    signature = signature_of(echo, reply.reply_id(), "ecdsa")
    assert signature["text"] == f"{hashlib.sha256(request).hexdigest()}:{hashlib.sha256(reply.body).hexdigest()}"


@pytest.mark.fast
def test_a_hash_header_of_the_caller_changes_nothing(echo):
    request = chat(echo, messages=[{"role": "user", "content": "x"}])
    reply = exchange(echo, "POST", "/v1/chat/completions", request, [("X-Request-Hash", "00" * 32)])
    assert signature_of(echo, reply.reply_id(), "ecdsa")["text"].startswith(hashlib.sha256(request).hexdigest())


@pytest.mark.fast
def test_signature_is_there_when_the_reply_ends(echo):
    """The look-up follows the last byte without a wait and uses the same connection."""
    for stream in (False, True):
        request = chat(echo, messages=[{"role": "user", "content": "x"}], stream=stream)
        with Connection(echo) as connection:
            for _ in range(20):
                reply = connection.request("POST", "/v1/chat/completions", request)
                found = connection.request("GET", f"/v1/signature/{reply.reply_id()}?model={echo.model()}")
                assert found.status == 200, found.body


@pytest.mark.fast
def test_public_key_belongs_to_the_address(echo):
    report = echo.get_json("/v1/attestation/report")
    key = keys.PublicKey(bytes.fromhex(report["signing_public_key"]))
    assert key.to_checksum_address() == report["signing_address"]


@pytest.mark.fast
def test_model_in_the_query_must_be_served(echo):
    reply = exchange(echo, "POST", "/v1/chat/completions", chat(echo, messages=[{"role": "user", "content": "x"}]))
    assert exchange(echo, "GET", f"/v1/signature/{reply.reply_id()}?model=other").status == 404
    assert exchange(echo, "GET", f"/v1/signature/{reply.reply_id()}").status == 200, "the model is optional"


@pytest.mark.fast
def test_signatures_belong_to_their_owner(locked):
    mine, other = ([("Authorization", f"Bearer {token}")] for token in (TOKEN, TOKEN + "-of-another"))
    request = chat(locked, messages=[{"role": "user", "content": "x"}])
    reply = exchange(locked, "POST", "/v1/chat/completions", request, mine)
    path = f"/v1/signature/{reply.reply_id()}?model={locked.model()}"
    assert exchange(locked, "GET", path, None, mine).status == 200
    assert exchange(locked, "GET", path, None, other).status == 404
    assert exchange(locked, "GET", path).status == 401


def test_aborted_stream_has_no_signature(slow_echo):
    request = chat(slow_echo, messages=[{"role": "user", "content": "x"}], stream=True)
    with Connection(slow_echo) as connection:
        connection.send(head(slow_echo, "POST", "/v1/chat/completions", request) + request)
        while b'"id":"' not in connection.pending.replace(b'"id": "', b'"id":"'):
            assert connection._more()
        text = connection.pending.replace(b'"id": "', b'"id":"')
        reply_id = text.split(b'"id":"')[1].split(b'"')[0].decode()
    assert exchange(slow_echo, "GET", f"/v1/signature/{reply_id}?model={slow_echo.model()}").status == 404


@pytest.mark.parametrize("stream", [False, True])
def test_real_model(llama, stream):
    messages = [{"role": "user", "content": "Antworte auf Deutsch: Grüße, 世界 🌍!"}]
    check_exchange(llama, chat(llama, messages=messages, max_tokens=32, stream=stream))


@pytest.mark.parametrize("stream", [False, True])
def test_real_model_two_choices(llama, stream):
    messages = [{"role": "user", "content": "Say something nice."}]
    reply = check_exchange(llama, chat(llama, messages=messages, max_tokens=16, n=2, temperature=1, stream=stream))
    choices = [choice for event in reply.events() for choice in event["choices"]] if stream else reply.json()["choices"]
    assert {choice["index"] for choice in choices} == {0, 1}


@pytest.mark.parametrize("stream", [False, True])
def test_real_model_tool_call(llama, stream):
    function = {"name": "wetter", "parameters": {"type": "object", "properties": {"stadt": {"enum": ["Köln", "東京"]}}, "required": ["stadt"]}}
    request = chat(
        llama,
        messages=[{"role": "user", "content": "Wetter in Köln?"}],
        tools=[{"type": "function", "function": function}],
        tool_choice="required",
        max_tokens=100,
        stream=stream,
        temperature=0,
    )
    reply = check_exchange(llama, request)
    if stream:
        assert any(choice["delta"].get("tool_calls") for event in reply.events() for choice in event["choices"])
    else:
        assert reply.json()["choices"][0]["message"]["tool_calls"]


def test_real_model_other_routes(llama):
    check_exchange(llama, chat(llama, prompt="Once upon a time", max_tokens=8), "/v1/completions")
    check_exchange(llama, chat(llama, prompt="Once upon a time", max_tokens=8, stream=True), "/v1/completions")
