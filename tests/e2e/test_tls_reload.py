"""SIGHUP loads a renewed certificate. New connections get it, old ones go on, and the node's proofs of its identity name the new key."""

import hashlib
import http.client
import json
import secrets
import signal
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.node import run, wait_until

pytestmark = pytest.mark.fast

CHAT = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x"}]}).encode()


class Pair:
    """A certificate and its key in two files, as an operator has them."""

    def __init__(self, folder):
        self.certificate, self.key = folder / "chain.pem", folder / "key.pem"

    def make_key(self):
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key)
        return self

    def certify(self, name):
        self._openssl("req", "-x509", "-key", self.key, "-subj", f"/CN={name}", "-days", 30, "-out", self.certificate)
        return self

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)


def fingerprint(certificate):
    return hashlib.sha256(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def seen(node):
    """Returns what a new connection is shown: the name in the certificate, and the fingerprint of its key."""
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate((node.host, node.port), timeout=30).encode())
    return certificate.subject.rfc4514_string(), fingerprint(certificate)


class Client:
    """One connection that stays open."""

    def __init__(self, node):
        self._connection = http.client.HTTPSConnection(node.host, node.port, timeout=60, context=ssl._create_unverified_context())
        self._connection.connect()
        self.socket = self._connection.sock

    def certificate(self):
        return x509.load_der_x509_certificate(self.socket.getpeercert(True)).subject.rfc4514_string()

    def ask(self):
        self._connection.request("POST", "/v1/chat/completions", CHAT, {"content-type": "application/json"})
        reply = self._connection.getresponse()
        reply.read()
        assert self._connection.sock is self.socket, "still the same connection"
        return reply.status


def keyset_keys(node):
    return marks(node.get_json("/v1/cloister/keyset"))


def marks(keyset):
    """A key that the operator supplied is listed under its own mark, and not among the TEE's own keys."""
    assert keyset["tls_public_keys"] == []
    return [each["public_key"] for each in keyset["e2ee_public_keys"] if each["algo"] == "cloister.tls.given"]


def reload(node, says):
    before = len(node.log)
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: says in node.log[before:], 20, f"the log says {says!r}")


@pytest.fixture
def served(start, tmp_path):
    pair = Pair(tmp_path).make_key().certify("first")
    return start("--engine", "echo", "--tls-cert", pair.certificate, "--tls-key", pair.key), pair


def test_a_renewed_certificate_of_the_same_key(served):
    node, pair = served
    name, key = seen(node)
    assert name == "CN=first" and keyset_keys(node) == [key]
    digest = node.get("/health")[1]["x-aci-keyset-digest"]
    old = Client(node)
    assert old.ask() == 200
    pair.certify("renewed")
    reload(node, "reloaded")
    assert seen(node) == ("CN=renewed", key)
    assert old.ask() == 200 and old.certificate() == "CN=first", "who is connected stays connected"
    assert Client(node).certificate() == "CN=renewed"
    assert node.get("/health")[1]["x-aci-keyset-digest"] == digest, "the same key is the same identity"
    assert node.stop() == 0
    assert "PRIVATE KEY" not in node.log


def test_another_key_is_another_identity(served, tmp_path):
    node, pair = served
    _, before = seen(node)
    old = Client(node)
    former = node.get("/health")[1]["x-aci-keyset-digest"]
    cached = node.get_json("/v1/attestation/report?include_tls_fingerprint=true")
    assert cached["tls_cert_fingerprint"] == before
    pair.make_key().certify("second")
    reload(node, "reloaded")
    name, key = seen(node)
    assert name == "CN=second" and key != before and keyset_keys(node) == [key]
    assert node.get("/health")[1]["x-aci-keyset-digest"] != former
    assert old.ask() == 200 and old.certificate() == "CN=first"
    # The shared report has the new key at once, and a verifier accepts the node.
    assert node.get_json("/v1/attestation/report?include_tls_fingerprint=true")["tls_cert_fingerprint"] == key
    report = node.get_json(f"/v1/cloister/attestation?nonce={secrets.token_hex(32)}")
    assert marks(report["keyset"]) == [key]
    policy = tmp_path / "policy.toml"
    policy.write_text("[service]\naccept_unproven_tls_keys = true\n")
    result = run("verify", "host", node.url, "--accept-simulator", "--allow-self-signed", "--json", "--policy", policy)
    checks = {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 0 and checks["report_data.tls"] == "pass", result.stdout
    # Receipts from before the change name the former keyset, so the node keeps it.
    status, _, text = node.get(f"/v1/cloister/keyset?digest={former}")
    assert status == 200 and f"sha256:{hashlib.sha256(text).hexdigest()}" == former


@pytest.mark.parametrize("fault", ["the key of another", "no certificate", "no key", "garbage"])
def test_a_bad_pair_keeps_the_old_one(served, fault):
    node, pair = served
    before, digest = seen(node), node.get("/health")[1]["x-aci-keyset-digest"]
    if fault == "the key of another":
        pair.make_key()
    elif fault == "garbage":
        pair.certificate.write_bytes(b"\x00\xff" * 1000)
    else:
        (pair.certificate if fault == "no certificate" else pair.key).unlink()
    reload(node, "the TLS certificate stays as it was")
    assert seen(node) == before and node.get("/health")[1]["x-aci-keyset-digest"] == digest
    assert node.post("/v1/chat/completions", json.loads(CHAT))[0] == 200
    pair.make_key().certify("mended")
    reload(node, "reloaded")
    assert seen(node)[0] == "CN=mended"


def test_a_self_signed_certificate_is_made_again(start):
    node = start("--engine", "echo", "--tls", "self-signed")
    _, key = seen(node)
    serial = x509.load_pem_x509_certificate(ssl.get_server_certificate((node.host, node.port)).encode()).serial_number
    reload(node, "reloaded")
    renewed = x509.load_pem_x509_certificate(ssl.get_server_certificate((node.host, node.port)).encode())
    assert fingerprint(renewed) == key and renewed.serial_number != serial
