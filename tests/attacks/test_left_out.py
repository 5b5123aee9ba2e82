"""A yes by omission: what the verifier's user left out, forgot to fill, or failed to set turns an undetermined verdict into an accepted one."""

import hashlib
import json
import secrets
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.node import run

pytestmark = pytest.mark.fast

FORMS = {
    "legacy": "/v1/attestation/report?nonce=",
    "legacy with its key": "/v1/attestation/report?include_tls_fingerprint=true&nonce=",
    "aci": "/v1/aci/attestation?nonce=",
    "native": "/v1/cloister/attestation?nonce=",
}
ACCEPT = ("--accept-simulator", "--offline")


@pytest.fixture
def secure(start):
    return start("--engine", "echo", "--tls", "self-signed")


def key_of(node):
    """SHA-256 of the SubjectPublicKeyInfo that a connection to the node shows."""
    host, port = node.url.removeprefix("https://").split(":")
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate((host, int(port))).encode())
    return hashlib.sha256(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def state_of(result, name):
    checks = {check["id"]: check for check in json.loads(result.stdout)["checks"]}
    return checks[name]["state"], checks[name]["required"]


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
@pytest.mark.parametrize("form", FORMS)
def test_the_key_of_the_connection(secure, tmp_path, form):
    """Anybody in the way of a connection can pass a genuine report on: only the key of the connection tells."""
    nonce = secrets.token_hex(32)
    report = tmp_path / "report.json"
    report.write_bytes(secure.get(FORMS[form] + nonce)[2])
    judge = ["verify", "report", report, "--nonce", nonce, *ACCEPT]
    left_out = run(*judge, "--json")
    assert left_out.returncode == 3, left_out.stdout
    assert state_of(left_out, "policy.tls") == ("skipped", True)
    document = run(*judge, "--as-document", "--json")
    assert document.returncode == 0, document.stdout
    assert state_of(document, "report_data.tls")[0] != "pass"
    other = run(*judge, "--tls-key", "11" * 32, "--json")
    assert other.returncode == 1 and state_of(other, "report_data.tls")[0] == "fail"
    if form == "legacy":   # it binds no key at all
        return
    given = run(*judge, "--tls-key", key_of(secure), "--json")
    assert given.returncode == 0 and state_of(given, "report_data.tls")[0] == state_of(given, "policy.tls")[0] == "pass", given.stdout


@pytest.mark.own_seed
@pytest.mark.parametrize("form", FORMS)
def test_a_nonce_that_nobody_filled(echo, tmp_path, form):
    if "key" in form:
        return
    report = tmp_path / "report.json"
    report.write_bytes(echo.get(FORMS[form] + "00" * 32)[2])
    refused = run("verify", "report", report, "--nonce", "00" * 32, "--as-document", *ACCEPT)
    assert refused.returncode == 2 and "all zeros" in refused.stderr


def test_report_data_that_nobody_filled(tmp_path):
    quote = tmp_path / "quote"
    quote.write_bytes(b"\x04\x00" + b"\x00" * 1000)
    for arguments in (["quote", quote], ["snp", quote]):
        assert run("verify", *arguments, "--report-data", "00" * 64, "--offline").returncode == 2
    policy = tmp_path / "policy.toml"
    policy.write_text(f'report_data = ["{"00" * 64}"]\n')
    refused = run("verify", "quote", quote, "--policy", policy, "--offline")
    assert refused.returncode == 2 and "report_data" in refused.stderr


@pytest.mark.parametrize("content", ["", "\n", "# accept_simulator = true\n", "[boot]\n"])
def test_a_policy_that_sets_nothing(echo, tmp_path, content):
    policy = tmp_path / "policy.toml"
    policy.write_text(content)
    for command in (["verify", "host", echo.url], ["chat", echo.url, "x"]):
        refused = run(*command, "--policy", policy, "--accept-simulator")
        assert refused.returncode == 2 and "sets nothing" in refused.stderr, refused.stderr


def test_a_key_and_no_connection_contradict_each_other(tmp_path):
    report = tmp_path / "report.json"
    report.write_text("{}")
    refused = run("verify", "report", report, "--as-document", "--tls-key", "11" * 32)
    assert refused.returncode == 2 and "--tls-key" in refused.stderr
    for wrong in ("11", "zz" * 32, "", "00" * 32):
        assert run("verify", "report", report, "--tls-key", wrong).returncode == 2
