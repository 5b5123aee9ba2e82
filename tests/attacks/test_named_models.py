"""A signed receipt must never take the name of the model that answered from the request."""

import hashlib
import json
import socket

import pytest

from support.fixtures import session_node
from support.node import run
from support.rawhttp import exchange
from support.receipts import check_receipt, events
from support.upstream import STREAM_HEAD, ScriptedServer, chunk, whole

pytestmark = pytest.mark.fast

CHAT = "/v1/chat/completions"
GRAND = "DeepSeek-R1-671B"


@pytest.fixture(scope="module")
def relayed(folder):
    """Yields (node, server, now). The server answers `now["answer"]` and lists the model "m"."""
    now = {}

    def answer(connection, _):
        connection.sendall(now["answer"])
        if now.get("close"):
            connection.shutdown(socket.SHUT_RDWR)

    with ScriptedServer(answer) as server:
        for node in session_node(folder, "named", "--upstream", server.url):
            yield node, server, now


def body(model="m", **more):
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "x"}], **more}).encode()


def reply_of(model, **more):
    return json.dumps({"id": "r-1", "object": "chat.completion", **({"model": model} if model is not None else {}), "choices": [], **more}).encode()


def verify(tmp_path, node, receipt, request, response, *more):
    files = {"receipt": json.dumps(receipt).encode(), "request": request, "response": response,
             "report": node.get("/v1/cloister/attestation")[2]}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    policy = tmp_path / "policy.toml"
    policy.write_text("require_nonce = false\n" + "".join(more[1:]))
    result = run("verify", "receipt", tmp_path / "receipt", "--report", tmp_path / "report", "--request", tmp_path / "request",
                 "--response", tmp_path / "response", "--policy", policy, "--accept-simulator", "--json", "--model", more[0])
    verdict = json.loads(result.stdout)
    return result.returncode, {one["id"]: one for one in verdict["checks"]}


@pytest.mark.parametrize("route", [CHAT, "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/rerank", "/tokenize",
                                   "/v1/audio/speech", "/v1/audio/transcriptions"])
def test_a_name_that_the_engine_does_not_list_is_refused(relayed, route):
    node, server, now = relayed
    now["answer"], before = whole(reply_of("m")), len(server.requests)
    reply = exchange(node, "POST", route, body(GRAND))
    assert reply.status == 404 and len(server.requests) == before
    error = reply.json()["error"]
    assert error["type"] == ("not_found_error" if "messages" in route else "invalid_request_error")
    if "messages" not in route:
        assert (error["code"], error["param"]) == ("model_not_found", "model")
    receipt = check_receipt(node, body(GRAND), reply)
    assert receipt["model"] == GRAND and not {"request.forwarded", "model.served"} & set(events(receipt))


DOUBLE = {
    "twice": b'{"model":"m","messages":[],"model":"%s"}' % GRAND.encode(),
    "twice, the other way": b'{"model":"%s","messages":[],"model":"m"}' % GRAND.encode(),
    "escaped": b'{"model":"m","messages":[],"mod\\u0065l":"x"}',
    "in other letters": b'{"model":"m","messages":[],"Model":"x"}',
    "in other letters alone": b'{"messages":[],"MODEL":"x"}',
    "another member twice": b'{"model":"m","messages":[],"messages":[{"role":"user","content":"y"}]}',
    "no text": b'{"model":["m"],"messages":[]}',
    "no valid text": b'{"model":"\xff\xfe","messages":[]}',
    "no object": b'[{"model":"m"}]',
    "something behind": b'{"model":"m","messages":[]}{"model":"x"}',
    "not closed": b'{"model":"m","messages":[',
    "empty": b"",
}


@pytest.mark.parametrize("name", DOUBLE)
def test_a_body_that_two_servers_read_differently_is_refused(relayed, name):
    node, server, now = relayed
    now["answer"], before = whole(reply_of("m")), len(server.requests)
    reply = exchange(node, "POST", CHAT, DOUBLE[name])
    assert reply.status == 400 and reply.json()["error"]["message"] and len(server.requests) == before, reply.body


