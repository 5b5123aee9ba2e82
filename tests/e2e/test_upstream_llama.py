"""The OpenAI SDK tests of the embedded engine run unchanged through `--upstream` against the real llama-server of the pinned source. The
bytes of its replies are compared with those on the wire."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

import test_chat_sdk
import test_other_routes
from support.fixtures import client_of, session_node
from support.node import wait_until
from support.rawhttp import Connection, exchange, head
from support.upstream import Process, RecordingRelay, find_llama_server, free_port
from test_signatures import CHECKS, signature_of

# llama-server itself differs from the embedded engine in these tests, and so it also differs behind a node.
OTHERWISE = {
    "test_required_tool_call": "its tools need a chat template with a place for them, which the default model's has not",
    "test_tool_call_streamed": "the same",
    "test_parallel_tool_calls_are_parsed": "the same",
    "test_tokenize": "its path is /tokenize",
    "test_logit_bias": "it asks /v1/tokenize, which is the embedded engine's",
    "test_embeddings": "needs --embeddings, with which it does not chat",
    "test_embeddings_as_float_and_as_base64": "the same",
    "test_messages_errors_speak_their_dialect": "it takes a text where Anthropic wants a list of messages",
    "test_unknown_model": "it answers for any model's name",
    "test_prompt_too_long_says_how_long_and_the_limit": "its error has no code",
    "test_responses": "its events are checked by its own project",
    "test_responses_streamed": "the same",
    "test_closing_a_stream_stops_the_computation": "measures the embedded engine's slots; see the upstream's own test below",
    "test_closing_a_buffered_request_stops_the_computation": "the same",
}
THERE = [name for module in (test_chat_sdk, test_other_routes) for name in dir(module) if name.startswith("test_")]
assert set(OTHERWISE) <= set(THERE), "a name here is no test any more"
for suite in (test_chat_sdk, test_other_routes):
    globals().update({name: getattr(suite, name) for name in dir(suite) if name.startswith("test_") and name not in OTHERWISE})


@pytest.fixture(scope="session")
def llama_server_binary():
    binary = find_llama_server()
    if binary is None:
        if os.environ.get("CI") == "true":
            pytest.fail("llama-server is not built: run tools/engine llama-server")
        pytest.skip("llama-server is not built: run tools/engine llama-server")
    return binary


@pytest.fixture(scope="session")
def llama_server(folder, model_file, llama_server_binary):
    port = free_port()
    command = [llama_server_binary, "--model", model_file, "--host", "127.0.0.1", "--port", port, "--parallel", 4, "--ctx-size", 4 * 2048, "--slots"]
    server = Process(folder / "llama-server", command, port, "llama-server")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def relay(llama_server):
    relay = RecordingRelay(llama_server.port)
    yield relay
    relay.close()


@pytest.fixture(scope="module")
def llama(folder, relay):
    """This node takes the place of the node with the embedded engine."""
    yield from session_node(folder, "behind", "--upstream", relay.url)


@pytest.fixture(scope="module")
def llama_client(llama):
    with client_of(llama) as client:
        yield client


@pytest.fixture(scope="module")
def model(llama):
    return llama.model()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_bytes_are_those_on_the_wire(llama, relay, model, path, stream):
    """The bytes that the server sent, that the client got and that are signed are the same. So are the bytes that the client sent and the
    server got."""
    question = {"prompt": "Grüße, 世界 🌍"} if path == "/v1/completions" else {"messages": [{"role": "user", "content": "Grüße, 世界 🌍"}]}
    request = json.dumps({"model": model, "max_tokens": 24, "stream": stream, "temperature": 0, "seed": stream, **question}, indent=1).encode()
    reply = exchange(llama, "POST", path, request)
    assert reply.status == 200 and reply.complete

    def seen():
        return [(sent, body) for (line, sent), body in relay.exchanges() if line == f"POST {path} HTTP/1.1" and sent == request]

    ((_, wire),) = wait_until(seen, 5, "the relay has it all")
    assert reply.body == wire
    for algo, check in CHECKS.items():
        signature = signature_of(llama, reply.reply_id(), algo)
        assert signature["text"] == f"{hashlib.sha256(request).hexdigest()}:{hashlib.sha256(wire).hexdigest()}"
        check(signature, llama.get_json(f"/v1/attestation/report?signing_algo={algo}")["signing_address"])


def test_over_a_unix_socket(start, model_file, llama_server_binary):
    """The same server on a Unix socket, which no network reaches."""
    with tempfile.TemporaryDirectory(prefix="cloister-upstream-") as place:
        command = [llama_server_binary, "--model", model_file, "--host", f"{place}/llama.sock", "--parallel", 1, "--ctx-size", 1024]
        with open(f"{place}/log", "wb") as log:
            server = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            node = start("--upstream", f"unix:{place}/llama.sock")
            with client_of(node) as client:
                question = {"model": node.model(), "max_tokens": 8, "messages": [{"role": "user", "content": "What is the capital of France?"}]}
                said = client.chat.completions.create(**question, temperature=0)
                assert said.choices[0].message.content and said.usage.completion_tokens == 8
                streamed = client.chat.completions.create(**question, temperature=0, stream=True)
                assert "".join(one.choices[0].delta.content or "" for one in streamed if one.choices) == said.choices[0].message.content
            assert node.stop() == 0
        finally:
            server.kill()
            server.wait()


def test_its_errors_pass(llama, model):
    reply = exchange(llama, "POST", "/v1/chat/completions", json.dumps({"model": model, "messages": "no list"}).encode())
    assert 400 <= reply.status <= 500 and reply.json()["error"]["message"]
    long = json.dumps({"model": model, "messages": [{"role": "user", "content": "word " * 6000}]}).encode()
    assert exchange(llama, "POST", "/v1/chat/completions", long).status == 400


def test_leaving_stops_its_computation(llama, llama_server, model):
    def busy():
        reply = exchange(llama_server, "GET", "/slots")
        return sum(slot["is_processing"] for slot in reply.json())

    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Count from 1 to 1000."}], "max_tokens": 1800, "stream": True}).encode()
    with Connection(llama) as connection:
        connection.send(head(llama, "POST", "/v1/chat/completions", body) + body)
        while connection.pending.count(b"data: ") < 3:
            assert connection._more()
        assert busy() == 1
    wait_until(lambda: busy() == 0, 2, "its slot is free")
    assert llama.metric("cloister_upstream_active") == 0


def test_it_is_recognised(llama):
    (one,) = llama.get_json("/health")["upstreams"]
    assert one["server"].startswith("llamacpp") and "/v1/chat/completions" in one["routes"] and not one["cache_salt"]


@pytest.fixture(scope="module")
def second(folder, model_file):
    """Yields (node, relay) in front of a server of another project."""
    port = free_port()
    script = pathlib.Path(__file__).parent / "support/second_server.py"
    server = Process(folder / "second", [sys.executable, script, model_file, port], port, "second")
    relay = RecordingRelay(port)
    try:
        for node in session_node(folder, "before-second", "--upstream", relay.url):
            yield node, relay
    finally:
        relay.close()
        server.kill()


@pytest.mark.parametrize("stream", [False, True])
def test_another_server(second, stream):
    node, relay = second
    name = node.get_json("/v1/models")["data"][0]["id"]
    messages = [{"role": "system", "content": ""}, {"role": "user", "content": "What is the capital of France?"}]
    request = json.dumps({"model": name, "messages": messages, "max_tokens": 12, "temperature": 0, "stream": stream}).encode()
    reply = exchange(node, "POST", "/v1/chat/completions", request)
    assert reply.status == 200 and reply.complete

    def seen():
        return [body for (line, sent), body in relay.exchanges() if sent == request]

    assert wait_until(seen, 5, "the relay has it all") == [reply.body]
    signature = signature_of(node, reply.reply_id(), "ecdsa")
    assert signature["text"] == f"{hashlib.sha256(request).hexdigest()}:{hashlib.sha256(reply.body).hexdigest()}"
    with client_of(node) as client:
        text = client.chat.completions.create(model=name, messages=messages, max_tokens=12, temperature=0).choices[0].message.content
    assert "Paris" in text
