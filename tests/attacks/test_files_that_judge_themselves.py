"""A file that tries to choose its own verdict. Archives, saved evidence and proofs contain a time, a nonce, a TLS key, a kind and bodies.
Such statements are shown, and never replace those of the person who verifies the file."""

import base64
import json
import secrets
import time

import pytest

from support.node import run
from support.rawhttp import exchange
from support.receipts import client

pytestmark = pytest.mark.fast
ACCEPT = ["--accept-simulator", "--json"]
FUTURE = "2035-01-01T00:00:00Z"


def judged(*arguments):
    result = run("verify", *arguments, *ACCEPT)
    verdict = json.loads(result.stdout) if result.stdout.startswith("{") else None
    states = {check["id"]: check["state"] for check in verdict["checks"]} if verdict else {}
    return result.returncode, states, verdict, result.stderr


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@pytest.fixture(scope="module")
def reply(echo, tmp_path_factory):
    """Returns a reply with its report and receipt, as files."""
    folder = tmp_path_factory.mktemp("reply")
    request = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "one two three"}], "stream": True}).encode()
    answer = exchange(echo, "POST", "/v1/chat/completions", request)
    nonce = secrets.token_hex(32)
    receipt_id = answer.header("x-receipt-id")
    files = {"request": request, "response": answer.body,
             "receipt": exchange(echo, "GET", f"/v1/aci/receipts/{receipt_id}").body,
             "report": exchange(echo, "GET", f"/v1/cloister/attestation?nonce={nonce}").body,
             "prefix": exchange(echo, "GET", f"/v1/cloister/prefix/{receipt_id}?events=3", None, client(answer)).body}
    paths = {name: folder / name for name in files}
    for name, data in files.items():
        paths[name].write_bytes(data)
    return {"nonce": nonce, "files": files, "paths": paths}


@pytest.fixture
def archive(reply, tmp_path):
    path = tmp_path / "kept.archive"
    paths = reply["paths"]
    status, *_ = judged("receipt", paths["receipt"], "--report", paths["report"], "--nonce", reply["nonce"], "--request", paths["request"],
                        "--response", paths["response"], "--offline", "--archive", path)
    assert status == 0
    return path


@pytest.fixture
def bundle(reply, tmp_path):
    path = tmp_path / "saved.bundle"
    status, *_ = judged("report", reply["paths"]["report"], "--nonce", reply["nonce"], "--offline", "--bundle", path)
    assert status == 0
    return path


@pytest.fixture
def proof(echo, tmp_path):
    path = tmp_path / "reply.proof"
    assert run("chat", echo.url, "one two three", "--accept-simulator", "--save", path).returncode == 0
    return path


def changed(path, **members):
    kept = json.loads(path.read_text())
    kept.update(members)
    path.write_text(json.dumps(kept, separators=(",", ":")))
    return path


NAMED = {"--nonce": "07" * 32, "--id": "07" * 32, "--model": "mine", "--address": "0x" + "11" * 20, "--report-data": "07" * 64}
# The expectations with which evidence of each kind can be compared.
COMPARED = {
    "report": {"--nonce", "--model-manifest"},
    "quote": {"--report-data"},
    "gpu": {"--nonce"},
    "snp": {"--report-data"},
    "receipt": {"--id", "--model", "--request", "--response", "--model-manifest"},
    "session": {"--id", "--model-manifest"},
    "signature": {"--request", "--response", "--address"},
    "proof": {"--nonce", "--model-manifest"},
}


@pytest.mark.parametrize("kind", COMPARED)
def test_a_bundle_does_not_choose_what_it_is_compared_with(echo, bundle, proof, tmp_path, kind):
    """The file chooses its kind. Expectations that this kind cannot check must not be dropped in silence."""
    mine = tmp_path / "mine"
    mine.write_bytes(b"another")
    manifest = tmp_path / "manifest"
    manifest.write_text(json.dumps(exchange(echo, "GET", f"/v1/cloister/attestation?nonce={'07' * 32}").json()["model"]))
    named = {**NAMED, "--request": mine, "--response": mine, "--model-manifest": manifest}
    changed(bundle, kind=kind)
    if kind == "proof":
        changed(bundle, evidence=base64.b64encode(proof.read_bytes()).decode())
    at = ["--at", rfc3339(time.time())]
    for option, value in named.items():
        status, _, verdict, error = judged("bundle", bundle, *at, option, value)
        if option in COMPARED[kind]:
            assert status != 0 and f"to compare with {option}" not in error, (kind, option, error)
        else:
            assert status == 2 and verdict is None and " has no " in error and f"to compare with {option}" in error, (kind, option, error)


@pytest.mark.parametrize("option, value", [("--nonce", "00"), ("--report-data", "00"), ("--report-data", "zz"), ("--address", "0x11"),
                                           ("--address", "mine")])
