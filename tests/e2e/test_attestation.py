"""The attestation report, its members and its evidence are parsed by hand. The tests use none of Cloister's own parsers."""

import base64
import hashlib
import json
import secrets
import socket
import ssl
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from support.evidence import GpuReport, Quote, replay
from support.node import own_seed, run
from support.rawhttp import exchange

pytestmark = pytest.mark.fast


def identity(report):
    """Returns the bytes that report_data binds: a 20-byte address or a 32-byte Ed25519 key."""
    return bytes.fromhex(report["signing_address"].removeprefix("0x"))


def get_report(node, **query):
    return node.get_json("/v1/attestation/report?" + urllib.parse.urlencode(query))


def gpu_reports(report):
    payload = json.loads(report["nvidia_payload"])
    return payload, [
        GpuReport(base64.b64decode(item["evidence"], validate=True), base64.b64decode(item["certificate"], validate=True))
        for item in payload["evidence_list"]
    ]


@pytest.mark.parametrize("algo", ["ecdsa", "ed25519"])
def test_members(echo, algo):
    nonce = secrets.token_hex(32)
    report = get_report(echo, model=echo.model(), nonce=nonce, signing_algo=algo)
    wanted = {
        "signing_address": str,
        "signing_public_key": str,
        "signing_algo": str,
        "request_nonce": str,
        "intel_quote": str,
        "quote": str,
        "nvidia_payload": str,
        "info": dict,
        "vm_config": str,
        "all_attestations": list,
        "tee_type": str,
    }
    for name, kind in wanted.items():
        assert isinstance(report[name], kind), (name, report.get(name))
    assert report["signing_algo"] == algo and report["request_nonce"] == nonce
    assert report["intel_quote"] == report["quote"] and bytes.fromhex(report["quote"])
    assert isinstance(report["event_log"], (list, str))
    assert {"app_id", "instance_id", "tcb_info"} <= set(report["info"])
    assert len(report["all_attestations"]) == 1
    (item,) = report["all_attestations"]
    assert item["signing_address"] == report["signing_address"] and item["intel_quote"] == report["intel_quote"]
    if algo == "ecdsa":
        assert len(report["signing_address"]) == 42 and len(report["signing_public_key"]) == 128
    else:
        assert len(report["signing_address"]) == 64 and report["signing_public_key"] == report["signing_address"]


def test_simulated_everywhere(attested):
    report = get_report(attested)
    assert report["tee_type"] == "insecure_simulator"
    assert json.loads(attested.get("/health")[2])["tee_type"] == "insecure_simulator"
    assert "simulat" in attested.log.lower()
    _, gpus = gpu_reports(report)
    for certificate in Quote(bytes.fromhex(report["quote"])).certificates() + gpus[0].chain:
        assert "INSECURE SIMULATOR" in certificate.subject.rfc4514_string()


def test_post_answers_as_get(echo):
    nonce = secrets.token_hex(32)
    body = json.dumps({"model": echo.model(), "nonce": nonce, "signing_algo": "ed25519"}).encode()
    reply = exchange(echo, "POST", "/v1/attestation/report", body)
    assert reply.status == 200
    report = reply.json()
    assert report["request_nonce"] == nonce and report["signing_algo"] == "ed25519"
    assert set(report) == set(get_report(echo, nonce=nonce))


def test_without_a_nonce_one_is_made(echo):
    report = get_report(echo)
    assert len(bytes.fromhex(report["request_nonce"])) == 32
    assert Quote(bytes.fromhex(report["quote"])).report_data[32:].hex() == report["request_nonce"]


def test_upper_case_nonce(echo):
    nonce = secrets.token_hex(32).upper()
    assert get_report(echo, nonce=nonce)["request_nonce"].upper() == nonce


@pytest.mark.parametrize("algo", ["ecdsa", "ed25519"])
def test_quote_and_layout_l1(attested, algo):
    nonce = secrets.token_bytes(32)
    report = get_report(attested, nonce=nonce.hex(), signing_algo=algo)
    quote = Quote(bytes.fromhex(report["quote"]))
    assert (quote.version, quote.key_type, quote.tee_type) == (4, 2, 0x81)
    assert quote.vendor == "939a7233f79c4ca9940a0db3957f0607" and quote.certification_type == 5
    quote.verify()
    assert quote.report_data == identity(report).ljust(32, b"\0") + nonce
    assert not quote.td_attributes[0], "no debug"


def test_event_log_replays_to_rtmr3(attested):
    report = get_report(attested)
    log = report["event_log"]
    log = json.loads(log) if isinstance(log, str) else log
    quote = Quote(bytes.fromhex(report["quote"]))
    assert replay(log, 3) == quote.rtmr[3] != bytes(48)
    names = [event["event"] for event in log if event["imr"] == 3]
    assert {"app-id", "compose-hash", "instance-id"} <= set(names)
    tcb_info = report["info"]["tcb_info"]
    tcb_info = json.loads(tcb_info) if isinstance(tcb_info, str) else tcb_info
    assert tcb_info["rtmr3"] == quote.rtmr[3].hex() and tcb_info["mrtd"] == quote.mr_td.hex()
    compose = hashlib.sha256(tcb_info["app_compose"].encode()).digest()
    assert next(event["event_payload"] for event in log if event["event"] == "compose-hash") == compose.hex()


def test_gpu_evidence(attested):
    nonce = secrets.token_bytes(32)
    payload, gpus = gpu_reports(get_report(attested, nonce=nonce.hex()))
    assert payload["nonce"] == nonce.hex() and payload["arch"] in ("HOPPER", "BLACKWELL")
    assert len(gpus) >= 1
    for gpu in gpus:
        gpu.verify()
        assert gpu.request_nonce == nonce
        assert gpu.measurement_count == 64 and len(gpu.chain) == 5


