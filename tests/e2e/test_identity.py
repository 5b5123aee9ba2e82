"""The statements with which a node proves its identity: keyset, ACI report, native report and measured policy. The tests build the
statements by hand, and the program gives the verdicts."""

import base64
import hashlib
import json
import re
import secrets
import signal
import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from support import spec
from support.fixtures import TOKEN
from support.agent import Agent
from support.evidence import GpuReport, Quote, replay
from support.node import own_seed, run, wait_until
from support.rawhttp import Connection, exchange

pytestmark = pytest.mark.fast

ACI, NATIVE, LEGACY = "/v1/aci/attestation", "/v1/cloister/attestation", "/v1/attestation/report"
DAY = 86400


def canonical(document):
    return spec.canonical(document).decode()


def sha256_text(text):
    return spec.digest(text.encode())


def get(node, path, nonce=None, headers=None):
    return node.get_json(path + (f"?nonce={nonce}" if nonce else ""), headers)


def judge(tmp_path, report, nonce, *arguments):
    """Returns (exit status, verdict) of the program."""
    saved = tmp_path / "report.json"
    saved.write_text(json.dumps(report))
    result = run("verify", "report", saved, "--nonce", nonce, "--accept-simulator", "--json", *arguments)
    return result.returncode, json.loads(result.stdout) if result.stdout.startswith("{") else result.stderr


def failed(verdict):
    return {check["id"] for check in verdict["checks"] if check["state"] == "fail"}


# --- the reports


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_the_aci_report(attested, tmp_path):
    nonce = secrets.token_hex(32)
    report = get(attested, ACI, nonce)
    attestation = report["attestation"]
    keyset = attestation["workload_keyset"]
    assert set(keyset) == {"subject", "not_after", "receipt_signing_keys", "e2ee_public_keys", "tls_public_keys"}
    digest = sha256_text(canonical(keyset))
    assert report["workload_keyset_digest"] == digest and report["api_version"] == "aci/1"
    statement = f'{{"keyset_digest":"{digest}","nonce":"{nonce}","purpose":"aci.report_data.v1"}}'
    expected = hashlib.sha256(statement.encode()).digest()
    evidence = attestation["evidence"]
    quote = Quote(bytes.fromhex(evidence["quote"]))
    quote.verify()
    assert quote.report_data == expected + bytes(32)
    assert attestation["report_data"] == expected.hex() and evidence["quote_report_data"] == quote.report_data.hex()
    log = json.loads(evidence["event_log"])  # a text, as in dstack's deployments
    assert replay(log, 3) == quote.rtmr[3]
    assert report["service_capabilities"] == {"supported_e2ee_versions": [], "serving": "direct"}
    assert set(attestation["source_provenance"]) == {"repo_url", "repo_commit", "image_digest", "image_provenance"}
    status, verdict = judge(tmp_path, report, nonce)
    assert status == 0, verdict
    assert verdict["facts"]["keyset_digest"] == digest
    addresses = {get(attested, LEGACY + f"?signing_algo={algo}")["signing_address"] for algo in ("ecdsa", "ed25519")}
    assert set(verdict["facts"]["attested_addresses"]) == addresses


def test_the_native_report(attested, tmp_path):
    nonce = secrets.token_bytes(32)
    report = get(attested, NATIVE, nonce.hex())
    quote = Quote(bytes.fromhex(report["quote"]))
    quote.verify()
    statement = spec.check_report(report, quote.report_data, nonce)
    assert statement["gpu_evidence_digest"] and statement["policy_digest"] and statement["model_digest"]
    spec.check_keyset(report["keyset"], time.time())
    assert replay(report["event_log"], 3) == quote.rtmr[3]
    bound = spec.gpu_nonce(statement["keyset_digest"], nonce)
    payload = json.loads(report["nvidia_payload"])
    assert payload["nonce"] == bound.hex()
    for item in payload["evidence_list"]:
        gpu = GpuReport(base64.b64decode(item["evidence"]), base64.b64decode(item["certificate"]))
        gpu.verify()
        assert gpu.request_nonce == bound
    status, verdict = judge(tmp_path, report, nonce.hex())
    assert status == 0, verdict
    assert verdict["facts"]["gpu_binding"].startswith("both ways")
    assert len(verdict["facts"]["attested_addresses"]) == 2


