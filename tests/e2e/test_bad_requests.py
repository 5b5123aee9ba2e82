"""Wrong requests. Each gets a status, the OpenAI error shape, the parameter at fault and a helpful message."""

import json

import pytest

from support.rawhttp import Connection, exchange, head

pytestmark = pytest.mark.fast
USER = [{"role": "user", "content": "hi"}]

# Each entry holds members that are added to a good request, the parameter at fault, and a part of the message.
WRONG = [
    ({"messages": []}, "messages", "empty"),
    ({"messages": None}, "messages", "required"),
    ({"messages": "hi"}, "messages", "array"),
    ({"messages": [1]}, "messages[0]", "object"),
    ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role", "one of"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "one of"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "required"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "string"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages[0].content[0]", "text"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "string"),
    ({"model": 3}, "model", "string"),
    ({"temperature": "hot"}, "temperature", "number"),
    ({"temperature": 3}, "temperature", "from 0 to 2, got 3"),
    ({"temperature": -1}, "temperature", "from 0 to 2"),
    ({"top_p": 1.5}, "top_p", "from 0 to 1"),
    ({"n": 0}, "n", "from 1"),
    ({"n": 100000}, "n", "got 100000"),
    ({"n": 1.5}, "n", "integer"),
    ({"max_tokens": 0}, "max_tokens", "from 1"),
    ({"max_tokens": "many"}, "max_tokens", "integer"),
    ({"stream": "yes"}, "stream", "boolean"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "stream"),
    ({"stop": 5}, "stop", "string"),
    ({"stop": [""]}, "stop", "non-empty"),
    ({"seed": "x"}, "seed", "integer"),
    ({"presence_penalty": 5}, "presence_penalty", "from -2 to 2"),
    ({"logit_bias": {"x": 1}}, "logit_bias", "token"),
    ({"logit_bias": {"1": 1000}}, "logit_bias", "100"),
    ({"top_logprobs": 3}, "top_logprobs", "logprobs"),
    ({"logprobs": "yes"}, "logprobs", "boolean"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "one of"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "schema"),
    ({"tools": [{"type": "function"}]}, "tools[0]", "function"),
    ({"tools": {}}, "tools", "array"),
    ({"tool_choice": "required"}, "tool_choice", "tools"),
    ({"tool_choice": "sometimes"}, "tool_choice", "one of"),
]


