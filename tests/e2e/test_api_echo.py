"""The form of the API, on the echo engine. The tests are quick and need no model."""

import json

import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.fixtures import TOKEN, client_of
from support.rawhttp import exchange

pytestmark = pytest.mark.fast
HELLO = [{"role": "user", "content": "one two three"}]


def chat(node, headers=(), **options):
    body = json.dumps({"model": node.model(), "messages": HELLO, **options}).encode()
    return exchange(node, "POST", "/v1/chat/completions", body, headers)


def test_health(echo):
    status, headers, body = echo.get("/health")
    health = json.loads(body)
    assert status == 200 and headers["content-type"].startswith("application/json")
    assert health["status"] == "ok" and health["tee_type"] == "insecure_simulator"


def test_models(echo, echo_client):
    (model,) = echo_client.models.list().data
    assert model.object == "model" and model.owned_by
    assert echo_client.models.retrieve(model.id).id == model.id
    with pytest.raises(openai.NotFoundError):
        echo_client.models.retrieve("no-such-model")


def test_chat_buffered(echo, echo_client):
    reply = echo_client.chat.completions.create(model=echo.model(), messages=HELLO)
    assert "one two three" in reply.choices[0].message.content
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_chat_streamed(echo, echo_client):
    stream = echo_client.chat.completions.create(model=echo.model(), messages=HELLO, stream=True)
    text = "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert "one two three" in text


def test_stream_form(echo):
    """Verifiers rebuild a stream line by line: '\\n' only, one 'data: ' line an event, [DONE] last."""
    reply = chat(echo, stream=True)
    assert reply.status == 200 and reply.complete
    assert reply.header("content-type").startswith("text/event-stream")
    assert "no-" in reply.header("cache-control")
    assert b"\r" not in reply.body and reply.body.endswith(b"data: [DONE]\n\n")
    for event in reply.body.decode().split("\n\n")[:-1]:
        assert event.startswith("data: ") and "\n" not in event


def test_events_go_out_as_they_come(slow_echo):
    """Events that become ready while the node or the client is held up may go out in one chunk; a node that gathers them sends one or two."""
    reply = chat(slow_echo, stream=True, max_tokens=10)
    assert len(reply.chunks) >= 4


def test_buffered_form(echo):
    reply = chat(echo)
    assert reply.status == 200 and reply.header("content-length") == str(len(reply.body))
    assert reply.header("content-type").startswith("application/json")


def test_non_ascii_is_kept(echo):
    text = "Grüße, 世界 🌍"
    reply = chat(echo, messages=[{"role": "user", "content": text}])
    assert text in reply.json()["choices"][0]["message"]["content"]
    streamed = chat(echo, messages=[{"role": "user", "content": text}], stream=True)
    assert text in "".join(event["choices"][0]["delta"].get("content") or "" for event in streamed.events() if event["choices"])


def test_ids_are_unique(echo):
    assert len({chat(echo).reply_id() for _ in range(20)}) == 20


def test_keep_alive_serves_many_requests(echo):
    from support.rawhttp import Connection

    body = json.dumps({"model": echo.model(), "messages": HELLO}).encode()
    with Connection(echo) as connection:
        for _ in range(5):
            assert connection.request("POST", "/v1/chat/completions", body).status == 200
        assert connection.request("GET", "/health").status == 200


def test_token_wanted(locked):
    assert chat_status(locked, None) == 401
    assert chat_status(locked, "wrong") == 401
    assert chat_status(locked, TOKEN[:-1]) == 401
    assert chat_status(locked, TOKEN) == 200
    reply = exchange(locked, "POST", "/v1/chat/completions", b"{}")
    assert reply.json()["error"]["type"] == "authentication_error" and reply.header("www-authenticate") == "Bearer"


def chat_status(node, token):
    headers = [("Authorization", f"Bearer {token}")] if token else []
    return chat(node, headers).status


def test_what_is_public_without_token(locked):
    for path in ("/health", "/v1/models", "/v1/attestation/report"):
        assert locked.get(path)[0] == 200, path
    assert locked.get("/metrics")[0] == 401


def test_metrics_parse(echo):
    chat(echo)
    text = echo.get("/metrics")[2].decode()
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {"cloister_requests", "cloister_engine_active", "cloister_completion_tokens"} <= families
    assert echo.metric("cloister_requests_total", status="200") >= 1


def test_preflight_from_a_page_of_this_machine(echo):
    headers = [
        ("Origin", "http://localhost:5173"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization, content-type, x-stainless-lang"),
    ]
    reply = exchange(echo, "OPTIONS", "/v1/chat/completions", None, headers)
    assert reply.status == 204
    assert reply.header("access-control-allow-origin") == "http://localhost:5173"
    assert "POST" in reply.header("access-control-allow-methods")
    assert "x-stainless-lang" in reply.header("access-control-allow-headers")


def test_a_foreign_page_may_not_read_a_node_without_tokens(echo):
    reply = chat(echo, [("Origin", "https://evil.example")])
    assert reply.header("access-control-allow-origin") is None


def test_foreign_pages_may_when_tokens_are_wanted(locked):
    reply = chat(locked, [("Origin", "https://app.example"), ("Authorization", f"Bearer {TOKEN}")])
    assert reply.header("access-control-allow-origin") in ("*", "https://app.example")


def test_page(echo):
    status, headers, body = echo.get("/")
    assert status == 200 and headers["content-type"].startswith("text/html") and b"imulat" in body


def test_sdk_over_tls(tls):
    import httpx

    with client_of(tls, http_client=httpx.Client(verify=False)) as client:
        reply = client.chat.completions.create(model=tls.model(), messages=HELLO)
    assert "one two three" in reply.choices[0].message.content


def test_sdk_closes_a_stream_and_the_node_notices(slow_echo):
    before = slow_echo.metric("cloister_replies_abandoned_total")
    with client_of(slow_echo) as client:
        stream = client.chat.completions.create(model=slow_echo.model(), messages=HELLO, stream=True)
        next(iter(stream))
        assert slow_echo.metric("cloister_inference_running") == 1
        stream.close()
    from support.node import wait_until

    wait_until(lambda: slow_echo.metric("cloister_inference_running") == 0, 1, "the request ends")
    assert slow_echo.metric("cloister_replies_abandoned_total") == before + 1