def test_all_three_describe_one_node(attested):
    aci, native, legacy = get(attested, ACI), get(attested, NATIVE), get(attested, LEGACY)
    assert aci["attestation"]["workload_keyset"] == native["keyset"]
    public = {key["algo"]: key["public_key"] for key in native["keyset"]["receipt_signing_keys"]}
    assert public["cloister.legacy.ecdsa"] == legacy["signing_public_key"]
    quotes = {aci["attestation"]["evidence"]["quote"], native["quote"], legacy["intel_quote"]}
    assert len(quotes) == 3, "a quote of its own each"


def test_one_key_one_role(attested):
    keyset = get(attested, NATIVE)["keyset"]
    keys = [key["public_key"] for name in ("receipt_signing_keys", "e2ee_public_keys") for key in keyset[name]]
    assert len(keys) == 5 == len(set(keys))
    assert [key["algo"] for key in keyset["receipt_signing_keys"]] == ["ed25519", "cloister.legacy.ecdsa", "cloister.legacy.ed25519"]
    assert {key["algo"]: len(key["public_key"]) for key in keyset["e2ee_public_keys"]} == {
        "x25519-aes-256-gcm-hkdf-sha256": 64, "secp256k1-aes-256-gcm-hkdf-sha256": 130}


def test_custody_of_every_key_where_a_kms_gives_it(dstack_echo, tmp_path):
    nonce = secrets.token_hex(32)
    for path, find in ((ACI, lambda r: r["attestation"]["evidence"]), (NATIVE, lambda r: r), (LEGACY, lambda r: r)):
        report = get(dstack_echo, path, nonce)
        custody = find(report)["key_custody"]
        assert custody["provider"] == "dstack-kms" and len(custody["keys"]) == 5
        receipt = next(key for key in custody["keys"] if key["role"] == "receipt")
        assert receipt["purpose"] == "aci.receipt.ed25519.v1"
        status, verdict = judge(tmp_path, report, nonce)
        assert status == 0 and "boot.kms_custody" not in failed(verdict)
        receipt["signature_chain"][0] = "00" * 65
        assert "boot.kms_custody" in failed(judge(tmp_path, report, nonce)[1])


def test_without_a_nonce(echo):
    aci = get(echo, ACI)
    statement = f'{{"keyset_digest":"{aci["workload_keyset_digest"]}","nonce":null,"purpose":"aci.report_data.v1"}}'
    assert aci["attestation"]["report_data"] == hashlib.sha256(statement.encode()).hexdigest()
    assert get(echo, ACI) == aci, "cached"
    native = get(echo, NATIVE)
    assert len(native["statement"]["nonce"]) == 64 and get(echo, NATIVE) == native


