"""Proof files: `cloister verify proof` accepts the files that `cloister chat --save` writes. When one byte is changed, the command names
the check that fails."""

import base64
import copy
import hashlib
import json
import random

import pytest

from support.fixtures import TOKEN
from support.node import own_seed, run

QUESTION = "What is the capital of France, Grüße 世界?"


@pytest.fixture(scope="module", params=["ecdsa", "ed25519"])
def proof(request, echo, tmp_path_factory):
    path = tmp_path_factory.mktemp("proof") / "proof.json"
    result = run("chat", echo.url, QUESTION, "--accept-simulator", "--signing-algo", request.param, "--save", path)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(path.read_text())


def own_words(proof):
    """Returns the facts that the person who saved the proof knows without it."""
    if not isinstance(proof, dict):
        return []
    return ["--nonce", proof["nonce"], "--at", proof["time"]]


@pytest.fixture
def judge(tmp_path):
    """judge(proof) returns (exit status, ids of the failed checks)."""

    def judged(proof, *options):
        path = tmp_path / "proof.json"
        path.write_text(proof if isinstance(proof, str) else json.dumps(proof, ensure_ascii=False))
        known = options or own_words(proof)
        result = run("verify", "proof", path, "--accept-simulator", "--json", *known)
        checks = json.loads(result.stdout)["checks"] if result.stdout.startswith("{") else []
        return result.returncode, {check["id"] for check in checks if check["state"] == "fail"}

    return judged


def flip(data, position):
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def flip_base64(proof, member, position):
    proof[member] = base64.b64encode(flip(base64.b64decode(proof[member]), position)).decode()


def replace_in_report(proof, old, new):
    """Replaces the text everywhere in the report, so that its copies of the evidence agree with each other."""
    assert old in proof["report"] and old != new
    proof["report"] = proof["report"].replace(old, new)


def flip_quote(proof, position):
    quote = json.loads(proof["report"])["quote"]
    replace_in_report(proof, quote, flip(bytes.fromhex(quote), position).hex())


def flip_gpu(proof, position, member="evidence"):
    text = json.loads(json.loads(proof["report"])["nvidia_payload"])["evidence_list"][0][member]
    replace_in_report(proof, text, base64.b64encode(flip(base64.b64decode(text), position)).decode())


def flip_signature(proof, position):
    text = proof["signature"]["signature"]
    start = 2 if text.startswith("0x") else 0
    proof["signature"]["signature"] = text[:start] + flip(bytes.fromhex(text[start:]), position).hex()


def test_untouched_is_accepted(proof, judge):
    assert judge(proof) == (0, set())


