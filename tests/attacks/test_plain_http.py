"""Plain http to another machine can be read by everybody on the way. The commands refuse it before a byte is sent, unless --insecure-http
is given; the verdict then says so. The tests also cover other ways by which bytes could leave this machine unnoticed: names, redirects
and proxies."""

import http.server
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading

import pytest

from support.fixtures import TOKEN
from support.node import BINARY, PATIENCE, Node, run

PROMPT = "the-very-secret-prompt"


def address_of_this_machine():
    """Returns an address of this machine that is not on the loopback, or None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return None
        own = probe.getsockname()[0]
    return None if own.startswith("127.") else own


OUTSIDE = address_of_this_machine()
outside = pytest.mark.skipif(OUTSIDE is None, reason="this machine has no address but the loopback's")


class Recorder:
    """Accepts connections on every address and keeps the bytes that arrive."""

    def __init__(self):
        self.listener = socket.create_server(("", 0))
        self.port = self.listener.getsockname()[1]
        self.connections, self.read = 0, bytearray()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with client:
                client.settimeout(2)
                try:
                    self.read += client.recv(65536)
                    client.sendall(b"HTTP/1.1 500 no\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                except OSError:
                    pass

    def close(self):
        self.listener.close()


@pytest.fixture
def recorder():
    made = Recorder()
    yield made
    made.close()


@pytest.fixture(scope="module")
def open_node(tmp_path_factory):
    """A node with plain http on every address, which needs a token."""
    folder = tmp_path_factory.mktemp("open")
    (folder / "tokens").write_text(TOKEN + "\n")
    node = Node(folder / "node", "--engine", "echo", "--api-key-file", folder / "tokens", listen="0.0.0.0:0", wait=False)
    node.url = f"http://127.0.0.1:{node.port}"
    node.wait_healthy()
    yield node
    node.kill()


@pytest.fixture(scope="module")
def open_node_without_tokens(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("open2") / "node", "--engine", "echo", "--no-auth", listen="0.0.0.0:0", wait=False)
    node.url = f"http://127.0.0.1:{node.port}"
    node.wait_healthy()
    yield node
    node.kill()


# Other machines can reach these nodes without TLS and without tokens, which the verifier's policy has to allow (policy.tls,
# policy.prompt_cache). These tests are about the connection that the commands make.
POLICY = pathlib.Path(tempfile.mkdtemp()) / "policy.toml"
POLICY.write_text("[service]\nallow_plain_http = true\nallow_shared_prompt_cache = true\n")
ACCEPT = ["--accept-simulator", "--policy", str(POLICY)]


def both(url, *options, **more):
    """Runs the two commands that talk to a node."""
    yield run("chat", url, PROMPT, *ACCEPT, *options, timeout=20, **more)
    yield run("verify", "host", url, *ACCEPT, *options, timeout=20, **more)


@outside
def test_http_to_another_machine_is_refused_before_a_byte(recorder):
    for result in both(f"http://{OUTSIDE}:{recorder.port}"):
        assert result.returncode == 2 and "another machine" in result.stderr, result.stdout + result.stderr
        assert "accepted" not in result.stdout
    assert recorder.connections == 0


@pytest.mark.parametrize("host", ["198.51.100.7", "10.9.8.7", "[fd00::1234]", "[2001:db8::1]", "[::ffff:198.51.100.7]", "0.0.0.0",
                                  "[::]", "3325256711", "128.0.0.1", "126.255.255.255"])
def test_addresses_of_other_machines(host):
    for result in both(f"http://{host}:9"):
        assert result.returncode == 2 and "another machine" in result.stderr, (host, result.stderr)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]", "127.8.9.10"])
def test_the_loopback_stays_allowed(open_node_without_tokens, host):
    for result in both(f"http://{host}:{open_node_without_tokens.port}"):
        assert result.returncode == 0, (host, result.stdout + result.stderr)
        assert "NOT ENCRYPTED" not in result.stdout


def test_a_name_counts_by_its_address(recorder, tmp_path, open_node_without_tokens):
    """localhost.evil is another machine when it has another machine's address. So is a "localhost" that also has another address."""
    hosts = tmp_path / "hosts"
    other = OUTSIDE or "198.51.100.7"
    hosts.write_text(f"127.0.0.1 localhost\n{other} localhost.evil\n127.0.0.1 mixed.evil\n{other} mixed.evil\n127.0.0.1 ours.example\n")

    def with_hosts(*arguments):
        script = f'mount --bind "{hosts}" /etc/hosts && exec "$0" "$@"'
        return subprocess.run(["unshare", "--mount", "sh", "-c", script, str(BINARY), *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=30 * PATIENCE)

    url = f"http://ours.example:{open_node_without_tokens.port}"
    result = with_hosts("verify", "host", url, *ACCEPT)
    if result.returncode != 0 and ("unshare" in result.stderr or "mount" in result.stderr):
        pytest.skip("names of a test's own need a mount namespace")
    assert result.returncode == 0, result.stderr
    for name in ("localhost.evil", "mixed.evil"):
        result = with_hosts("chat", f"http://{name}:{recorder.port}", PROMPT, "--accept-simulator")
        assert result.returncode == 2 and "another machine" in result.stderr, (name, result.stdout + result.stderr)
    assert recorder.connections == 0


@outside
def test_insecure_http_is_said_by_the_verdict(open_node_without_tokens):
    url = f"http://{OUTSIDE}:{open_node_without_tokens.port}"
    for result in both(url, "--insecure-http"):
        assert result.returncode == 0, result.stdout + result.stderr
        assert "THE CONNECTION IS NOT ENCRYPTED" in result.stdout
    for result in both(url, "--insecure-http", "--json"):
        verdict = json.loads(result.stdout)
        verdict = verdict.get("verdict") if isinstance(verdict.get("verdict"), dict) else verdict
        assert verdict["facts"]["connection"] == "insecure_http"
        [check] = [one for one in verdict["checks"] if one["id"] == "connection.encryption"]
        assert check["state"] == "skipped"


@outside
def test_a_token_never_goes_to_another_machine_over_http(open_node, recorder, tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    before = open_node.metric("cloister_requests_total", {"authorization": f"Bearer {TOKEN}"}, route="chat_completions")
    policy = tmp_path / "policy.toml"
    policy.write_text("[service]\nallow_plain_http = true\n")
    environment = {**os.environ, "CLOISTER_TOKEN": TOKEN}
    for options, more in ((["--token-file", token, "--policy", policy], {}), (["--policy", policy], {"env": environment})):
        result = run("chat", f"http://{OUTSIDE}:{open_node.port}", PROMPT, "--accept-simulator", "--insecure-http", *options, **more)
        assert result.returncode == 2 and "token" in result.stderr, result.stdout + result.stderr
        run("chat", f"http://{OUTSIDE}:{recorder.port}", PROMPT, "--accept-simulator", "--insecure-http", *options, **more)
    assert open_node.metric("cloister_requests_total", {"authorization": f"Bearer {TOKEN}"}, route="chat_completions") == before
    assert TOKEN.encode() not in recorder.read and PROMPT.encode() not in recorder.read


class Redirect(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.send_response(self.server.status)
        self.send_header("location", self.server.target + self.path)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(recorder, status):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirect)
    server.status, server.target = status, f"http://127.0.0.1:{recorder.port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for result in both(f"http://127.0.0.1:{server.server_address[1]}"):
        assert result.returncode == 2 and str(status) in result.stderr
    server.shutdown()
    assert recorder.connections == 0


def test_proxies_of_the_environment_are_not_used(recorder, open_node_without_tokens):
    proxy = f"http://127.0.0.1:{recorder.port}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    environment = {**{name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}, **{name: proxy for name in names}}
    for result in both(open_node_without_tokens.url, env=environment):
        assert result.returncode == 0, result.stderr
    assert recorder.connections == 0