def test_a_malformed_expectation_is_an_error_in_every_kind(bundle, option, value):
    for kind in COMPARED:
        status, _, verdict, error = judged("bundle", changed(bundle, kind=kind), option, value)
        assert status == 2 and verdict is None and option in error, (kind, error)


@pytest.mark.parametrize("option", ["--policy", "--nonce", "--id", "--model", "--request", "--response", "--report", "--keyset", "--at",
                                    "--collateral", "--model-manifest", "--archive", "--bundle"])
def test_an_empty_value_is_not_an_option_that_was_left_out(reply, option):
    """An empty argument is what the shell passes for a variable that is not set."""
    paths = reply["paths"]
    status, _, verdict, error = judged("receipt", paths["receipt"], "--report", paths["report"], option, "")
    assert status == 2 and verdict is None and option in error, error


def test_nonces_without_a_report_to_answer_them(reply):
    paths = reply["paths"]
    status, _, _, error = judged("receipt", paths["receipt"], "--request", paths["request"], "--nonce", reply["nonce"], "--offline")
    assert status == 2 and "--nonce" in error, error


def test_a_keyset_beside_a_report_is_compared(echo, reply, tmp_path):
    paths, keyset = reply["paths"], tmp_path / "keyset"
    common = ["receipt", paths["receipt"], "--report", paths["report"], "--nonce", reply["nonce"], "--request", paths["request"], "--response",
              paths["response"], "--offline", "--keyset", keyset]
    keyset.write_bytes(exchange(echo, "GET", "/v1/cloister/keyset").body)
    status, states, *_ = judged(*common)
    assert status == 0 and states["receipt.known_keyset"] == "pass"
    keyset.write_text(json.dumps({**json.loads(keyset.read_text()), "not_after": 1999999999}))
    status, states, *_ = judged(*common)
    assert status == 1 and states["receipt.known_keyset"] == "fail"
    keyset.write_text("{}")
    status, states, *_ = judged(*common)
    assert status == 1 and states["receipt.known_keyset"] == "fail"
    keyset.write_text("garbage")
    status, _, _, error = judged(*common)
    assert status == 2 and str(keyset) in error


def test_saved_evidence_with_its_instances_is_judged_again(vectors_folder, tmp_path):
    live, saved = vectors_folder / "reports/live", tmp_path / "saved"
    at = ["--at", "2026-06-10T01:50:29Z", "--nonce", "3339ed515124334c8c85e73f5101de92da4112b23ecec719a72d767a278d3440"]
    first = judged("report", live / "chutes_20260610.json", *at, "--instances", live / "chutes_20260610.instances.json", "--collateral",
                   live / "chutes_20260610.bundle.json", "--offline", "--bundle", saved)
    again = judged("bundle", saved, *at)
    assert again[0] == first[0] and {**first[1], "file.time": "pass"} == again[1], again[3]
    status, _, _, error = judged("report", live / "near_direct_20260610.json", "--instances", live / "chutes_20260610.instances.json", "--offline")
    assert status == 2 and "--instances" in error


# The commands that verify files which the person who verifies has put together.
COMMANDS = ["report", "quote", "gpu", "snp", "receipt", "session", "signature", "proof"]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_other_command_reads_such_a_file(archive, bundle, command):
    for path, own in ((archive, "archive"), (bundle, "bundle")):
        status, states, _, error = judged(command, path, "--offline")
        assert status == 2 and not states and f"cloister verify {own}" in error, (own, error)


def test_a_proof_is_no_bare_signature(proof, tmp_path):
    """A body that the person names must not be ignored in favour of the body in the file."""
    mine = tmp_path / "mine"
    mine.write_bytes(b"another reply")
    status, states, _, error = judged("signature", proof, "--request", mine, "--response", mine)
    assert status == 2 and not states and "cloister verify proof" in error, error


def test_an_archive_does_not_choose_its_time(archive, reply):
    status, states, verdict, _ = judged("archive", archive, "--nonce", reply["nonce"])
    assert status == 3 and states["file.time"] == "skipped", "nobody but the file named the time"
    kept = json.loads(archive.read_text())
    assert verdict["facts"]["file_says"]["saved_at"] == kept["judged_at"]
    # The file's own time would make an expired keyset valid again.
    at = ["--at", FUTURE, "--nonce", reply["nonce"]]
    status, states, *_ = judged("archive", archive, *at)
    assert status == 1 and states["keyset.not_after"] == "fail"
    for judged_at in (rfc3339(time.time()), rfc3339(time.time() - 3600)):
        status, states, *_ = judged("archive", changed(archive, judged_at=judged_at), *at)
        assert status == 1 and states["keyset.not_after"] == "fail", judged_at


