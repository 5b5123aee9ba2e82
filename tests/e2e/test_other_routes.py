"""The real model serves completions, embeddings, tokenize, cancellation and, where the engine has them, the other dialects."""

import base64
import json
import math
import struct

import openai
import pytest

from support.node import wait_until
from support.rawhttp import exchange

QUESTION = "What is the capital of France? Answer in one short sentence."


@pytest.fixture(scope="module")
def model(llama):
    return llama.model()


def post(node, path, **body):
    return exchange(node, "POST", path, json.dumps(body).encode())


def test_completions(llama_client, model):
    reply = llama_client.completions.create(model=model, prompt="The capital of France is", max_tokens=8, temperature=0)
    assert reply.object == "text_completion" and "Paris" in reply.choices[0].text
    assert reply.usage.completion_tokens == 8 and reply.choices[0].finish_reason == "length"


def test_completions_streamed(llama_client, model):
    options = {"model": model, "prompt": "The capital of France is", "max_tokens": 8, "temperature": 0}
    whole = llama_client.completions.create(**options).choices[0].text
    pieces = [choice.text for chunk in llama_client.completions.create(stream=True, **options) for choice in chunk.choices]
    assert "".join(pieces) == whole and len(pieces) > 2


def test_embeddings(llama_client, model):
    reply = llama_client.embeddings.create(model=model, input=["a cat", "a kitten", "a tax return"])
    vectors = [item.embedding for item in reply.data]
    assert [item.index for item in reply.data] == [0, 1, 2]
    assert len({len(vector) for vector in vectors}) == 1 and len(vectors[0]) >= 64
    assert all(math.isfinite(number) for vector in vectors for number in vector)
    assert vectors[0] != vectors[2]
    assert reply.usage.prompt_tokens > 0


def test_embeddings_as_float_and_as_base64(llama, model):
    floats = post(llama, "/v1/embeddings", model=model, input="a cat", encoding_format="float").json()["data"][0]["embedding"]
    text = post(llama, "/v1/embeddings", model=model, input="a cat", encoding_format="base64").json()["data"][0]["embedding"]
    raw = base64.b64decode(text)
    unpacked = struct.unpack(f"<{len(raw) // 4}f", raw)
    assert len(unpacked) == len(floats)
    # Batches of another size may round differently in the last bits.
    assert all(abs(a - b) < 1e-3 for a, b in zip(floats, unpacked))


def test_tokenize(llama, model):
    reply = post(llama, "/v1/tokenize", model=model, prompt="The capital of France", content="The capital of France")
    assert reply.status == 200
    tokens = reply.json()["tokens"]
    assert 3 <= len(tokens) <= 8 and all(isinstance(token, int) for token in tokens)


def test_closing_a_stream_stops_the_computation(llama, llama_client, model):
    stream = llama_client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Count from 1 to 1000."}], max_tokens=1800, stream=True
    )
    for _, _ in zip(range(3), stream):
        pass
    assert llama.metric("cloister_engine_active") == 1
    stream.close()
    wait_until(lambda: llama.metric("cloister_engine_active") == 0, 1, "the engine stops")


def test_closing_a_buffered_request_stops_the_computation(llama, model):
    from support.rawhttp import Connection, head

    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Count to 1000."}], "max_tokens": 1800}).encode()
    with Connection(llama) as connection:
        connection.send(head(llama, "POST", "/v1/chat/completions", body) + body)
        wait_until(lambda: llama.metric("cloister_engine_active") == 1, 10, "the engine starts")
    wait_until(lambda: llama.metric("cloister_engine_active") == 0, 1, "the engine stops")


def test_prompt_cache_is_used_and_told(llama_client, model):
    messages = [{"role": "user", "content": "Remember this: " + "blue green red " * 40 + ". What is first?"}]
    cached = []
    for _ in range(2):
        reply = llama_client.chat.completions.create(model=model, messages=messages, max_tokens=4, temperature=0)
        details = reply.usage.prompt_tokens_details
        cached.append(details.cached_tokens if details else 0)
    assert cached[1] > 50, cached


def test_responses(llama, llama_client, model):
    try:
        reply = llama_client.responses.create(model=model, input=QUESTION, max_output_tokens=40, temperature=0)
    except openai.NotFoundError:
        pytest.skip("this build has no /v1/responses")
    assert "Paris" in reply.output_text


def test_responses_streamed(llama_client, model):
    try:
        stream = llama_client.responses.create(
            model=model, input=QUESTION, max_output_tokens=40, temperature=0, stream=True
        )
    except openai.NotFoundError:
        pytest.skip("this build has no /v1/responses")
    kinds, text = [], ""
    for event in stream:
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed" and "Paris" in text


def test_messages(llama, model):
    body = {"model": model, "max_tokens": 40, "temperature": 0, "messages": [{"role": "user", "content": QUESTION}]}
    reply = post(llama, "/v1/messages", **body)
    if reply.status == 404:
        pytest.skip("this build has no /v1/messages")
    assert reply.status == 200, reply.body
    message = reply.json()
    assert message["type"] == "message" and message["role"] == "assistant"
    assert "Paris" in message["content"][0]["text"]
    assert message["usage"]["output_tokens"] > 0


def test_messages_errors_speak_their_dialect(llama, model):
    reply = post(llama, "/v1/messages", model=model, max_tokens=10, messages="hello")
    if reply.status == 404:
        pytest.skip("this build has no /v1/messages")
    assert reply.status == 400 and reply.json()["type"] == "error"
    assert reply.json()["error"]["type"] == "invalid_request_error"