def error_of(reply, status):
    """Checks the shape and returns the error."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.header("content-type").startswith("application/json")
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str) and len(error["message"]) > 8 and isinstance(error["type"], str)
    return error


def post(node, body, path="/v1/chat/completions", headers=()):
    return exchange(node, "POST", path, body, headers)


@pytest.mark.parametrize("change, param, words", WRONG, ids=lambda value: json.dumps(value)[:50] if isinstance(value, dict) else None)
def test_wrong_parameter(echo, change, param, words):
    body = json.dumps({"model": echo.model(), "messages": USER, **change}).encode()
    error = error_of(post(echo, body), 400)
    assert error["param"] == param and words in error["message"] and error["type"] == "invalid_request_error"


def test_unknown_model(echo):
    error = error_of(post(echo, json.dumps({"model": "gpt-4o", "messages": USER}).encode()), 404)
    assert error["param"] == "model"


MALFORMED = {
    "empty": b"",
    "no JSON": b"hello",
    "array": b"[]",
    "cut": b'{"model": "echo", "messages": [',
    "trailing": b'{"model":"echo","messages":[]} x',
    "single quotes": b"{'model':'echo'}",
    "duplicate member": b'{"model":"echo","model":"echo","messages":[{"role":"user","content":"x"}]}',
    "NaN": b'{"model":"echo","temperature":NaN}',
    "huge number": b'{"model":"echo","temperature":1e999}',
    "bare control character": b'{"model":"ec\x01ho"}',
    "invalid UTF-8": b'{"model":"echo","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "overlong UTF-8": b'{"model":"echo","messages":[{"role":"user","content":"\xc0\xaf"}]}',
    "lone surrogate": b'{"model":"echo","messages":[{"role":"user","content":"\\ud800"}]}',
    "UTF-16": '{"model":"echo"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"model":"echo"}',
    "deep arrays": b'{"messages":' + b"[" * 100000 + b"]" * 100000 + b"}",
    "deep objects": b'{"a":' * 50000 + b"1" + b"}" * 50000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_body(echo, name):
    error_of(post(echo, MALFORMED[name]), 400)
    assert echo.alive() and echo.get("/health")[0] == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/tokenize"])
def test_wrong_shapes_on_every_route(echo, path):
    for body in (b"[]", b"{}", b'{"model":{}}', b'{"model":"echo","prompt":{"a":1},"input":{"a":1},"messages":{"a":1}}', b"null"):
        reply = post(echo, body, path)
        assert 400 <= reply.status < 500 and "error" in reply.json(), (path, body, reply.status)


def test_error_does_not_repeat_the_prompt(echo):
    secret = "my-very-secret-words"
    body = json.dumps({"model": echo.model(), "messages": [{"role": secret, "content": secret}]}).encode()
    assert secret.encode() not in post(echo, body).body
    body = b'{"model":"echo","messages":[{"role":"user","content":"' + secret.encode() + b'"}'
    assert secret.encode() not in post(echo, body).body
    assert secret not in echo.log


def test_too_large_by_its_length(start):
    node = start("--engine", "echo", "--max-body", 4096)
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x" * 5000}]}).encode()
    error = error_of(post(node, body), 413)
    assert "4096" in error["message"]
    assert post(node, body[:20]).status == 400


def test_too_large_is_told_before_the_body_is_sent(echo):
    with Connection(echo, timeout=10) as connection:
        connection.send(head(echo, "POST", "/v1/chat/completions", None, [("Content-Length", "99999999999")]))
        assert connection.reply().status == 413


def test_too_large_by_chunks_without_a_length(start):
    node = start("--engine", "echo", "--max-body", 4096)
    with Connection(node, timeout=10) as connection:
        connection.send(head(node, "POST", "/v1/chat/completions", None, [("Transfer-Encoding", "chunked")]))
        try:
            for _ in range(8):
                connection.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.reply().status == 413


def test_expect_continue(echo):
    body = json.dumps({"model": echo.model(), "messages": USER}).encode()
    with Connection(echo, timeout=10) as connection:
        connection.send(head(echo, "POST", "/v1/chat/completions", body, [("Expect", "100-continue"), ("Connection", "close")]))
        first = connection.reply()
        if first.status == 100:
            connection.send(body)
            first = connection.reply()
        assert first.status == 200


@pytest.mark.parametrize("method, path", [("GET", "/v1/chat/completions"), ("DELETE", "/v1/models"), ("PUT", "/health")])
def test_wrong_method(echo, method, path):
    reply = exchange(echo, method, path)
    error_of(reply, 405)
    assert reply.header("allow")


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/chat", "/v1/chat/completions/x", "//", "/v1/../etc/passwd", "/%41"])
def test_unknown_path(echo, path):
    error_of(exchange(echo, "GET", path), 404)


@pytest.mark.parametrize("path", ["/%00", "/%ff", "/%zz", "health"])
def test_path_that_is_none(echo, path):
    assert exchange(echo, "GET", path).status in (400, 404)


def test_unknown_chat_id(echo):
    error = error_of(exchange(echo, "GET", f"/v1/signature/chatcmpl-nope?model={echo.model()}&signing_algo=ecdsa"), 404)
    assert "not found or expired" in error["message"]


def test_unknown_signing_algo(echo):
    error_of(exchange(echo, "GET", "/v1/signature/chatcmpl-nope?signing_algo=rsa"), 400)
    error_of(exchange(echo, "GET", "/v1/attestation/report?signing_algo=rsa"), 400)


@pytest.mark.parametrize("nonce", ["00", "zz" * 32, "00" * 31, "00" * 33, "0x" + "00" * 31, "00" * 5000])
def test_bad_nonce(echo, nonce):
    error = error_of(exchange(echo, "GET", f"/v1/attestation/report?nonce={nonce}"), 400)
    assert error["param"] == "nonce" and "64 hex" in error["message"]
    body = json.dumps({"nonce": nonce}).encode()
    assert "64 hex" in error_of(post(echo, body, "/v1/attestation/report"), 400)["message"]


def test_other_requests_are_unharmed(echo, slow_echo):
    """The same node gets all the malformed bodies while a stream runs."""
    body = json.dumps({"model": slow_echo.model(), "messages": USER, "stream": True, "max_tokens": 40}).encode()
    with Connection(slow_echo) as connection:
        connection.send(head(slow_echo, "POST", "/v1/chat/completions", body) + body)
        for bad in MALFORMED.values():
            assert post(slow_echo, bad).status == 400
        reply = connection.reply()
    assert reply.status == 200 and reply.complete and reply.body.endswith(b"data: [DONE]\n\n")