def test_the_signature_belongs_to_the_configuration_of_the_report(proof, tmp_path):
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    result = run("verify", "proof", path, "--accept-simulator", "--json", *own_words(proof))
    checks = {check["id"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 0 and checks["policy.keys"]["state"] == checks["signature.policy_digest"]["state"] == "pass"
    # The test computes the digest from the document alone (docs/spec/policy.md, "Keys").
    document = json.loads(proof["report"])["policy"]
    part = lambda table, *names: {name: document[table].get(name) for name in names}
    keys = {"schema": "cloister.keys.v2", "engine": document["engine"], "gpu": document["gpu"],
            "listen": part("listen", "address", "tls"), "logging": part("logging", "content"), "signing": document["signing"], "tee": document["tee"]}
    canonical = json.dumps(keys, sort_keys=True, separators=(",", ":")).encode()
    assert checks["policy.keys"]["actual"] == "sha256:" + hashlib.sha256(canonical).hexdigest() == document["key_configuration"]


def test_the_proof_holds_what_was_said(proof):
    assert proof["proof"] == "cloister.proof.v1"
    request, response = (base64.b64decode(proof[member], validate=True) for member in ("request", "response"))
    assert QUESTION in json.dumps(json.loads(request), ensure_ascii=False)
    halves = [hashlib.sha256(part).hexdigest() for part in (request, response)]
    assert proof["signature"]["text"] == ":".join(halves)
    assert json.loads(proof["report"])["statement"]["nonce"] == proof["nonce"]


def test_without_the_word_a_simulated_proof_is_rejected(proof, tmp_path):
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    result = run("verify", "proof", path, "--json")
    assert result.returncode == 1
    assert [check["id"] for check in json.loads(result.stdout)["checks"] if check["state"] == "fail"] == ["tee.simulator"]


# Each entry holds a change and the checks that must fail; "only" when no other may fail.
FLIPS = {
    "first byte of the request": (lambda p: flip_base64(p, "request", 0), {"signature.request_hash"}, "only"),
    "last byte of the request": (lambda p: flip_base64(p, "request", -1), {"signature.request_hash"}, "only"),
    "first byte of the reply": (lambda p: flip_base64(p, "response", 0), {"signature.response_hash"}, "only"),
    "last byte of the reply": (lambda p: flip_base64(p, "response", -1), {"signature.response_hash"}, "only"),
    "signature r": (lambda p: flip_signature(p, 5), {"signature.valid"}, "only"),
    "signature s": (lambda p: flip_signature(p, 60), {"signature.valid"}, "only"),
    "quote header user data": (lambda p: flip_quote(p, 30), {"tdx.quote.signature"}, "only"),
    "quote MRTD": (lambda p: flip_quote(p, 200), {"tdx.quote.signature"}, "some"),
    "quote RTMR3": (lambda p: flip_quote(p, 475), {"tdx.quote.signature"}, "some"),
    "quote report_data identity": (lambda p: flip_quote(p, 568), {"tdx.quote.signature", "report_data.identity"}, "some"),
    "quote report_data nonce": (lambda p: flip_quote(p, 620), {"tdx.quote.signature", "report_data.padding"}, "some"),
    "quote signature": (lambda p: flip_quote(p, 640), {"tdx.quote.signature"}, "only"),
    "QE report": (lambda p: flip_quote(p, 636 + 134 + 10), {"tdx.qe_report.signature"}, "some"),
    "QE report signature": (lambda p: flip_quote(p, 636 + 134 + 384 + 3), {"tdx.qe_report.signature"}, "only"),
    "QE authentication data": (lambda p: flip_quote(p, 636 + 134 + 452), {"tdx.qe_report.binding"}, "only"),
    "GPU nonce": (lambda p: flip_gpu(p, 10), {"nvidia.gpu.0.nonce", "nvidia.gpu.0.signature"}, "some"),
    "GPU measurement": (lambda p: flip_gpu(p, 37 + 8 + 20), {"nvidia.gpu.0.signature", "report.gpu_evidence_digest"}, "only"),
    "GPU signature": (lambda p: flip_gpu(p, -1), {"nvidia.gpu.0.signature", "report.gpu_evidence_digest"}, "only"),
}


@pytest.mark.fast
@pytest.mark.parametrize("name", FLIPS)
def test_one_byte_changed(proof, judge, name):
    change, expected, how = FLIPS[name]
    changed = copy.deepcopy(proof)
    change(changed)
    status, failed = judge(changed)
    assert status == 1, failed
    assert failed == expected if how == "only" else expected <= failed, failed


def test_signed_text_of_another_reply(proof, judge):
    changed = copy.deepcopy(proof)
    changed["signature"]["text"] = "00" * 32 + ":" + "11" * 32
    status, failed = judge(changed)
    assert status == 1 and {"signature.request_hash", "signature.response_hash", "signature.valid"} <= failed


@own_seed  # behind one socket both nodes are the same machine, with the same keys
def test_another_signer(proof, judge, echo, start, tmp_path):
    """The signature is whole and correct, but this report does not bind its key."""
    other = start("--engine", "echo")
    path = tmp_path / "other.json"
    algo = proof["signature"]["signing_algo"]
    assert run("chat", other.url, QUESTION, "--accept-simulator", "--signing-algo", algo, "--save", path).returncode == 0
    mixed = json.loads(path.read_text())
    mixed["report"], mixed["nonce"] = proof["report"], proof["nonce"]
    assert judge(mixed) == (1, {"signature.signer_attested"})


def test_certificates_changed(proof, judge):
    for position in (200, 700, 1500):
        changed = copy.deepcopy(proof)
        flip_gpu(changed, position, "certificate")
        status, failed = judge(changed)
        assert status == 1 and any(name.startswith("nvidia.gpu.0.") for name in failed), (position, failed)


def test_anywhere_in_the_quote(proof, judge):
    """Every byte before the certificates counts. The test changes a fixed sample of them."""
    quote = bytes.fromhex(json.loads(proof["report"])["quote"])
    end = quote.index(b"-----BEGIN") - 6  # before the inner type and size, which are form
    for position in random.Random(20260101).sample(range(end), 40):
        changed = copy.deepcopy(proof)
        flip_quote(changed, position)
        status, failed = judge(changed)
        assert status == 1 and any(name.startswith(("tdx.", "report")) for name in failed), (position, failed)


def test_anywhere_in_the_gpu_evidence(proof, judge):
    text = json.loads(json.loads(proof["report"])["nvidia_payload"])["evidence_list"][0]["evidence"]
    for position in random.Random(20260102).sample(range(len(base64.b64decode(text))), 40):
        changed = copy.deepcopy(proof)
        flip_gpu(changed, position)
        status, failed = judge(changed)
        assert status == 1 and any(name.startswith("nvidia.") for name in failed), (position, failed)


def checks_without(proof, tmp_path, member):
    """Returns the exit status and the states of the checks after that member was removed from the report."""
    changed = copy.deepcopy(proof)
    report = json.loads(changed["report"])
    del report[member]
    changed["report"] = json.dumps(report)
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(changed))
    result = run("verify", "proof", path, "--accept-simulator", "--json", *own_words(changed))
    return result.returncode, {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize("member", ["statement", "keyset", "quote", "tee_type", "policy", "nvidia_payload"])
def test_nothing_is_accepted_for_want_of(proof, tmp_path, member):
    status, checks = checks_without(proof, tmp_path, member)
    assert status in (1, 3), checks


def test_missing_gpu_evidence_is_never_a_pass(proof, tmp_path):
    """A node without a GPU shows no GPU evidence. The verdict must not say that a GPU was checked."""
    _, checks = checks_without(proof, tmp_path, "nvidia_payload")
    states = {state for name, state in checks.items() if name.startswith("nvidia.")}
    assert "pass" not in states and states


def test_report_missing(proof, judge):
    changed = copy.deepcopy(proof)
    changed["report"] = ""
    assert judge(changed)[0] == 2, "no report answers the nonce that is named"


def test_calling_simulated_evidence_real(proof, judge):
    changed = copy.deepcopy(proof)
    changed["report"] = changed["report"].replace("insecure_simulator", "tdx")
    assert judge(changed)[0] == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"proof":"cloister.proof.v1"}', '{"proof":"cloister.proof.v9"}', "\x00", "[" * 5000])
def test_unreadable_files(judge, text):
    assert judge(text)[0] in (1, 2)


def test_bare_signature(proof, tmp_path):
    signature, request, response = (tmp_path / name for name in ("signature.json", "request", "response"))
    signature.write_text(json.dumps(proof["signature"]))
    request.write_bytes(base64.b64decode(proof["request"]))
    response.write_bytes(base64.b64decode(proof["response"]))
    known = ["--request", request, "--response", response]
    address = ["--address", proof["signature"]["signing_address"]]
    assert run("verify", "signature", signature, *known, *address).returncode == 0
    assert run("verify", "signature", signature, *known).returncode == 3, "nobody said who should have signed"
    assert run("verify", "signature", signature, *address).returncode == 3, "nothing to compare the hashes with"
    response.write_bytes(response.read_bytes() + b"\n")
    assert run("verify", "signature", signature, *known, *address).returncode == 1


def test_a_proof_saved_over_tls_says_which_key_was_seen(tls, judge, tmp_path):
    path = tmp_path / "saved.json"
    result = run("chat", tls.url, "x", "--accept-simulator", "--allow-self-signed", "--save", path)
    assert result.returncode == 0, result.stdout + result.stderr
    proof = json.loads(path.read_text())
    assert proof["tls_spki_sha256"] in [key["spki_sha256"] for key in json.loads(proof["report"])["keyset"]["tls_public_keys"]]
    assert judge(proof) == (0, set()), "offline it must be as good as it was online"
    assert judge({**proof, "tls_spki_sha256": "00" * 32}) == (1, {"report_data.tls"})


def test_real_model_proof(llama, judge, tmp_path):
    question = "What is the capital of France?"
    path = tmp_path / "saved.json"
    result = run("chat", llama.url, question, "--accept-simulator", "--system", "", "--temperature", 0, "--save", path, timeout=120)
    assert result.returncode == 0 and "Paris" in result.stdout, result.stdout + result.stderr
    proof = json.loads(path.read_text())
    assert judge(proof) == (0, set())
    flip_base64(proof, "response", len(base64.b64decode(proof["response"])) // 2)
    assert judge(proof) == (1, {"signature.response_hash"})