@pytest.mark.parametrize("path", [ACI, NATIVE])
@pytest.mark.parametrize("nonce", ["", "0", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0x" + "0" * 62, "%22" + "0" * 63])
def test_a_nonce_that_is_none(echo, path, nonce):
    reply = exchange(echo, "GET", f"{path}?nonce={nonce}")
    error = reply.json()["error"]
    assert reply.status == 400 and error["type"] == "invalid_request_error" and error["param"] == "nonce"


def test_only_get(echo):
    for path in (ACI, NATIVE, "/v1/cloister/policy", "/v1/cloister/keyset"):
        assert exchange(echo, "POST", path, b"{}").status == 405


def test_no_tee_no_report_but_a_keyset(start):
    node = start("--engine", "echo", "--tee", "none", "--gpu", "none", simulated=False)
    for path in (ACI, NATIVE):
        reply = exchange(node, "GET", path)
        assert reply.status == 503 and "TEE" in reply.json()["error"]["message"]
    status, headers, body = node.get("/v1/cloister/keyset")
    assert status == 200 and headers["x-aci-keyset-digest"] == sha256_text(body.decode())


def test_errors_of_the_tee_name_no_path(start):
    agent = Agent()
    try:
        node = start("--engine", "echo", "--tee", "dstack", "--tee-socket", agent.socket, simulated=False)
        agent.kill()
        for path in (ACI, NATIVE, LEGACY):
            reply = exchange(node, "GET", f"{path}?nonce={'ab' * 32}")
            assert reply.status in (503, 504) and b"sock" not in reply.body and str(agent.folder).encode() not in reply.body
    finally:
        agent.close()


# --- headers


def raw(node, data):
    with Connection(node) as connection:
        connection.send(data)
        return connection.reply()


def test_every_answer_has_the_headers(locked):
    bearer = [("Authorization", f"Bearer {TOKEN}")]
    digest = get(locked, ACI)["workload_keyset_digest"]
    answers = {
        "page": exchange(locked, "GET", "/"),
        "models": exchange(locked, "GET", "/v1/models"),
        "health": exchange(locked, "GET", "/health"),
        "metrics": exchange(locked, "GET", "/metrics", headers=bearer),
        "report": exchange(locked, "GET", LEGACY),
        "aci": exchange(locked, "GET", ACI),
        "native": exchange(locked, "GET", NATIVE),
        "policy": exchange(locked, "GET", "/v1/cloister/policy"),
        "keyset": exchange(locked, "GET", "/v1/cloister/keyset"),
        "chat": exchange(locked, "POST", "/v1/chat/completions", b'{"model":"echo","messages":[{"role":"user","content":"x"}]}', bearer),
        "tokenize": exchange(locked, "POST", "/v1/tokenize", b'{"prompt":"x"}', bearer),
        "400 of a route": exchange(locked, "GET", ACI + "?nonce=x"),
        "400 of a body": exchange(locked, "POST", "/v1/chat/completions", b"{", bearer),
        "401": exchange(locked, "POST", "/v1/chat/completions", b"{}"),
        "404": exchange(locked, "GET", "/v1/nothing"),
        "404 of a signature": exchange(locked, "GET", "/v1/signature/chatcmpl-none", headers=bearer),
        "405": exchange(locked, "DELETE", "/v1/models"),
        "413": raw(locked, f"POST {LEGACY} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n".encode()),
        "431": raw(locked, b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000 + b"\r\n\r\n"),
        "400 of the protocol": raw(locked, b"GET / HTTP/1.1\r\nno header\r\n\r\n"),
        "505": raw(locked, b"GET / HTTP/3.7\r\nhost: x\r\n\r\n"),
        "preflight": exchange(locked, "OPTIONS", "/v1/chat/completions", headers=[("Origin", "https://a.example")]),
    }
    for name, reply in answers.items():
        assert name[:3] not in ("400", "401", "404", "405", "413", "431") or reply.status == int(name[:3]), (name, reply.status)
        versions = [value for key, value in reply.headers if key == "x-aci-version"]
        digests = [value for key, value in reply.headers if key == "x-aci-keyset-digest"]
        assert (versions, digests) == (["aci/1"], [digest]), name


def test_pages_of_other_origins_may_read_them(locked):
    reply = exchange(locked, "GET", "/v1/models", headers=[("Origin", "https://a.example")])
    exposed = {name.strip() for name in reply.header("access-control-expose-headers").split(",")}
    assert {"x-aci-version", "x-aci-keyset-digest"} <= exposed


# --- the keyset


@own_seed
def test_the_keyset_is_the_same_after_a_restart(start, tmp_path):
    def digest(*arguments, state="a"):
        node = start("--engine", "echo", "--tls", "self-signed", *arguments, state=tmp_path / state)
        value = node.get("/v1/models")[1]["x-aci-keyset-digest"]
        assert node.stop() == 0
        return value

    first = digest()
    assert digest() == first
    assert digest(state="b") != first
    assert digest("--keyset-days", 7) != first


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_the_tls_key_stands_in_the_keyset(tls, tmp_path):
    nonce = secrets.token_hex(32)
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate((tls.host, tls.port)).encode())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    spki = hashlib.sha256(certificate.public_key().public_bytes(serialization.Encoding.DER, form)).hexdigest()
    report = get(tls, ACI, nonce)
    assert report["attestation"]["workload_keyset"]["tls_public_keys"] == [{"spki_sha256": spki}]
    assert report["attestation"]["evidence"]["downstream_tls_binding"] == {"spki_sha256": spki}
    assert judge(tmp_path, report, nonce, "--tls-key", spki)[0] == 0
    assert judge(tmp_path, report, nonce)[0] == 3, "the key of the connection was left out"
    report["attestation"]["evidence"]["downstream_tls_binding"]["spki_sha256"] = "00" * 32
    assert "report.downstream_tls" in failed(judge(tmp_path, report, nonce)[1])


@pytest.mark.parametrize("days", [1, 30, 365])
def test_a_keyset_ends_in_sight(start, days):
    node = start("--engine", "echo", "--keyset-days", days)
    document = node.get_json("/v1/cloister/keyset")
    assert days * DAY / 2 - 5 < document["not_after"] - time.time() <= days * DAY
    assert document["not_after"] % (days * DAY // 2) == 0, "the same for all replicas"


def test_former_keysets_by_their_digest(echo):
    status, headers, body = echo.get("/v1/cloister/keyset")
    digest = headers["x-aci-keyset-digest"]
    assert status == 200 and sha256_text(body.decode()) == digest
    assert echo.get(f"/v1/cloister/keyset?digest={digest}")[2] == body
    assert echo.get("/v1/cloister/keyset?digest=sha256:" + "0" * 64)[0] == 404


@pytest.mark.parametrize("arguments", [("--keyset-days", 0), ("--keyset-days", 366), ("--replica", "nowhere"), ("--serving", "maybe")])
def test_options_out_of_range(tmp_path, arguments):
    result = run("serve", "--engine", "echo", "--listen", "127.0.0.1:0", "--tee", "none", "--state", tmp_path, *arguments)
    assert result.returncode != 0 and result.stdout == ""


def test_who_answers_is_said(start, tmp_path):
    nonce = secrets.token_hex(32)
    node = start("--engine", "echo", "--serving", "aggregator", "--source-repo", "https://example.com/repo", "--source-commit", "ab" * 20,
                 "--image-digest", "sha256:" + "cd" * 32)
    report = get(node, ACI, nonce)
    assert report["service_capabilities"]["serving"] == "aggregator"
    provenance = report["attestation"]["source_provenance"]
    assert (provenance["repo_url"], provenance["repo_commit"], provenance["image_digest"]) == (
        "https://example.com/repo", "ab" * 20, "sha256:" + "cd" * 32)
    status, verdict = judge(tmp_path, report, nonce)
    assert status == 3 and "report.serving" in {check["id"] for check in verdict["checks"] if check["state"] == "skipped"}


# --- the measured policy


def policy_events(report):
    return [event["event_payload"] for event in report["event_log"] if event["event"] == "cloister-policy"]


def test_the_policy_is_measured(attested, tmp_path):
    nonce = secrets.token_hex(32)
    report = get(attested, NATIVE, nonce)
    status, _, body = attested.get("/v1/cloister/policy")
    digest = sha256_text(body.decode())
    assert status == 200 and body.decode() == canonical(json.loads(body)) and report["statement"]["policy_digest"] == digest
    assert digest[7:] in policy_events(report)
    assert replay(report["event_log"], 3) == Quote(bytes.fromhex(report["quote"])).rtmr[3]
    policy = json.loads(body)
    assert policy["logging"]["content"] == "never" and policy["schema"] == "cloister.policy.v1"
    executable = hashlib.sha256(open(f"/proc/{attested.process.pid}/exe", "rb").read()).hexdigest()
    assert policy["build"]["executable"] == "sha256:" + executable
    for accepted, expected in ((digest[7:], 0), ("11" * 32, 1)):
        (tmp_path / "policy.toml").write_text(f'[service]\npolicy_digests = ["{accepted}"]\n')
        status, verdict = judge(tmp_path, report, nonce, "--policy", tmp_path / "policy.toml")
        assert status == expected, verdict
    assert failed(verdict) == {"report.policy_digest"}


def test_no_secret_stands_in_the_policy(locked):
    body = locked.get("/v1/cloister/policy")[2].decode()
    assert TOKEN not in body and str(locked.state) not in body and json.loads(body)["listen"]["token_required"] is True


def test_a_change_is_a_new_epoch(start, tmp_path):
    config = tmp_path / "cloister.toml"
    config.write_text('[serve]\nlog-level = "info"\n')
    node = start("--config", config, "--engine", "echo")
    before = get(node, NATIVE)
    first = before["statement"]["policy_digest"]
    config.write_text('[serve]\nlog-level = "warn"\n')
    node.process.send_signal(signal.SIGHUP)
    after = wait_until(lambda: (report := get(node, NATIVE))["statement"]["policy_digest"] != first and report, 10, "the new epoch")
    second = after["statement"]["policy_digest"]
    assert policy_events(after)[-2:] == [first[7:], second[7:]] and after["policy"]["logging"]["level"] == "warn"
    assert after["statement"]["keyset_digest"] == before["statement"]["keyset_digest"]
    former = node.get(f"/v1/cloister/policy?digest={first}")[2].decode()
    assert sha256_text(former) == first and json.loads(former) == before["policy"]
    assert node.get("/v1/cloister/policy?digest=" + "sha256:" + "0" * 64)[0] == 404
    # A reload of the same configuration is no change.
    node.process.send_signal(signal.SIGHUP)
    config.write_text('[serve]\nlog-level = "debug"\n')
    node.process.send_signal(signal.SIGHUP)
    last = wait_until(lambda: (report := get(node, NATIVE))["policy"]["logging"]["level"] == "debug" and report, 10, "the last epoch")
    assert policy_events(last)[-2:] == [second[7:], last["statement"]["policy_digest"][7:]]


# --- tampering


def with_change(report, path, value):
    changed = json.loads(json.dumps(report))
    at = changed
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value(at[path[-1]]) if callable(value) else value
    return changed


def flip(text):
    """Changes one hex digit in the middle."""
    place = len(text) // 2
    return text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]


NATIVE_CHANGES = [
    (("tee_type",), "tdx", "report.tee_type"),
    (("quote",), flip, None),
    (("statement", "nonce"), flip, "report.nonce"),
    (("statement", "keyset_digest"), flip, "keyset.digest"),
    (("statement", "gpu_evidence_digest"), flip, "report.gpu_evidence_digest"),
    (("statement", "gpu_evidence_digest"), None, "report.gpu_evidence_digest"),
    (("statement", "policy_digest"), flip, "report_data.identity"),
    (("statement", "policy_digest"), None, "report_data.identity"),
    (("statement", "model_digest"), "sha256:" + "ab" * 32, "report_data.identity"),
    (("statement", "purpose"), "aci.report_data.v1", "report.form"),
    (("keyset", "not_after"), lambda n: n + 1, "keyset.digest"),
    (("keyset", "subject"), "somebody", "keyset.digest"),
    (("keyset", "receipt_signing_keys", 0, "public_key"), flip, "keyset.digest"),
    (("keyset", "receipt_signing_keys", 1, "public_key"), flip, "keyset.digest"),
    (("keyset", "receipt_signing_keys", 0, "key_id"), "other", "keyset.digest"),
    (("keyset", "e2ee_public_keys", 0, "public_key"), flip, "keyset.digest"),
    (("keyset", "tls_public_keys"), [{"spki_sha256": "ab" * 32}], "keyset.digest"),
    (("policy", "logging", "level"), "debug", "report.policy_digest"),
    (("nvidia_payload",), None, "report.gpu_evidence_digest"),
    (("nvidia_payload",), lambda text: text + " ", "report.gpu_evidence_digest"),
    (("event_log", -1, "event_payload"), flip, "boot.rtmr3"),
    (("event_log",), lambda log: log[:-1], "boot.rtmr3"),
    (("app_compose",), lambda text: text + " ", "boot.compose_hash"),
    (("info", "tcb_info", "rtmr3"), flip, "boot.tcb_info"),
]
ACI_CHANGES = [
    (("workload_keyset_digest",), flip, "keyset.digest"),
    (("attestation", "tee_type"), "tdx", "report.tee_type"),
    (("attestation", "report_data"), flip, "report.report_data_copy"),
    (("attestation", "workload_keyset", "not_after"), lambda n: n + 1, "keyset.digest"),
    (("attestation", "workload_keyset", "receipt_signing_keys", 0, "public_key"), flip, "keyset.digest"),
    (("attestation", "workload_keyset", "receipt_signing_keys", 2, "public_key"), flip, "keyset.digest"),
    (("attestation", "workload_keyset", "e2ee_public_keys", 1, "public_key"), flip, "keyset.digest"),
    (("attestation", "evidence", "quote"), flip, None),
    (("attestation", "evidence", "quote_report_data"), flip, "report.report_data_copy"),
    (("attestation", "evidence", "event_log"), lambda text: json.dumps(json.loads(text)[:-1]), "boot.rtmr3"),
    (("attestation", "evidence", "app_compose"), lambda text: text + " ", "boot.compose_hash"),
]


@pytest.mark.parametrize("path, changes", [(NATIVE, NATIVE_CHANGES), (ACI, ACI_CHANGES)], ids=["native", "aci"])
@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_every_change_is_found(echo, tmp_path, path, changes):
    nonce = secrets.token_hex(32)
    report = get(echo, path, nonce)
    assert judge(tmp_path, report, nonce)[0] == 0
    for place, value, check in changes:
        status, verdict = judge(tmp_path, with_change(report, place, value), nonce)
        assert status == 1, (place, verdict)
        assert check is None or check in failed(verdict), (place, failed(verdict))
    assert judge(tmp_path, report, flip(nonce))[0] == 1


# The attacker's keyset stands next to a genuine quote, with a digest that fits the keyset.
@pytest.mark.parametrize("path", [NATIVE, ACI])
def test_a_keyset_of_somebody_else(echo, tmp_path, path):
    nonce = secrets.token_hex(32)
    report = get(echo, path, nonce)
    keyset = report["keyset"] if path == NATIVE else report["attestation"]["workload_keyset"]
    keyset["receipt_signing_keys"][0]["public_key"] = "ab" * 32
    digest = sha256_text(canonical(keyset))
    if path == NATIVE:
        report["statement"]["keyset_digest"] = digest
    else:
        report["workload_keyset_digest"] = digest
    status, verdict = judge(tmp_path, report, nonce)
    assert status == 1 and "report_data.identity" in failed(verdict) and "keyset.digest" not in failed(verdict)


# --- splicing


@own_seed
def test_cpu_of_one_node_and_gpu_of_another(start, tmp_path):
    """The test combines CPU evidence of node A with GPU evidence of node B, in every possible way."""
    a, b = (start("--engine", "echo", state=tmp_path / name) for name in "ab")
    nonce = secrets.token_hex(32)
    of_a, of_b = get(a, NATIVE, nonce), get(b, NATIVE, nonce)
    for own in (of_a, of_b):
        status, verdict = judge(tmp_path, own, nonce)
        assert status == 0, verdict
    assert of_a["nvidia_payload"] != of_b["nvidia_payload"]

    def spliced(**members):
        return {**json.loads(json.dumps(of_a)), **members}

    payload = {"nvidia_payload": of_b["nvidia_payload"]}
    digest = {"statement": {**of_a["statement"], "gpu_evidence_digest": of_b["statement"]["gpu_evidence_digest"]}}
    keyset = {"keyset": of_b["keyset"]}
    whole = {"statement": of_b["statement"]}
    # A's GPU evidence under B's keyset and B's nonce formula does not exist. Only B can ask with the digest of its keyset, and then A's
    # quote does not name the answer.
    ways = {
        "the payload": (spliced(**payload), {"report.gpu_evidence_digest", "nvidia.gpu.0.nonce"}),
        "the payload and its digest": (spliced(**payload, **digest), {"report_data.identity", "nvidia.gpu.0.nonce"}),
        "the whole statement": (spliced(**payload, **whole), {"report_data.identity", "keyset.digest"}),
        "statement and keyset": (spliced(**payload, **whole, **keyset), {"report_data.identity"}),
        "the quote": ({**json.loads(json.dumps(of_b)), "quote": of_a["quote"]}, {"report_data.identity"}),
        "the keyset alone": (spliced(**keyset), {"keyset.digest", "nvidia.gpu.0.nonce"}),
    }
    for name, (report, expected) in ways.items():
        status, verdict = judge(tmp_path, report, nonce)
        assert status == 1 and expected <= failed(verdict), (name, failed(verdict))


@own_seed
def test_a_gpu_that_was_asked_for_another_keyset(start, tmp_path):
    """B's GPUs may answer any nonce, and so also the nonce of A's formula. Only the keyset in that formula ties them to A."""
    a, b = (start("--engine", "echo", state=tmp_path / name) for name in "ab")
    nonce = secrets.token_hex(32)
    of_a = get(a, NATIVE, nonce)
    bound = json.loads(of_a["nvidia_payload"])["nonce"]
    # The legacy route asks the GPUs with the caller's nonce. So anybody can get B's evidence for any nonce.
    borrowed = get(b, LEGACY, bound)["nvidia_payload"]
    assert json.loads(borrowed)["nonce"] == bound
    # A's quote still names A's evidence.
    of_a["nvidia_payload"] = borrowed
    status, verdict = judge(tmp_path, of_a, nonce)
    assert status == 1 and failed(verdict) == {"report.gpu_evidence_digest"}


# --- replicas


@own_seed
def test_all_attestations_lists_the_replicas(start, tmp_path):
    other = start("--engine", "echo", state=tmp_path / "b")
    node = start("--engine", "echo", "--replica", other.url, "--replica", "http://127.0.0.1:9", state=tmp_path / "a")
    for algo in ("ecdsa", "ed25519"):
        nonce = secrets.token_hex(32)
        report = node.get_json(f"{LEGACY}?nonce={nonce}&signing_algo={algo}")
        addresses = [item["signing_address"] for item in report["all_attestations"]]
        alone = other.get_json(f"{LEGACY}?nonce={nonce}&signing_algo={algo}")
        assert addresses == [report["signing_address"], alone["signing_address"]] and report["replicas_unreachable"] == 1
        assert "replicas_unreachable" not in alone and not any("all_attestations" in item for item in report["all_attestations"])
        status, verdict = judge(tmp_path, report, nonce)
        assert status == 0, verdict
        assert set(verdict["facts"]["attested_addresses"]) == set(addresses)
        # Each report is verified, so a changed report of a replica is found.
        report["all_attestations"][1]["signing_address"] = report["signing_address"]
        assert judge(tmp_path, report, nonce)[0] == 1
    assert node.metric("cloister_replicas_unreachable_total") == 2
    assert node.log.count("replica gives no report") == 1, "said once"


@own_seed
def test_replicas_that_name_each_other(start, tmp_path):
    first = start("--engine", "echo", state=tmp_path / "a")
    second = start("--engine", "echo", "--replica", first.url, state=tmp_path / "b")
    assert first.stop() == 0
    third = start("--engine", "echo", "--replica", second.url, listen=f"127.0.0.1:{first.port}", state=tmp_path / "a")
    for node in (second, third):
        report = get(node, LEGACY, secrets.token_hex(32))
        assert len(report["all_attestations"]) == 2 and report["replicas_unreachable"] == 0
    assert len(node.get_json(f"{LEGACY}?replicas=false")["all_attestations"]) == 1


# --- the policy document, option by option


def test_the_options_stand_in_the_policy(start, tmp_path):
    tokens, gpu_policy = tmp_path / "tokens", tmp_path / "gpu.toml"
    tokens.write_text("a-token-of-the-tests\n")
    gpu_policy.write_text("[nvidia]\nrequire_fwid = true\n")
    node = start("--upstream", "http://127.0.0.1:9", "--upstream", "http://10.1.2.3:8000", "--upstream-key-file", tokens, "--cache-salt", "off",
                 "--api-key-file", tokens, "--cors-origin", "https://a.example", "--tls", "self-signed", "--require-gpu-tee", "on",
                 "--gpu-policy", gpu_policy, "--gpu-check-seconds", 77, "--max-body", 4096, "--report-rate", 1.5, "--report-burst", 3, "--report-rate-local", 7,
                 "--upstream-connect-timeout", 1, "--upstream-timeout", 2, "--upstream-idle-timeout", 4, "--grace-seconds", 5,
                 "--log-format", "json", "--log-level", "debug", "--keyset-days", 9, "--replica", "http://127.0.0.1:8",
                 "--receipts-survive", "power", "--on-store-failure", "serve", "--receipt-days", 3, "--receipt-bytes", "50M",
                 "--prefix-proof-hours", 2, wait=False)
    policy = node.get_json("/v1/cloister/policy")
    tee, build = policy.pop("tee"), policy.pop("build")
    assert re.fullmatch("sha256:[0-9a-f]{64}", policy.pop("key_configuration"))
    assert tee == "insecure_simulator" and set(build) == {"executable", "version"}
    assert policy == {
        "schema": "cloister.policy.v1",
        "listen": {"address": "127.0.0.1", "port": 0, "tls": "self-signed", "token_required": True, "cors_origins": ["https://a.example"]},
        "engine": {"kind": "upstream", "serving": "aggregator", "upstreams": ["http://localhost", "http://private"],
                   "upstream_token": True, "cache_salt": "off", "shared_prompt_cache": False, "known_answers": False},
        "gpu": {"evidence": "insecure_simulator", "library": None, "required": True, "check_seconds": 77, "manifests": False,
                "policy": sha256_text(gpu_policy.read_text())},
        "limits": {"body_bytes": 4096, "grace_seconds": 5, "reports_at_once": "3", "reports_per_client_minute": "1.5", "reports_local_minute": "7",
                   "upstream_connect_seconds": 1, "upstream_first_byte_seconds": 2, "upstream_idle_seconds": 4},
        "logging": {"content": "never", "format": "json", "level": "debug"},
        "keyset": {"days": 9},
        "replicas": 1,
        "signing": True,
        "receipts": {"store": "sqlite", "survive": "power", "on_store_failure": "serve", "age_s": 3 * DAY, "bytes": 50 << 20,
                     "event_hash_age_s": 7200},
    }
    assert get(node, ACI)["service_capabilities"]["serving"] == "aggregator"


def test_an_upstream_of_this_machine_is_within_the_tee(start):
    node = start("--upstream", "http://127.0.0.1:9", "--upstream", "http://[::1]:9", wait=False)
    assert node.get_json("/v1/cloister/policy")["engine"]["serving"] == "direct"


# --- keys in memory


def test_private_keys_are_locked_in_memory(tls):
    with open(f"/proc/{tls.process.pid}/status", encoding="ascii") as status:
        locked_kib = next(int(line.split()[1]) for line in status if line.startswith("VmLck:"))
    assert locked_kib >= 4096, "the heap of the library's keys"


def test_many_handshakes_do_not_use_up_the_locked_memory(tls):
    context = ssl._create_unverified_context()
    open_connections = []
    try:
        for _ in range(600):
            raw_socket = socket.create_connection((tls.host, tls.port), timeout=30)
            open_connections.append(context.wrap_socket(raw_socket))
        assert tls.get("/health")[0] == 200
    finally:
        for connection in open_connections:
            connection.close()