def test_the_query_names_no_model(relayed):
    node, server, now = relayed
    before = len(server.requests)
    assert exchange(node, "POST", CHAT + "?model=" + GRAND, body()).status == 400 and len(server.requests) == before


@pytest.mark.parametrize("told,status", [("m", 3), ("small", 1), (None, 3)])
@pytest.mark.parametrize("stream", [False, True])
def test_the_served_name_is_the_replys_word(relayed, tmp_path, told, status, stream):
    """The request names "m", and the reply names the model that answered. `verify receipt --model m` does not accept a name as proof."""
    node, _, now = relayed
    if stream:
        data = b"data: " + reply_of(told) + b"\n\ndata: [DONE]\n\n"
        now["answer"] = STREAM_HEAD + chunk(data) + b"0\r\n\r\n"
    else:
        now["answer"] = whole(reply_of(told))
    request = body(stream=stream)
    reply = exchange(node, "POST", CHAT, request)
    receipt = check_receipt(node, request, reply)
    served = events(receipt)["model.served"]
    assert receipt["model"] == "m" and served["model_id"] == told and served["model_id_source"] == "upstream_reply"
    identity = node.get_json("/v1/models/m")["model_digest"]
    assert served["model_digest"] == (identity if told == "m" else None), "the digest belongs to the name"
    code, checks = verify(tmp_path, node, receipt, request, reply.body, "m")
    assert code == status, checks
    assert checks["receipt.served_model"]["state"] == ("fail" if status == 1 else "skipped") and checks["receipt.served_model"]["required"]


def test_who_accepts_the_word_or_names_the_digest_says_so(relayed, tmp_path):
    node, _, now = relayed
    now["answer"] = whole(reply_of("m"))
    reply = exchange(node, "POST", CHAT, body())
    receipt = check_receipt(node, body(), reply)
    code, checks = verify(tmp_path, node, receipt, body(), reply.body, "m", "[service]\naccept_upstream_claims = true\n")
    assert code == 0 and checks["receipt.served_model"]["state"] == "skipped", checks
    digest = node.get_json("/v1/models/m")["model_digest"].removeprefix("sha256:")
    code, checks = verify(tmp_path, node, receipt, body(), reply.body, "m", f'[service]\nmodel_digests = ["{digest}"]\n')
    assert code == 0 and checks["receipt.served_model"]["state"] == "pass", checks


def test_a_model_of_the_node_itself_is_no_word(echo, tmp_path):
    request = body("echo")
    reply = exchange(echo, "POST", CHAT, request)
    receipt = check_receipt(echo, request, reply)
    code, checks = verify(tmp_path, echo, receipt, request, reply.body, "echo")
    assert code == 0 and checks["receipt.served_model"]["state"] == "pass", checks


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_reply_without_a_length_is_whole_or_an_error(relayed, cut):
    """RFC 9112, section 6.3, item 8: the end of the connection ends such a reply, so only its own text shows whether it is whole."""
    node, _, now = relayed
    text = reply_of("m")
    now["answer"] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n" + text[: len(text) - cut]
    now["close"] = True
    reply = exchange(node, "POST", CHAT, body())
    now["close"] = False
    if cut == 0:
        assert reply.status == 200 and reply.complete and reply.body == text
        signature = node.get_json("/v1/signature/r-1?model=m&signing_algo=ecdsa")
        assert signature["text"].endswith(hashlib.sha256(text).hexdigest())
    else:
        assert reply.status == 502 and reply.complete and reply.json()["error"]["code"] == "upstream.broken_reply"


def test_a_reply_without_a_length_that_is_no_json_is_an_error(relayed):
    node, _, now = relayed
    now["answer"], now["close"] = b"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\nconnection: close\r\n\r\nRIFF", True
    reply = exchange(node, "POST", "/v1/audio/speech", body())
    now["close"] = False
    assert reply.status == 502 and reply.complete
