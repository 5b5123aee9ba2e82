"""`cloister serve --upstream` passes on other servers' replies byte for byte and signs them. A reply that breaks is cut so that the client
can see it."""

import hashlib
import json
import pathlib
import socket
import tempfile
import threading
import time

import pytest

from support.fixtures import TOKEN, client_of
from support.node import PATIENCE, run, wait_until
from support.rawhttp import Connection, exchange, head
from support.upstream import STREAM_HEAD, ScriptedServer, chunk, chunked, free_port, whole
from support.receipts import check_receipt, digest, events
from test_signatures import check_ecdsa, check_ed25519, signature_of

STREAMS = pathlib.Path(__file__).parent / "upstream_streams"
CHAT = b'{ "stream":true,\t"model":"m", "messages" : [{"role":"user","content":"Gr\\u00fc\\u00dfe \xf0\x9f\x8c\x8d"}] }\n'
# The ids under which the replies of each file are found.
IDS = {
    "vllm_chat": "chatcmpl-5f0c9a2be1d24d7d8f3a6f5f2c1b0e9d",
    "vllm_tool_call": "chatcmpl-5f0c9a2be1d24d7d8f3a6f5f2c1b0e9d",
    "vllm_error_event": "chatcmpl-5f0c9a2be1d24d7d8f3a6f5f2c1b0e9d",
    "vllm_messages": "chatcmpl-9c51d7",
    "sglang_chat": "fea45bfa7bbd4209b1e71bdcdcc6c667",
    "starlette_crlf_pings": "chatcmpl-5f0c9a2be1d24d7d8f3a6f5f2c1b0e9d",
    "no_space_other_fields": "chatcmpl-5f0c9a2be1d24d7d8f3a6f5f2c1b0e9d",
}

# Tokens of the prompt and of the reply, and the reason of its end, as the streams state them.
COUNTS = {"vllm_chat": (17, 8, "stop"), "sglang_chat": (14, 7, "stop")}


@pytest.fixture
def behind(start):
    """behind(answer, *options) starts a scripted server and a node in front of it. The options are the node's."""
    servers = []

    def put_behind(answer, *options, owner="script"):
        servers.append(ScriptedServer(answer, owner))
        node = start("--upstream", servers[-1].url, *options)
        return servers[-1], node

    yield put_behind
    for server in servers:
        server.__exit__()


def post(node, path="/v1/chat/completions", body=CHAT, headers=()):
    return exchange(node, "POST", path, body, headers)


def check_signature(node, reply_id, request, reply, headers=()):
    for algo, check in (("ecdsa", check_ecdsa), ("ed25519", check_ed25519)):
        signature = signature_of(node, reply_id, algo, "m", headers)
        assert signature["text"] == f"{hashlib.sha256(request).hexdigest()}:{hashlib.sha256(reply).hexdigest()}"
        check(signature, node.get_json(f"/v1/attestation/report?signing_algo={algo}")["signing_address"])


@pytest.mark.fast
@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
@pytest.mark.parametrize("name", IDS)
def test_streams_of_other_engines(upstream_streams, name, size):
    """For every size of chunks, the bytes are whole and the same. A signature over them is found under the id that they contain, and under
    the node's id."""
    node, server, now = upstream_streams
    data = (STREAMS / f"{name}.sse").read_bytes()
    now["answer"] = chunked(data, size)
    path = "/v1/messages" if "messages" in name else "/v1/chat/completions"
    reply = post(node, path)
    assert reply.status == 200 and reply.complete
    assert reply.body == data
    assert reply.header("content-type") == "text/event-stream; charset=utf-8"
    assert server.requests[-1][2] == CHAT
    check_signature(node, IDS[name], CHAT, data)
    receipt = check_receipt(node, CHAT, reply)
    assert receipt["chat_id"] == IDS[name]
    if name in COUNTS:
        usage = events(receipt)["usage.metered"]
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["finish_reason"]) == COUNTS[name]
    check_signature(node, reply.header("x-request-id"), CHAT, data)


@pytest.fixture(scope="module")
def upstream_streams(folder):
    from support.fixtures import session_node

    now = {}
    with ScriptedServer(lambda connection, _: connection.sendall(now["answer"])) as server:
        for node in session_node(folder, "streams", "--upstream", server.url):
            yield node, server, now