def test_every_report_is_fresh(echo):
    nonces = [secrets.token_hex(32) for _ in range(3)]
    quotes = {get_report(echo, nonce=nonce)["quote"] for nonce in nonces}
    assert len(quotes) == 3


def test_signing_address_asked_for(echo):
    report = get_report(echo)
    address = report["signing_address"]
    for spelling in (address, address.lower(), "0x" + address[2:].upper()):
        assert get_report(echo, signing_address=spelling)["signing_address"] == address
    reply = exchange(echo, "GET", "/v1/attestation/report?signing_address=0x" + "11" * 20)
    assert reply.status == 404 and "Signing address not found" in reply.json()["error"]["message"]


def test_unknown_model(echo):
    assert exchange(echo, "GET", "/v1/attestation/report?model=other").status == 404


def spki_of(node):
    context = ssl._create_unverified_context()
    with socket.create_connection((node.host, node.port)) as raw, context.wrap_socket(raw) as wrapped:
        assert wrapped.version() == "TLSv1.3"
        certificate = x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(serialization.Encoding.DER, form)


@pytest.mark.parametrize("algo", ["ecdsa", "ed25519"])
def test_layout_l2_binds_the_tls_key(tls, algo):
    nonce = secrets.token_bytes(32)
    report = get_report(tls, nonce=nonce.hex(), signing_algo=algo, include_tls_fingerprint="true")
    fingerprint = hashlib.sha256(spki_of(tls)).digest()
    assert report["tls_cert_fingerprint"] == fingerprint.hex()
    quote = Quote(bytes.fromhex(report["quote"]))
    quote.verify()
    assert quote.report_data == hashlib.sha256(identity(report) + fingerprint).digest() + nonce


def test_without_tls_there_is_no_fingerprint_to_bind(echo):
    reply = exchange(echo, "GET", "/v1/attestation/report?include_tls_fingerprint=true")
    assert reply.status == 400 and "TLS" in reply.json()["error"]["message"]


def test_no_tee_no_report(start):
    node = start("--engine", "echo", "--tee", "none", "--gpu", "none", simulated=False)
    reply = exchange(node, "GET", "/v1/attestation/report")
    assert reply.status == 503 and "TEE" in reply.json()["error"]["message"]


@own_seed
def test_keys_are_stable_across_restarts_and_bound_to_the_seed(start, tmp_path):
    def addresses(node):
        return [get_report(node, signing_algo=algo)["signing_address"] for algo in ("ecdsa", "ed25519")]

    first = start("--engine", "echo", state=tmp_path / "a")
    before = addresses(first)
    assert first.stop() == 0
    again = start("--engine", "echo", state=tmp_path / "a")
    beside = start("--engine", "echo", state=tmp_path / "b")
    assert addresses(again) == before
    assert not set(addresses(beside)) & set(before)
    for seed in (tmp_path / "a").rglob("*seed*"):
        assert seed.stat().st_mode & 0o077 == 0, f"{seed} can be read by others"


def test_verify_host_accepts_and_refuses(attested):
    accepted = run("verify", "host", attested.url, "--accept-simulator", "--json")
    verdict = json.loads(accepted.stdout)
    assert accepted.returncode == 0 and verdict["verdict"] == "accepted", accepted.stdout
    assert verdict["facts"]["tee_type"] == "insecure_simulator"
    required = [check for check in verdict["checks"] if check["required"]]
    assert len(required) > 10 and all(check["state"] in ("pass", "n/a") for check in required)
    refused = run("verify", "host", attested.url, "--json")
    assert refused.returncode == 1
    failed = [check["id"] for check in json.loads(refused.stdout)["checks"] if check["state"] == "fail"]
    assert failed == ["tee.simulator"]


def test_verify_host_over_tls_binds_the_channel(tls):
    result = run("verify", "host", tls.url, "--accept-simulator", "--allow-self-signed", "--json")
    checks = {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 0 and checks["report_data.tls"] == "pass"


@pytest.mark.parametrize("algo", ["ecdsa", "ed25519"])
def test_verify_saved_report(attested, tmp_path, algo):
    saved = tmp_path / "report.json"
    result = run("verify", "host", attested.url, "--accept-simulator", "--signing-algo", algo, "--save", saved, "--json")
    nonce = json.loads(result.stdout)["facts"]["nonce"]
    assert run("verify", "report", saved, "--nonce", nonce, "--accept-simulator").returncode == 0
    other = run("verify", "report", saved, "--nonce", "11" * 32, "--accept-simulator", "--json")
    failed = {check["id"] for check in json.loads(other.stdout)["checks"] if check["state"] == "fail"}
    assert other.returncode == 1 and {"report.nonce", "report_data.nonce", "nvidia.gpu.0.nonce"} <= failed
    without = run("verify", "report", saved, "--accept-simulator", "--json")
    assert without.returncode == 3, "freshness could not be judged"


def test_verify_text_names_the_simulator(echo):
    result = run("verify", "host", echo.url, "--accept-simulator")
    assert result.returncode == 0 and "simulat" in result.stdout.lower() and "\x1b" not in result.stdout


def test_verify_usage_errors(tmp_path, echo):
    assert run("verify", "host", "ftp://nowhere").returncode == 2
    assert run("verify", "report", tmp_path / "missing").returncode == 2
    assert run("verify", "host", "http://127.0.0.1:9", timeout=30).returncode in (2, 3)
    assert run("verify", "report", "/dev/null", "--nonce", "xyz").returncode == 2
    assert run("verify").returncode == 2
