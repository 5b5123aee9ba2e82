"""A TLS key that the operator supplied. Anybody who has that key can end connections in front of the TEE and read everything, so no verdict
may accept it as the TEE's key."""

import contextlib
import hashlib
import json
import secrets
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.node import run, wait_until

pytestmark = pytest.mark.fast

FORMS = {
    "legacy": "/v1/attestation/report?include_tls_fingerprint=true&nonce=",
    "aci": "/v1/aci/attestation?nonce=",
    "native": "/v1/cloister/attestation?nonce=",
}
VERIFY = ("--accept-simulator", "--allow-self-signed", "--json")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)


@pytest.fixture
def pair(tmp_path):
    """Returns (certificate, key) as an operator has them."""
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    openssl("req", "-x509", "-key", key, "-subj", "/CN=node", "-days", 30, "-out", certificate)
    return certificate, key


@pytest.fixture
def given(start, pair):
    return start("--engine", "echo", "--tls-cert", pair[0], "--tls-key", pair[1])


class Terminator:
    """Ends TLS in front of a node with the node's own key, reads everything, and passes it on after `change`."""

    def __init__(self, node, pair, change=lambda data: data):
        self.node, self.change, self.read = node, change, b""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*map(str, pair))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, raw):
        with contextlib.suppress(OSError), self.context.wrap_socket(raw, server_side=True) as client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536) or b"\r\n\r\n"
            head, _, body = request.partition(b"\r\n\r\n")
            size = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
            while len(body) < size:
                body += client.recv(65536)
            self.read += body
            method, path = head.split(b" ")[:2]
            status, headers, answer = self.node.request(method.decode(), path.decode(), body or None,
                                                        {"content-type": "application/json"} if body else {})
            answer = self.change(answer)
            kept = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name.lower().startswith("x-"))
            client.sendall(f"HTTP/1.1 {status} X\r\ncontent-type: {headers['content-type']}\r\n{kept}connection: close\r\n"
                           f"content-length: {len(answer)}\r\n\r\n".encode() + answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def check(result, name):
    return next(one for one in json.loads(result.stdout)["checks"] if one["id"] == name)


def test_a_terminator_with_the_same_key_is_not_accepted(given, pair):
    with Terminator(given, pair) as middle:
        result = run("verify", "host", middle.url, *VERIFY)
        assert result.returncode == 3, result.stdout
        tls = check(result, "report_data.tls")
        assert tls["state"] == "skipped" and tls["required"] and "given" in tls["detail"]
        # The prompt is not sent.
        said = run("chat", middle.url, "my secret", "--accept-simulator", "--allow-self-signed")
        assert said.returncode == 3 and b"my secret" not in middle.read, said.stdout + said.stderr


@pytest.mark.parametrize("member", ["cloister_policy", "policy"])
def test_a_terminator_cannot_say_that_the_key_was_born(given, pair, start, member):
    """Nothing binds what the machine in the middle can change, and it cannot change what is bound. Nodes of version 0.1 also showed the
    document as `policy`."""
    own = start("--engine", "echo", "--tls", "self-signed")
    of_another = own.get_json("/v1/attestation/report?include_tls_fingerprint=true")["cloister_policy"]

    def lie(data):
        with contextlib.suppress(ValueError):
            report = json.loads(data)
            for one in [report, *report.get("all_attestations", [])] if isinstance(report, dict) else []:
                if "tls_key_origin" in one:
                    if member == "policy":
                        one.pop("cloister_policy", None)
                    one["tls_key_origin"], one[member] = "born", of_another
            return json.dumps(report).encode()
        return data

    with Terminator(given, pair, lie) as middle:
        result = run("verify", "host", middle.url, *VERIFY)
        assert result.returncode == 3 and check(result, "report_data.tls")["state"] == "skipped", result.stdout


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_report_passes_over_a_given_key(given, tmp_path, form):
    nonce = secrets.token_hex(32)
    report = tmp_path / "report.json"
    report.write_bytes(given.get(FORMS[form] + nonce)[2])
    result = run("verify", "report", report, "--nonce", nonce, "--accept-simulator", "--json")
    assert result.returncode == 3, result.stdout
    tls = check(result, "report_data.tls")
    assert tls["state"] == "skipped" and tls["required"]


@pytest.mark.parametrize("left_out", [("tls_key_origin", "policy"), ("tls_key_origin", "policy", "cloister_policy")], ids=lambda names: "-".join(names))
def test_leaving_out_what_tells_of_the_key_does_not_help(given, tmp_path, left_out):
    nonce = secrets.token_hex(32)
    report = given.get_json(FORMS["legacy"] + nonce)
    for name in (*left_out, "all_attestations"):
        report.pop(name, None)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    result = run("verify", "report", path, "--nonce", nonce, "--accept-simulator", "--offline", "--json")
    assert result.returncode == 3, result.stdout
    tls = check(result, "report_data.tls")
    assert tls["state"] == "skipped" and tls["required"], tls


def test_the_keyset_marks_the_key_and_does_not_list_it(given):
    """ACI, section 3.3, says that a key outside the TEE's custody must not be listed."""
    keyset = given.get_json("/v1/cloister/keyset")
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate((given.host, given.port)).encode())
    spki = hashlib.sha256(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    assert keyset["tls_public_keys"] == []
    assert {"key_id": "tls-1", "algo": "cloister.tls.given", "public_key": spki} in keyset["e2ee_public_keys"]
    assert "downstream_tls_binding" not in given.get_json("/v1/aci/attestation")["attestation"]["evidence"]


def test_whoever_trusts_the_operator_says_so(given, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("[service]\naccept_unproven_tls_keys = true\n")
    result = run("verify", "host", given.url, *VERIFY, "--policy", policy)
    assert result.returncode == 0, result.stdout
    assert "outside" in check(result, "report_data.tls")["detail"]


def test_a_key_of_the_tee_is_accepted(start):
    result = run("verify", "host", start("--engine", "echo", "--tls", "self-signed").url, *VERIFY)
    assert result.returncode == 0 and check(result, "report_data.tls")["state"] == "pass", result.stdout


def reload(node, says):
    before = len(node.log)
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: says in node.log[before:], 20, f"the log says {says!r}")


def test_a_key_of_the_tee_gets_a_certificate_of_the_web(start, tmp_path, monkeypatch, pair):
    """The certificate request leaves the node and the chain comes back. The key never leaves it."""
    chain = tmp_path / "web.pem"
    node = start("--engine", "echo", "--tls", "tee-key", "--tls-name", "localhost", "--tls-cert", chain)
    digest = node.get("/health")[1]["x-aci-keyset-digest"]
    assert "a self-signed certificate is shown" in node.log
    request = node.state / "tls.csr"
    assert node.get("/v1/cloister/tls-request")[2] == request.read_bytes()
    assert "PRIVATE" not in request.read_text()

    authority, authority_key = tmp_path / "ca.pem", tmp_path / "ca.key"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", authority_key)
    openssl("req", "-x509", "-key", authority_key, "-subj", "/CN=authority", "-days", 30, "-out", authority)
    # The node does not take a chain for another key.
    chain.write_bytes(pair[0].read_bytes())
    reload(node, "the TLS certificate stays as it was")
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-days", 30, "-copy_extensions", "copy", "-out", chain)
    reload(node, "reloaded")
    shown = x509.load_pem_x509_certificate(ssl.get_server_certificate((node.host, node.port)).encode())
    assert shown.issuer.rfc4514_string() == "CN=authority"
    assert node.get("/health")[1]["x-aci-keyset-digest"] == digest, "the same key is the same identity"

    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    result = run("verify", "host", node.url.replace("127.0.0.1", "localhost"), "--accept-simulator", "--json")
    assert result.returncode == 0 and check(result, "report_data.tls")["state"] == "pass", result.stdout + result.stderr
    assert node.get_json("/v1/cloister/policy")["listen"]["tls"] == "tee-key"


@pytest.mark.parametrize("options", [("--tls", "tee-key"), ("--tls", "tee-key", "--tls-name", "a b"),
                                     ("--tls", "self-signed", "--tls-cert", "PAIR"), ("--tls-cert", "PAIR"),
                                     ("--tls", "tee-key", "--tls-name", "a", "--tls-cert", "PAIR", "--tls-key", "PAIR")])
def test_options_that_contradict_each_other(tmp_path, pair, options):
    options = [str(pair[0]) if option == "PAIR" else option for option in options]
    result = run("serve", "--engine", "echo", "--tee", "insecure-simulator", "--state", tmp_path / "state", "--listen", "127.0.0.1:0", *options)
    assert result.returncode == 2 and "--tls" in result.stderr or "certificate request" in result.stderr, result.stderr
