"""A reply that two readers understand differently. The node signs its bytes and records neither reading as the server's statement."""

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
    """Yields (node, now). The server answers `now["answer"]` and lists the model "m"."""
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
    "a number that is none": b'{"model":"m","x":0x10,"usage":%s}' % COUNTS,
    "a word that is none": b'{"model":"m","x":[1,NaN],"usage":%s}' % COUNTS,
    "an escape that is none": b'{"model":"m","x":"\\x41","usage":%s}' % COUNTS,
    "a control character": b'{"model":"m","x":"a\tb","usage":%s}' % COUNTS,
    "no UTF-8": b'{"model":"m","mo\xc1\xa4el":"x","usage":%s}' % COUNTS,
}


def ask(relayed, data, stream, unframed=False):
    """Returns (node, request, reply, receipt). The events of a stream are `data` and a chunk without text, with two more around them."""
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


@pytest.mark.parametrize("done", [b"[DONE]", b" [DONE] ", b"[DONE]x", b"x\ndata:[DONE]"])
def test_nothing_behind_the_end_of_a_stream_counts(relayed, done):
    """Clients stop reading at this event."""
    assert says_nothing(ask(relayed, [done, SANE], True)[3])
    assert says_nothing(ask(relayed, [SANE, done, b'{"choices":[],"usage":%s}' % MORE], True)[3])


@pytest.mark.parametrize("other", [b"5", b'["x"]', b'{"id":"x"}', b"null", b'""', b'"M"'])
def test_a_later_model_of_another_kind_disagrees(relayed, other):
    assert says_nothing(ask(relayed, [SANE, b'{"choices":[],"model":%s}' % other], True)[3])


@pytest.mark.parametrize("data", [b'[{"model":"x"}]', b'\x0b{"model":"x"}', b'\xc2\xa0{"model":"x"}'])
def test_an_object_behind_something_else_is_no_second_word(relayed, data):
    assert says_nothing(ask(relayed, [SANE, data], True)[3])


NO_COUNTS = [b'{"prompt_tokens":%s,"completion_tokens":2}' % count
             for count in (b"18446744073709551617", b"9007199254740992", b"-1", b'"1"', b"true", b"[1]", b"null", b"1.5")]
NO_COUNTS += [b'{"completion_tokens":2}', b'{"prompt_tokens":2}', b'{"prompt_tokens":1,"completion_tokens":null}',
              b'{"prompt_tokens":1,"completion_tokens":2,"input_tokens":500,"output_tokens":600}',
              b'{"prompt_tokens":1,"completion_tokens":2,"output_tokens":600}',
              b'{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":"1"}}']


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("usage", NO_COUNTS)
def test_counts_that_nobody_said_are_not_signed(relayed, usage, stream):
    log = events(ask(relayed, [b'{"model":"m","choices":[],"usage":%s}' % usage], stream)[3])
    assert log["model.served"]["model_id"] == "m" and "usage.metered" not in log


def test_the_prompt_of_a_stream_may_stand_in_its_first_event(relayed):
    start = b'{"type":"message_start","message":{"model":"m","usage":{"input_tokens":25,"output_tokens":1}}}'
    end = b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}'
    metered = events(ask(relayed, [start, end], True)[3])["usage.metered"]
    assert (metered["prompt_tokens"], metered["completion_tokens"]) == (25, 15)


def test_counts_inside_of_the_reply_are_no_counts(relayed):
    log = events(ask(relayed, [b'{"model":"m","results":[{"document":{"usage":%s}}]}' % MORE], False)[3])
    assert log["model.served"]["model_id"] == "m" and "usage.metered" not in log
    log = events(ask(relayed, [b'{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"completion_tokens":900}}'], False)[3])
    assert "usage.metered" not in log


@pytest.mark.parametrize("stream", [False, True])
def test_one_reading_is_told(relayed, stream):
    """Each event of a stream may carry counts. The last counts are those of the reply."""
    data = [b'{"id":"r-sane","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}', SANE] if stream else [SANE]
    log = events(ask(relayed, data, stream)[3])
    assert log["model.served"]["model_id"] == "m" and log["model.served"]["model_digest"]
    metered = log["usage.metered"]
    assert (metered["prompt_tokens"], metered["completion_tokens"], metered["finish_reason"]) == (3, 4, "stop")
