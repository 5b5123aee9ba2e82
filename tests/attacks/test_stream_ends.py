"""The reply itself marks its end. A stream that stops without its last event is no whole reply. Nothing may follow that event. An answer
that is no reply (a redirect) is not passed on."""

import json
import subprocess

import pytest

from support.fixtures import session_node
from support.node import BINARY, PATIENCE, run
from support.rawhttp import exchange
from support.upstream import STREAM_HEAD, ScriptedServer, chunk

pytestmark = pytest.mark.fast

DELTA = b'data: {"id":"r-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"so far"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
END = b"0\r\n\r\n"


def chat(node, folder):
    (folder / "policy").write_text("[service]\naccept_upstream_claims = true\n")
    return run("chat", node.url, "x", "--accept-simulator", "--policy", folder / "policy")


@pytest.fixture(scope="module")
def relayed(folder):
    now = {}
    with ScriptedServer(lambda connection, _: connection.sendall(now["answer"])) as server:
        now["server"] = server
        for node in session_node(folder, "ends", "--upstream", server.url):
            yield node, now


def test_chat_says_that_a_stream_was_not_whole(relayed, tmp_path):
    node, now = relayed
    now["answer"] = STREAM_HEAD + chunk(DELTA) + chunk(DONE) + END
    whole = chat(node, tmp_path)
    assert whole.returncode == 0 and "without the event" not in whole.stdout, whole.stdout + whole.stderr
    now["answer"] = STREAM_HEAD + chunk(DELTA) + END
    cut = chat(node, tmp_path)
    assert "without the event that ends one" in cut.stdout, cut.stdout + cut.stderr


def test_nothing_follows_the_end(relayed, tmp_path):
    node, now = relayed
    now["answer"] = STREAM_HEAD + chunk(DELTA) + chunk(DONE) + chunk(DELTA.replace(b"so far", b"and more")) + END
    more = chat(node, tmp_path)
    assert more.returncode == 2 and "and more" not in more.stdout and "follows" in more.stderr, more.stdout + more.stderr


@pytest.mark.parametrize("status", ["301 Moved Permanently", "304 Not Modified", "307 Temporary Redirect"])
def test_a_redirect_is_no_answer(relayed, status):
    node, now = relayed
    now["answer"] = f"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:9/\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n".encode() + (
        b"" if status.startswith("304") else b"{}")
    body = json.dumps({"model": "m", "messages": []}).encode()
    assert exchange(node, "POST", "/v1/chat/completions", body).status == 502


def test_a_conversation_ends_after_a_reply_that_was_not_accepted(relayed):
    """This policy does not accept the node's statement about which server answered behind it, so the receipt is undetermined."""
    node, now = relayed
    now["answer"] = STREAM_HEAD + chunk(DELTA) + chunk(DONE) + END
    prompts = lambda: sum(b"my words" in body for _, _, body in now["server"].requests)
    before = prompts()
    done = subprocess.run([str(BINARY), "chat", node.url, "--accept-simulator"], input=b"my words\nmy words\nmy words\n", capture_output=True,
                          timeout=60 * PATIENCE)
    assert done.returncode == 3 and b"its reply was not accepted" in done.stderr, done.stdout + done.stderr
    assert prompts() == before + 1