def test_a_file_does_not_choose_its_nonce(archive, bundle, proof):
    for command, path, time_member in (("archive", archive, "judged_at"), ("bundle", bundle, "saved_at"), ("proof", proof, "time")):
        kept = json.loads(path.read_text())
        at = ["--at", kept[time_member]]
        status, states, verdict, _ = judged(command, path, *at)
        assert status == 3, (command, verdict)
        assert states["report.nonce"] == states["report_data.nonce"] == "skipped", command
        assert verdict["facts"]["file_says"]["nonce"] == kept["nonce"]
        assert judged(command, path, *at, "--nonce", kept["nonce"])[0] == 0, "whoever made the nonce knows it without the file"
        status, states, *_ = judged(command, path, *at, "--nonce", "07" * 32)
        assert status == 1 and states["report.nonce"] == "fail", command


def test_a_proof_is_not_judged_now_in_silence(proof):
    """The time in the proof is the proof's own statement and never the time of the call. The output says so."""
    kept = json.loads(proof.read_text())
    status, states, verdict, _ = judged("proof", proof, "--nonce", kept["nonce"])
    assert status == 3 and states["file.time"] == "skipped"
    assert verdict["facts"]["judged_at"] == kept["time"] == verdict["facts"]["file_says"]["saved_at"]
    changed(proof, time=FUTURE)
    status, states, verdict, _ = judged("proof", proof, "--nonce", kept["nonce"])
    assert status == 1 and verdict["facts"]["judged_at"] == FUTURE


def test_a_proof_of_a_beginning_stays_with_the_bodies_of_its_file(reply, tmp_path):
    """prefix_proof turned the check of a whole reply into a check of its first three events."""
    paths, files = reply["paths"], reply["files"]
    beginning = tmp_path / "beginning"
    beginning.write_bytes(b"".join(event + b"\n\n" for event in files["response"].split(b"\n\n")[:3]))
    kept = tmp_path / "kept.archive"
    common = ["--report", paths["report"], "--nonce", reply["nonce"], "--request", paths["request"], "--offline"]
    status, *_ = judged("receipt", paths["receipt"], *common, "--response", beginning, "--prefix-proof", paths["prefix"], "--archive", kept)
    assert status == 0
    own_words = ["--nonce", reply["nonce"], "--at", json.loads(kept.read_text())["judged_at"]]
    status, states, verdict, _ = judged("archive", kept, *own_words, "--beginning")
    assert status == 0 and states["receipt.prefix"] == "pass" and verdict["facts"]["prefix_events"] == 3
    assert verdict["facts"]["partial_reply"].startswith("only the first 3 of ")
    again = tmp_path / "written-again.archive"
    again.write_text(json.dumps(json.loads(kept.read_text()), indent=1, sort_keys=True))
    assert judged("archive", again, *own_words, "--beginning")[:2] == (status, states), "by another tool"
    # Only the file says that this is a beginning.
    status, states, verdict, _ = judged("archive", kept, *own_words)
    assert status == 3 and states["receipt.prefix"] == "skipped" and verdict["facts"]["partial_reply"].startswith("only the first 3 of ")
    readable = run("verify", "archive", kept, *own_words, "--accept-simulator").stdout
    assert any(line.startswith("verdict: undetermined") and "only the first 3 of " in line for line in readable.splitlines()), readable
    lie = tmp_path / "lie"
    lie.write_bytes(files["response"].replace(b"three", b"thr33"))
    status, states, *_ = judged("archive", kept, *own_words, "--response", lie)
    assert status == 1 and states["receipt.response_hash"] == "fail" and "receipt.prefix" not in states
    assert judged("receipt", kept, *common, "--response", lie)[0] == 2


def test_names_in_a_bundle_name_nothing(reply, tmp_path, proof):
    """--address, --id and --model name what a person asks about. Values that are saved with the evidence are only the file's statement."""
    saved = tmp_path / "signature.bundle"
    kept = json.loads(proof.read_text())
    signature, request, response = (tmp_path / name for name in ("signature", "request", "response"))
    signature.write_text(json.dumps(kept["signature"]))
    request.write_bytes(base64.b64decode(kept["request"]))
    response.write_bytes(base64.b64decode(kept["response"]))
    address = ["--address", kept["signature"]["signing_address"]]
    assert judged("signature", signature, "--request", request, "--response", response, *address, "--bundle", saved)[0] == 0
    at = ["--at", json.loads(saved.read_text())["saved_at"]]
    status, states, verdict, _ = judged("bundle", saved, *at)
    assert status == 3 and states["signature.signer_attested"] == "skipped"
    assert verdict["facts"]["file_says"]["address"] == address[1]
    assert judged("bundle", saved, *at, *address)[0] == 0
    assert judged("bundle", saved, *at, "--address", "0x" + "07" * 20)[0] == 1


def test_a_bundle_of_another_kind_cannot_pass_for_a_report(bundle):
    changed(bundle, kind="gpu")
    status, *_ = judged("bundle", bundle)
    assert status != 0
    changed(bundle, kind="archive")
    assert judged("bundle", bundle)[0] == 2
