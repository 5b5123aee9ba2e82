"""A machine between `cloister chat` and its node. It passes the first connections on unchanged, so that the attested handshake is the
node's. It then ends the next connection itself with another certificate. It must read no prompt and no token."""

import datetime
import ipaddress
import json
import os
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from support.fixtures import TOKEN
from support.node import Node, run

PROMPT = "the-very-secret-prompt"
# The requests of `cloister chat` with one prompt, in order. Each has its own connection.
REQUESTS = ["report", "models", "completion", "signature", "receipt"]


def make_identity(folder, kind="ec"):
    """Makes a certificate for the loopback with the middle's own key and returns the path of both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the middle")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30)).add_extension(names, False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256())
    )
    path = folder / f"middle-{kind}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Middle:
    """Passes bytes on. It ends the connections that `takes(number)` selects itself, and passes on what it has read from them."""

    def __init__(self, node, identity, takes, version=None):
        self.node, self.takes = node, takes
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity)
        if version is not None:
            self.context.minimum_version = self.context.maximum_version = version
        self.read = bytearray()      # in plain text
        self.connections = 0
        self.handshakes = 0          # handshakes that the middle ended and the client completed
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                number = self.connections
                self.connections += 1
            threading.Thread(target=self.serve, args=(client, number), daemon=True).start()

    def serve(self, client, number):
        try:
            server = socket.create_connection((self.node.host, self.node.port), timeout=30)
            taken = self.takes(number)
            if taken:
                client = self.context.wrap_socket(client, server_side=True)
                self.handshakes += 1
                server = ssl._create_unverified_context().wrap_socket(server)
            threading.Thread(target=self.pump, args=(server, client, False), daemon=True).start()
            self.pump(client, server, taken)
        except OSError:
            client.close()

    def pump(self, source, sink, recorded):
        try:
            while data := source.recv(65536):
                if recorded:
                    self.read += data
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


@pytest.fixture(scope="module")
def private_node(tmp_path_factory):
    """A node with TLS that needs a token."""
    folder = tmp_path_factory.mktemp("middle")
    (folder / "tokens").write_text(TOKEN + "\n")
    node = Node(folder / "node", "--engine", "echo", "--tls", "self-signed", "--api-key-file", folder / "tokens")
    yield node
    node.kill()


@pytest.fixture
def middle(private_node, tmp_path):
    made = []

    def make(takes, kind="ec", version=None):
        made.append(Middle(private_node, make_identity(tmp_path, kind), takes, version))
        return made[-1]

    yield make
    for one in made:
        one.close()


def chat(url, *options, **more):
    return run("chat", url, PROMPT, "--accept-simulator", "--no-stream", *options, **more)


def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


def test_a_middle_that_only_passes_on_is_the_nodes_way(middle, tmp_path):
    passing = middle(lambda number: False)
    result = chat(passing.url, "--allow-self-signed", "--token-file", token_file(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert passing.connections == len(REQUESTS), "each request is named in REQUESTS"


@pytest.mark.parametrize("kind,version", [("ec", None), ("rsa", ssl.TLSVersion.TLSv1_2)])
@pytest.mark.parametrize("first", range(len(REQUESTS)), ids=REQUESTS)
def test_a_middle_that_takes_over_reads_nothing(middle, tmp_path, first, kind, version):
    taking = middle(lambda number: number >= first, kind, version)
    result = chat(taking.url, "--allow-self-signed", "--token-file", token_file(tmp_path))
    assert result.returncode != 0
    assert "verdict: accepted" not in result.stdout
    assert PROMPT.encode() not in taking.read and TOKEN.encode() not in taking.read
    if first > 0:
        assert taking.handshakes == 0 and not taking.read, "the key is compared in the handshake"
        assert "another TLS key" in result.stderr
        assert taking.connections == first + 1, "nobody asks again"


def test_a_certificate_that_the_web_trusts_changes_nothing(middle, private_node, tmp_path):
    """The authority that the client trusts has issued the middle's certificate. The client trusts the node's certificate as well."""
    pem = ssl.get_server_certificate((private_node.host, private_node.port))
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(pem + make_identity(tmp_path).read_text().split("-----END PRIVATE KEY-----\n")[1])
    environment = {**os.environ, "SSL_CERT_FILE": str(trusted), "SSL_CERT_DIR": str(tmp_path / "none")}
    taking = Middle(private_node, tmp_path / "middle-ec.pem", lambda number: number == 2)
    result = chat(taking.url, "--token-file", token_file(tmp_path), env=environment)
    taking.close()
    assert result.returncode == 2 and "another TLS key" in result.stderr, result.stdout + result.stderr
    assert taking.connections == 3 and not taking.read


def test_one_connection_among_others(middle, tmp_path):
    """The middle ends only the prompt's connection, both for a streamed reply and in a conversation."""
    taking = middle(lambda number: number == 2)
    for options in ([], ["--model", "echo"]):
        result = run("chat", taking.url, PROMPT, "--accept-simulator", "--allow-self-signed", *options, "--token-file", token_file(tmp_path))
        assert PROMPT.encode() not in taking.read and TOKEN.encode() not in taking.read
        if not options:
            assert result.returncode == 2, result.stdout
    later = middle(lambda number: number >= 5)
    result = run("chat", later.url, "--accept-simulator", "--allow-self-signed", "--token-file", token_file(tmp_path),
                 input=f"first\n{PROMPT}\n")
    assert "| first" in result.stdout and result.returncode == 2 and not later.read


def test_the_token_goes_to_nobody_who_is_not_verified(middle, private_node, tmp_path):
    """The middle ends every connection, from the first report on. The client refuses the node."""
    environment = {**os.environ, "CLOISTER_TOKEN": TOKEN}
    taking = middle(lambda number: True)
    for command in (["chat", taking.url, PROMPT], ["verify", "host", taking.url]):
        result = run(*command, "--accept-simulator", "--allow-self-signed", "--json", env=environment)
        assert result.returncode == 1, result.stdout + result.stderr
        assert [one["id"] for one in json.loads(result.stdout)["checks"] if one["state"] == "fail"] == ["report_data.tls"]
    assert run("chat", taking.url, PROMPT, "--allow-self-signed", env=environment).returncode == 1
    assert b"/v1/cloister/attestation" in taking.read
    assert TOKEN.encode() not in taking.read and PROMPT.encode() not in taking.read