@pytest.mark.fast
def test_sdk_reads_the_streams(upstream_streams):
    node, _, now = upstream_streams
    expected = {"vllm_chat": "Die Hauptstadt heißt 東京 🌍.", "sglang_chat": "Four.", "starlette_crlf_pings": "One two"}
    with client_of(node) as client:
        for name, text in expected.items():
            now["answer"] = chunked((STREAMS / f"{name}.sse").read_bytes(), 33)
            chunks = list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True))
            assert "".join(choice.delta.content or "" for one in chunks for choice in one.choices) == text


@pytest.mark.fast
def test_every_route_and_body_is_passed_on(upstream_streams):
    node, server, now = upstream_streams
    multipart = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\x00\xff\r\n--b--\r\n"
    audio = bytes(range(256)) * 700
    routes = ["chat/completions", "completions", "embeddings", "responses", "messages", "rerank", "score", "audio/transcriptions",
              "audio/translations", "audio/speech", "images/generations", "images/edits"]
    for path in ["/v1/" + route for route in routes] + ["/rerank", "/score", "/tokenize", "/detokenize", "/v1/messages?beta=true"]:
        files = [('multipart/form-data; boundary="b"', multipart)] if "/audio/tr" in path or "edits" in path else []
        for kind, body in [("application/json", CHAT), *files]:
            now["answer"] = whole(audio, kind="audio/wav")
            with Connection(node) as connection:
                connection.send(
                    f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
                reply = connection.reply()
            assert (reply.status, reply.body, reply.header("content-type")) == (200, audio, "audio/wav"), path
            line, headers, seen = server.requests[-1]
            assert line == f"POST {path} HTTP/1.1" and headers["content-type"] == kind and seen == body


@pytest.mark.fast
def test_errors_are_the_servers_own(upstream_streams):
    node, _, now = upstream_streams
    for status in ("400 Bad Request", "404 Not Found", "422 Unprocessable Entity", "429 Too Many Requests", "500 Internal Server Error", "503 Busy"):
        body = b'{"object":"error","message":"marker-of-an-upstream-error"}'
        now["answer"] = whole(body, status, more="Retry-After: 7\r\nServer: secret/1\r\nSet-Cookie: a=b\r\n")
        reply = post(node)
        assert (str(reply.status), reply.body) == (status[:3], body)
        assert reply.header("retry-after") == "7" and not reply.header("server") and not reply.header("set-cookie")
        assert exchange(node, "GET", f"/v1/signature/{reply.header('x-request-id')}").status == 404
    assert "marker-of-an-upstream-error" not in node.log


@pytest.mark.fast
def test_models_are_the_servers_own(upstream_streams):
    node, _, _ = upstream_streams
    listed = node.get_json("/v1/models")
    own = {"id": "m", "object": "model", "created": 1, "owned_by": "script"}
    assert listed["object"] == "list" and [own | model for model in listed["data"]] == listed["data"] and len(listed["data"]) == 1
    assert set(listed["data"][0]) <= {*own, "providers", "metadata"}, "the node adds nothing else"
    assert node.get_json("/v1/models/m")["id"] == "m"


@pytest.mark.fast
def test_credentials_stay_here(behind, tmp_path):
    tokens, key = tmp_path / "tokens", tmp_path / "key"
    tokens.write_text(TOKEN + "\n")
    key.write_text("key-of-the-upstream \n")
    answer = lambda connection, _: connection.sendall(whole(b'{"id":"r-1"}'))  # noqa: E731
    server, node = behind(answer, "--api-key-file", tokens, "--upstream-key-file", key)
    mine = [("Authorization", f"Bearer {TOKEN}"), ("X-Api-Key", TOKEN), ("Cookie", "a=b"), ("X-Forwarded-For", "1.2.3.4"), ("anthropic-version", "1")]
    assert post(node, headers=mine).status == 200
    _, headers, _ = server.requests[-1]
    assert headers["authorization"] == "Bearer key-of-the-upstream"
    assert TOKEN not in json.dumps(headers)
    assert sorted(headers) == ["anthropic-version", "authorization", "content-length", "content-type", "host"]
    assert post(node).status == 401 and len(server.requests) == 1
    assert "key-of-the-upstream" not in node.log and TOKEN not in node.log


@pytest.mark.fast
def test_salt_keeps_credentials_apart(behind, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN}\n{TOKEN}-of-another\n")
    answer = lambda connection, _: connection.sendall(whole(b'{"id":"r-1"}'))  # noqa: E731
    server, node = behind(answer, "--api-key-file", tokens, owner="vllm")
    mine, other = ([("Authorization", f"Bearer {token}")] for token in (TOKEN, TOKEN + "-of-another"))
    salts = []
    for caller in (mine, mine, other):
        reply = post(node, headers=caller)
        body = server.requests[-1][2]
        salts.append(json.loads(body)["cache_salt"])
        inserted = b',"cache_salt":"%s"' % salts[-1].encode()
        assert body.replace(inserted, b"") == CHAT, "nothing else changes"
        # The signature covers the bytes that the client sent.
        text = signature_of(node, reply.header("x-request-id"), "ecdsa", "m", caller)["text"]
        assert text.startswith(hashlib.sha256(CHAT).hexdigest())
        # The receipt distinguishes the request that came and the request that was sent on.
        receipt = check_receipt(node, CHAT, reply, caller)
        assert events(receipt)["request.forwarded"]["body_hash"] == digest(body) != digest(CHAT)
    assert salts[0] == salts[1] != salts[2] and all(len(salt) == 64 for salt in salts)
    refused = post(node, body=b'{"model":"m","cache_\\u0073alt":"theirs"}', headers=mine)
    assert refused.status == 400 and refused.json()["error"]["param"] == "cache_salt"
    assert len(server.requests) == 3


BROKEN = {
    "closes at once": lambda c: c.shutdown(socket.SHUT_RDWR),
    "no HTTP": lambda c: c.sendall(b"garbage garbage\r\n\r\n"),
    "shorter than it said": lambda c: (c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), c.shutdown(socket.SHUT_RDWR)),
    "two lengths": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
    "stalls": lambda c: None,
    "stalls in the body": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_breaking_before_the_first_byte_is_an_error(behind, name):
    broken = {"now": True}

    def answer(connection, _):
        if broken["now"]:
            BROKEN[name](connection)
        else:
            connection.sendall(whole(b'{"id":"r-1"}'))

    _, node = behind(answer, "--upstream-timeout", 1, "--upstream-idle-timeout", 1)
    reply = post(node)
    assert reply.status == (504 if "stalls" in name else 502), reply.body
    error = reply.json()["error"]
    assert error["code"] == ("upstream.timeout" if "stalls" in name else "upstream.broken_reply") and error["message"]
    assert exchange(node, "GET", f"/v1/signature/{reply.header('x-request-id')}").status == 404
    assert events(check_receipt(node, CHAT, reply))["request.failed"]["code"] == error["code"]
    assert node.metric("cloister_upstream_failures_total") == 1
    broken["now"] = False
    assert post(node).status == 200, "it recovers by itself"


def stream_then(end):
    def answer(connection, _):
        connection.sendall(STREAM_HEAD + chunk(b'data: {"id":"r-1","choices":[]}\n\n'))
        time.sleep(0.1)
        end(connection)

    return answer


CUTS = {
    "closes": lambda c: c.shutdown(socket.SHUT_RDWR),
    "resets": lambda c: (c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"), c.close()),
    "500 in the middle": lambda c: c.sendall(whole(b"{}", "500 Internal Server Error")),
    "bad chunk": lambda c: c.sendall(b"xyz\r\n"),
    "ends within an event": lambda c: c.sendall(chunk(b'data: {"cut') + b"0\r\n\r\n"),
    "stalls": lambda c: None,
}


@pytest.mark.parametrize("name", CUTS)
def test_breaking_in_a_stream_cuts_it(behind, name):
    """The client sees no end that could be taken for a complete one, and there is no signature."""
    _, node = behind(stream_then(CUTS[name]), "--upstream-idle-timeout", 1)
    with Connection(node, timeout=20) as connection:
        connection.send(head(node, "POST", "/v1/chat/completions", CHAT) + CHAT)
        reply = connection.reply()
    assert reply.status == 200 and not reply.complete
    assert reply.body.startswith(b'data: {"id":"r-1"')
    for reply_id in ("r-1", reply.header("x-request-id")):
        assert exchange(node, "GET", f"/v1/signature/{reply_id}?model=m").status == 404
    # The part that was sent has a receipt, which says that the reply was cut.
    path = f"/v1/aci/receipts/{reply.header('x-receipt-id')}"
    wait_until(lambda: exchange(node, "GET", path).status == 200, 5, "the receipt")
    cut = events(check_receipt(node, CHAT, reply))["response.aborted"]
    assert cut["bytes"] == len(reply.body)
    # On a slow machine a reset can come later than the second after which the node gives up.
    allowed = {"stalls": {"upstream.timeout"}, "resets": {"upstream.timeout", "upstream.broken_reply"}}
    assert cut["reason"] in allowed.get(name, {"upstream.broken_reply"})
    assert node.metric("cloister_inference_running") == 0
    assert node.metric("cloister_upstream_active") == 0


def endless(seen):
    def answer(connection, _):
        connection.sendall(STREAM_HEAD)
        data = chunk(b"data: " + b"x" * 65000 + b"\n\n")
        try:
            while True:
                connection.sendall(data)
                seen["bytes"] = seen.get("bytes", 0) + len(data)
        except OSError:
            seen["closed"] = time.monotonic()

    return answer


@pytest.mark.fast
def test_a_client_that_leaves_ends_the_request_there(behind):
    seen = {}
    _, node = behind(endless(seen))
    with Connection(node) as connection:
        connection.send(head(node, "POST", "/v1/chat/completions", CHAT) + CHAT)
        while len(connection.pending) < 1_000_000:
            assert connection._more()
        left = time.monotonic()
    wait_until(lambda: "closed" in seen, 2, "the upstream's connection ends")
    assert seen["closed"] - left < PATIENCE


def test_a_client_that_does_not_read_fills_no_memory(behind):
    seen = {}
    _, node = behind(endless(seen))
    before = node.memory_kib()
    with Connection(node) as connection:
        connection.send(head(node, "POST", "/v1/chat/completions", CHAT) + CHAT)
        previous = -1
        while seen.get("bytes", 0) != previous:  # waits until nothing moves any more
            previous = seen.get("bytes", 0)
            time.sleep(0.5)
        assert previous > 0
        assert node.memory_kib() - before < 4096
        for _ in range(300):  # The stream continues when the client reads again.
            assert connection._more()
    assert node.alive()


@pytest.mark.fast
def test_health_tells_of_the_upstreams(behind):
    server, node = behind(lambda connection, _: connection.sendall(whole(b"{}")))
    health = node.get_json("/health")
    assert health["engine"] == "upstream" and health["status"] == "ok"
    (one,) = health["upstreams"]
    assert one["up"] and one["models"] == ["m"] and "/v1/chat/completions" in one["routes"] and one["cache_salt"] is False
    assert server.url not in json.dumps(health)
    assert node.metric("cloister_upstream_up", upstream=server.url) == 1
    assert "upstream up url=" + server.url in node.log
    server.__exit__()
    wait_until(lambda: node.get("/health/ready")[0] == 503, 10, "not ready")
    assert node.get("/health/live")[0] == 200
    assert post(node).json()["error"]["code"] == "upstream.unreachable"
    with ScriptedServer(lambda connection, _: connection.sendall(whole(b"{}")), port=server.port):
        wait_until(lambda: node.get("/health/ready")[0] == 200, 10, "ready again")
        assert post(node).status == 200


@pytest.mark.fast
def test_options_that_make_no_sense(tmp_path):
    for options in (["--upstream", "https://127.0.0.1:1"], ["--upstream", "http://8.8.8.8"], ["--upstream", "x"], ["--engine", "upstream"],
                    ["--upstream", "http://127.0.0.1:1", "--model", "x.gguf"], ["--upstream", "http://127.0.0.1:1", "--engine", "echo"]):
        ended = run("serve", "--listen", "127.0.0.1:0", "--state", tmp_path, "--tee", "none", *options)
        assert ended.returncode == 2 or "cannot" in ended.stderr or "expected" in ended.stderr, (options, ended.stderr)
        assert ended.returncode != 0


def test_killed_and_restarted_under_load(start, folder):
    """Two nodes on the echo engine run behind a third. One is killed and started again. No answer is wrong, and that node is used again."""
    ports = [free_port(), free_port()]
    nodes = [start("--engine", "echo", listen=f"127.0.0.1:{port}") for port in ports]
    front = start("--upstream", nodes[0].url, "--upstream", nodes[1].url)
    wait_until(lambda: front.metric("cloister_upstream_up") == 2, 10, "both are up")
    stop, wrong, counts = threading.Event(), [], {"good": 0, "refused": 0}

    def ask(worker):
        number = 0
        while not stop.is_set():
            number += 1
            word = f"w{worker}n{number}"
            body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": word}], "stream": number % 2 == 0}).encode()
            try:
                reply = post(front, body=body)
            except (OSError, ValueError) as error:
                wrong.append(repr(error))
                continue
            if reply.status in (502, 503, 504) or not reply.complete:
                counts["refused"] += 1
            elif reply.status != 200 or word.encode() not in reply.body:
                wrong.append((reply.status, reply.body))
            else:
                counts["good"] += 1

    workers = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    try:
        wait_until(lambda: counts["good"] > 50, 20, "replies come")
        nodes[0].kill()
        killed = time.monotonic()
        good = counts["good"]
        wait_until(lambda: counts["good"] > good + 50, 20, "the other one answers")
        again = start("--engine", "echo", listen=f"127.0.0.1:{ports[0]}")
        started = time.monotonic()
        wait_until(lambda: front.metric("cloister_upstream_up") == 2, 10, "both are up again")
        recovered = time.monotonic()
        sent = front.metric("cloister_upstream_requests_total", upstream=again.url)
        wait_until(lambda: front.metric("cloister_upstream_requests_total", upstream=again.url) > sent + 20, 10, "it is used again")
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    print(f"recovery: {recovered - started:.3f} s after it answered, {started - killed:.1f} s down, {counts}")
    assert not wrong, wrong[:3]
    assert counts["refused"] <= 8, "no more than what was under way when it was killed"


# --- over a Unix socket


@pytest.fixture
def socket_folder():
    """The path of a socket must be short, so the socket gets its own folder."""
    with tempfile.TemporaryDirectory(prefix="cloister-upstream-") as folder:
        yield pathlib.Path(folder)


@pytest.mark.fast
def test_over_a_unix_socket(start, socket_folder):
    data = (STREAMS / "vllm_chat.sse").read_bytes()
    path = socket_folder / "vllm.sock"
    node = start("--upstream", f"unix:{path}", wait=False)
    assert node.get("/health/ready")[0] == 503, "nobody is there yet"
    with ScriptedServer(lambda connection, _: connection.sendall(chunked(data, 33)), path=path) as server:
        node.wait_healthy()
        for _ in range(3):
            reply = post(node)
            assert reply.status == 200 and reply.complete and reply.body == data
            assert server.requests[-1][1]["host"].startswith("localhost") and server.requests[-1][2] == CHAT
            check_receipt(node, CHAT, reply)
        check_signature(node, IDS["vllm_chat"], CHAT, data)
        policy = node.get_json("/v1/cloister/policy")["engine"]
        assert policy["upstreams"] == ["unix:"] and policy["serving"] == "direct"
        assert str(path) not in json.dumps(node.get_json("/health")), "addresses are not told"
    wait_until(lambda: node.metric("cloister_upstream_up") == 0, 10, "it is seen to be gone")
    reply = post(node)
    assert reply.status == 502 and reply.json()["error"]["code"] == "upstream.unreachable"
    path.unlink()
    with ScriptedServer(lambda connection, _: connection.sendall(whole(b'{"id":"again"}')), path=path):
        node.wait_healthy()
        assert post(node).body == b'{"id":"again"}'


@pytest.mark.fast
@pytest.mark.parametrize(
    "url, words",
    [
        ("https://10.0.0.2:8000", "encrypted tunnel"),
        ("http://8.8.8.8:8000", "public address"),
        ("10.0.0.2:8000", "expected http://HOST:PORT or unix:/PATH"),
        ("unix:engine.sock", "absolute path"),
        ("unix:/" + "x" * 107, "107 bytes"),
    ],
)
def test_addresses_that_are_refused(tmp_path, url, words):
    result = run("serve", "--listen", "127.0.0.1:0", "--state", tmp_path, "--tee", "insecure-simulator", "--upstream", url)
    assert result.returncode != 0 and words in result.stderr, result.stderr
