"""A node other than the verified one takes the prompts. Two starts of a node, or two VMs of one application, have the same keys. So the key
of the channel does not tell which configuration reads the prompts. A node that has given one bad reply gets no further prompt."""

import hashlib
import json
import signal
import socket
import subprocess
import threading

import pytest

from support.node import BINARY, PATIENCE, Node, run, wait_until
from support.rawhttp import exchange

pytestmark = pytest.mark.own_seed

CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "one two three"}]}).encode()
HEADER = "X-Cloister-Policy-Digest"
OTHER = "sha256:" + "07" * 32


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Yields two nodes with the same keys. The second has another configuration."""
    folder = tmp_path_factory.mktemp("twins")
    first = Node(folder / "first", "--engine", "echo", state=folder / "state")
    second = Node(folder / "second", "--engine", "echo", "--cors-origin", "https://a.example", "--receipts", "memory", state=folder / "state")
    yield first, second
    first.kill()
    second.kill()


def digest_of(node):
    return exchange(node, "GET", f"/v1/cloister/attestation?nonce={'07' * 32}").json()["statement"]["policy_digest"]


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Switch:
    """Passes connections on to one node, and those that begin with a prompt to another."""

    def __init__(self, first, second):
        self.ports = (first.port, second.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        head = client.recv(65536)
        node = socket.create_connection(("127.0.0.1", self.ports[head.startswith(b"POST " + CHAT.encode())]))
        node.sendall(head)
        threading.Thread(target=copy, args=(node, client), daemon=True).start()
        copy(client, node)

    def close(self):
        self.listener.close()


def test_a_request_is_answered_under_the_configuration_that_it_names(twins):
    for node, other in (twins, twins[::-1]):
        own = digest_of(node)
        assert own != digest_of(other)
        assert exchange(node, "POST", CHAT, BODY, headers=[(HEADER, own)]).status == 200
        for headers in ([(HEADER, digest_of(other))], [(HEADER, OTHER)], [(HEADER, "")], [(HEADER, own[7:])], [(HEADER, own), (HEADER.lower(), OTHER)]):
            refused = exchange(node, "POST", CHAT, BODY, headers=headers)
            assert refused.status == 409 and refused.json()["error"]["code"] == "request.configuration_changed", (headers, refused.body)


def test_prompts_stay_with_the_configuration_that_was_verified(twins):
    first, second = twins
    before = second.metric("cloister_requests_total", route="chat_completions")
    switch = Switch(first, second)
    done = run("chat", switch.url, "my secret", "--accept-simulator")
    switch.close()
    assert done.returncode == 2 and "verify this node again" in done.stderr, done.stdout + done.stderr
    assert second.metric("cloister_requests_total", route="chat_completions") == before, "the other node answered nothing"
    switch = Switch(first, first)
    assert run("chat", switch.url, "my secret", "--accept-simulator").returncode == 0
    switch.close()


def test_nothing_more_is_said_after_a_rejected_reply(echo, between):
    def meddle(path, status, headers, body):
        return (status, headers, body.replace(b"one", b"0ne")) if path == CHAT else (status, headers, body)

    before = echo.metric("cloister_requests_total", route="chat_completions")
    chat = subprocess.run([str(BINARY), "chat", between(meddle), "--accept-simulator", "--no-stream"], input=b"one\none two\none three\n",
                          capture_output=True, timeout=60 * PATIENCE)
    assert chat.returncode == 1 and b"no further prompt is sent" in chat.stderr, chat.stderr
    assert echo.metric("cloister_requests_total", route="chat_completions") == before + 1


STRICT = "[nvidia]\nrequire_fwid = true\n"
LAX = "[nvidia]\nrequire_revocation = false\nrequire_fwid = false\nallow_certificate_hold = true\n"


@pytest.fixture
def keys_of(tmp_path):
    """look(name, *options) returns the addresses and the document of a node with these options, in one TEE."""
    def look(name, *options):
        node = Node(tmp_path / name, "--engine", "echo", "--require-gpu-tee", "on", *options, state=tmp_path / "state")
        try:
            addresses = {algorithm: node.get_json(f"/v1/attestation/report?signing_algo={algorithm}")["signing_address"] for algorithm in ("ecdsa", "ed25519")}
            return addresses, node.get_json("/v1/cloister/policy")["gpu"]
        finally:
            node.stop()

    return look


def test_what_gpus_must_be_decides_the_keys(keys_of, tmp_path):
    """Otherwise a client that keeps the key of the strict node would send its prompts to the lax one."""
    files = {"strict": STRICT, "lax": LAX}
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)
    options = {
        "default": [],
        "strict": ["--gpu-policy", tmp_path / "strict.toml"],
        "lax": ["--gpu-policy", tmp_path / "lax.toml"],
        "seldom": ["--gpu-policy", tmp_path / "strict.toml", "--gpu-check-seconds", 86400],
    }
    found = {name: keys_of(name, *given) for name, given in options.items()}
    for algorithm in ("ecdsa", "ed25519"):
        assert len({addresses[algorithm] for addresses, _ in found.values()}) == len(options), found
    for name in files:
        assert found[name][1]["policy"] == "sha256:" + hashlib.sha256(files[name].encode()).hexdigest()
    assert keys_of("strict again", *options["strict"]) == found["strict"]


def test_the_document_names_the_gpu_policy_that_is_in_force(tmp_path):
    """The file is read once. A later file of the same name says nothing about the gate."""
    policy, config = tmp_path / "gpu.toml", tmp_path / "node.toml"
    policy.write_text(LAX)
    config.write_text('[serve]\nlog-level = "info"\n')
    node = Node(tmp_path / "node", "--engine", "echo", "--require-gpu-tee", "on", "--gpu-policy", policy, "--config", config)
    try:
        before = node.get_json("/v1/cloister/policy")
        policy.write_text(STRICT)
        config.write_text('[serve]\nlog-level = "debug"\n')
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: node.get_json("/v1/cloister/policy")["logging"]["level"] == "debug", 20, "the change is in force")
        assert node.get_json("/v1/cloister/policy")["gpu"] == before["gpu"]
        assert before["gpu"]["policy"] == "sha256:" + hashlib.sha256(LAX.encode()).hexdigest()
    finally:
        node.kill()


def test_tokens_change_the_keys_where_they_part_the_prompt_cache(keys_of, tmp_path):
    tokens, more = tmp_path / "tokens.txt", tmp_path / "more.txt"
    tokens.write_text("token-of-the-tests-0123456789\n")
    more.write_text("another-token-of-the-tests-0123456789\n")

    def addresses(name, *options):
        return keys_of(name, *options)[0]

    shared = addresses("open")
    assert addresses("apart", "--api-key-file", tokens) != shared
    assert addresses("more", "--api-key-file", more) == addresses("apart again", "--api-key-file", tokens)
    assert addresses("together", "--api-key-file", tokens, "--share-prompt-cache") == shared
