"""A reply that two readers understand differently: the node signs its bytes, and takes neither reading for what the server said."""

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
COUNTS = b'{"prompt_tokens":3,"completion_tokens":4}'
MORE = b'{"prompt_tokens":3,"completion_tokens":400000}'


@pytest.fixture(scope="module")
def relayed(folder):
    """(node, now): the server answers `now["answer"]` and lists the model "m"."""
    now = {}

    def answer(connection, _):
        connection.sendall(now["answer"])
        if now.get("close"):
            connection.shutdown(socket.SHUT_RDWR)

    with ScriptedServer(answer) as server:
        for node in session_node(folder, "readings", "--upstream", server.url):
            yield node, now


def body(**more):
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], **more}).encode()


SANE = b'{"id":"r-sane","model":"m","choices":[{"finish_reason":"stop"}],"usage":%s}' % COUNTS
TWICE = {
    "model": b'{"id":"r-1","model":"m","choices":[],"usage":%s,"model":"x"}' % COUNTS,
    "model, the other way": b'{"id":"r-1","model":"x","choices":[],"usage":%s,"model":"m"}' % COUNTS,
    "model in escapes": b'{"id":"r-1","model":"m","choices":[],"usage":%s,"mod\\u0065l":"x"}' % COUNTS,
    "model in other escapes": b'{"id":"r-1","\\u006dodel":"x","choices":[],"usage":%s,"mod\\u0065l":"m"}' % COUNTS,
    "model in other letters": b'{"id":"r-1","model":"m","choices":[],"usage":%s,"Model":"x"}' % COUNTS,
    "model in other letters alone": b'{"id":"r-1","MODEL":"m","choices":[],"usage":%s}' % COUNTS,
    "model far behind": b'{"id":"r-1","model":"m","text":"%s","usage":%s,"model":"x"}' % (b"x" * (1 << 20), COUNTS),
    "model one level down": b'{"model":"m","response":{"model":"x"},"usage":%s}' % COUNTS,
    "usage": b'{"id":"r-1","model":"m","choices":[],"usage":%s,"usage":%s}' % (MORE, COUNTS),
    "usage in escapes": b'{"id":"r-1","model":"m","choices":[],"usage":%s,"us\\u0061ge":%s}' % (COUNTS, MORE),
    "usage and nothing": b'{"id":"r-1","model":"m","choices":[],"usage":%s,"usage":null}' % COUNTS,
    "usage in other letters": b'{"id":"r-1","model":"m","choices":[],"u\xc5\xbfage":%s,"usage":%s}' % (MORE, COUNTS),
    "the object around them": b'{"response":{"model":"m","usage":%s},"response":{"model":"x"}}' % COUNTS,
    "another object behind": b'{"model":"m","choices":[],"usage":%s}{"model":"x"}' % COUNTS,
    "no JSON": b'{"model":"m","choices":[],"usage":%s,}' % COUNTS,
}


def ask(relayed, data, stream, unframed=False):
    """(node, request, reply, receipt). The events of a stream are `data` and a chunk without a word of its own, with two more around them."""
    node, now = relayed
    if stream:
        text = b'data: {"choices":[]}\n\n' + b"".join(b"data: " + one + b"\n\n" for one in data) + b"data: [DONE]\n\n"
        now["answer"] = STREAM_HEAD + chunk(text[:50]) + chunk(text[50:]) + b"0\r\n\r\n"
    elif unframed:
        now["answer"] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n" + data[0]
    else:
        now["answer"] = whole(data[0])
    now["close"] = unframed
    request = body(stream=stream)
    reply = exchange(node, "POST", CHAT, request)
    assert reply.status == 200 and reply.complete
    return node, request, reply, check_receipt(node, request, reply)


def says_nothing(receipt):
    log = events(receipt)
    return log["model.served"]["model_id"] is None and log["model.served"]["model_digest"] is None and "usage.metered" not in log


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", TWICE)
def test_a_reply_with_two_readings_says_nothing(relayed, tmp_path, name, stream):
    node, request, reply, receipt = ask(relayed, [TWICE[name]], stream)
    assert says_nothing(receipt), events(receipt)
    files = {"receipt": json.dumps(receipt).encode(), "request": request, "response": reply.body,
             "report": node.get("/v1/cloister/attestation")[2], "policy": b"require_nonce = false\n[service]\naccept_upstream_claims = true\n"}
    for file, data in files.items():
        (tmp_path / file).write_bytes(data)
    result = run("verify", "receipt", tmp_path / "receipt", "--report", tmp_path / "report", "--request", tmp_path / "request", "--response",
                 tmp_path / "response", "--policy", tmp_path / "policy", "--accept-simulator", "--json", "--model", "m")
    checks = {one["id"]: one for one in json.loads(result.stdout)["checks"]}
    assert checks["receipt.served_model"]["state"] == "skipped" and checks["receipt.served_model"]["required"], checks["receipt.served_model"]
    assert result.returncode == 3


@pytest.mark.parametrize("name", ["model", "usage in escapes"])
def test_nor_does_one_that_ends_with_its_connection(relayed, name):
    assert says_nothing(ask(relayed, [TWICE[name]], False, unframed=True)[3])


def test_events_that_name_different_models_name_none(relayed):
    assert says_nothing(ask(relayed, [SANE, b'{"choices":[],"model":"x"}'], True)[3])
    assert says_nothing(ask(relayed, [b'{"model":"m"\ndata: ,"model":"x","usage":%s}' % COUNTS], True)[3])


def test_counts_inside_of_the_reply_are_no_counts(relayed):
    log = events(ask(relayed, [b'{"model":"m","results":[{"document":{"usage":%s}}]}' % MORE], False)[3])
    assert log["model.served"]["model_id"] == "m" and "usage.metered" not in log
    log = events(ask(relayed, [b'{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"completion_tokens":900}}'], False)[3])
    assert "usage.metered" not in log


@pytest.mark.parametrize("stream", [False, True])
def test_one_reading_is_told(relayed, stream):
    """Each event of a stream may count, and the last one's counts are the reply's."""
    data = [b'{"id":"r-sane","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}', SANE] if stream else [SANE]
    log = events(ask(relayed, data, stream)[3])
    assert log["model.served"]["model_id"] == "m" and log["model.served"]["model_digest"]
    metered = log["usage.metered"]
    assert (metered["prompt_tokens"], metered["completion_tokens"], metered["finish_reason"]) == (3, 4, "stop")
