"""A file that the command does not read is unreadable (status 2). The message names the file, the kind that it seems to be, and the command
for it. A file of the right kind that is broken or forged is rejected (status 1)."""

import json
import secrets

import pytest

from support.node import run
from support.rawhttp import exchange

pytestmark = pytest.mark.fast
ACCEPT = ["--accept-simulator", "--offline"]
REQUEST = b'{"model":"echo","messages":[{"role":"user","content":"x"}]}'


@pytest.fixture(scope="module")
def files(echo, tmp_path_factory):
    """Returns one file of each kind, from one node: name -> path. `nonce` is the text of the nonce."""
    folder = tmp_path_factory.mktemp("files")
    nonce = secrets.token_hex(32)
    answer = exchange(echo, "POST", "/v1/chat/completions", REQUEST)
    report = exchange(echo, "GET", f"/v1/cloister/attestation?nonce={nonce}").body
    parsed = json.loads(report)
    content = {
        "report": report,
        "legacy": exchange(echo, "GET", f"/v1/attestation/report?nonce={nonce}").body,
        "receipt": exchange(echo, "GET", f"/v1/aci/receipts/{answer.header('x-receipt-id')}").body,
        "signature": exchange(echo, "GET", f"/v1/signature/{answer.json()['id']}").body,
        "keyset": json.dumps(parsed["keyset"]).encode(),
        "quote": bytes.fromhex(parsed["quote"]),
        "event-log": parsed["event_log"].encode() if isinstance(parsed["event_log"], str) else json.dumps(parsed["event_log"]).encode(),
        "gpu": parsed["nvidia_payload"].encode(),
        "request": REQUEST,
        "instances": b'{"instances":[]}',
        "collateral": b'{"collateral":"cloister.collateral.v1"}',
        "garbage": b"\x00" * 32,
    }
    paths = {name: folder / f"{name}.file" for name in content}
    for name, data in content.items():
        paths[name].write_bytes(data)
    for name, option in (("proof", "--save"), ("archive", "--archive")):
        paths[name] = folder / f"{name}.file"
        assert run("chat", echo.url, "x", "--accept-simulator", option, paths[name]).returncode == 0
    paths["bundle"] = folder / "bundle.file"
    assert run("verify", "host", echo.url, "--accept-simulator", "--bundle", paths["bundle"]).returncode == 0
    return {**paths, "nonce": nonce}


KINDS = ["report", "receipt", "signature", "quote", "gpu", "proof", "archive", "bundle", "session", "snp"]
# The kinds that a command reads in addition to its own: the GPUs within a report.
TAKES = {"gpu": {"gpu", "report", "legacy"}, "report": {"report", "legacy"}}
FILES = ["report", "legacy", "receipt", "signature", "keyset", "quote", "event-log", "gpu", "request", "instances", "collateral", "garbage", "proof",
         "archive", "bundle"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_of_another_command(files, kind):
    for name in FILES:
        if name in TAKES.get(kind, {kind}):
            continue
        refused = run("verify", kind, files[name], *ACCEPT)
        assert refused.returncode == 2 and not refused.stdout, (name, refused.stdout, refused.stderr)
        assert f"{name}.file" in refused.stderr, (name, refused.stderr)
        if name in ("proof", "archive", "bundle", "receipt", "signature") and kind != "session":
            assert f"cloister verify {name}" in refused.stderr, (name, refused.stderr)


@pytest.mark.parametrize("command, option, wrong", [
    (["receipt", "receipt"], "--report", ["receipt", "keyset", "garbage", "gpu"]),
    (["receipt", "receipt"], "--keyset", ["report", "garbage", "receipt"]),
    (["receipt", "receipt"], "--session", ["report", "garbage"]),
    (["quote", "quote"], "--event-log", ["report", "garbage"]),
    (["quote", "quote"], "--vm-config", ["garbage"]),
    (["report", "report"], "--instances", ["report", "garbage"]),
])
def test_the_file_of_another_option(files, command, option, wrong):
    for name in wrong:
        refused = run("verify", command[0], files[command[1]], option, files[name], *ACCEPT)
        assert refused.returncode == 2 and f"{name}.file" in refused.stderr, (name, refused.stdout, refused.stderr)


@pytest.mark.parametrize("kind, change", [
    ("receipt", lambda receipt: receipt.pop("signature")), ("receipt", lambda receipt: receipt.update(served_at="now")),
    ("report", lambda report: report.pop("quote")), ("gpu", lambda payload: payload.pop("nonce")),
])
def test_what_is_broken_is_rejected(files, tmp_path, kind, change):
    broken = json.loads(files[kind].read_text())
    change(broken)
    path = tmp_path / "broken"
    path.write_text(json.dumps(broken))
    assert run("verify", kind, path, *ACCEPT).returncode == 1


def test_gpu_evidence_in_a_report_answers_the_nonce_of_the_report(files, tmp_path):
    """The devices of a native report answer a nonce that is derived from the client's nonce and the keyset."""
    for name in ("report", "legacy"):
        done = run("verify", "gpu", files[name], "--nonce", files["nonce"], "--json", *ACCEPT)
        assert done.returncode == 0, (name, done.stdout, done.stderr)
        assert run("verify", "gpu", files[name], "--nonce", "07" * 32, *ACCEPT).returncode == 1
    report = json.loads(files["report"].read_text())
    report["keyset"].pop("not_after")
    (tmp_path / "unread").write_text(json.dumps(report))
    refused = run("verify", "gpu", tmp_path / "unread", "--nonce", files["nonce"], *ACCEPT)
    assert refused.returncode == 2 and "use verify report" in refused.stderr


def test_simulated_gpu_evidence_alone_says_so(files):
    nonce = json.loads(files["gpu"].read_text())["nonce"]
    text = run("verify", "gpu", files["gpu"], "--nonce", nonce, *ACCEPT)
    assert text.returncode == 0 and "THE TEE IS SIMULATED" in text.stdout
    facts = json.loads(run("verify", "gpu", files["gpu"], "--nonce", nonce, "--json", *ACCEPT).stdout)["facts"]
    assert facts["tee_type"] == "insecure_simulator"


def test_gpus_that_the_policy_leaves_out_are_no_fact(files, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('[nvidia]\nrequired = "never"\n')
    for name in ("report", "legacy"):
        facts = json.loads(run("verify", "report", files[name], "--nonce", files["nonce"], "--policy", policy, "--json", *ACCEPT).stdout)["facts"]
        assert facts["gpu"] is False and facts["gpu_binding"].startswith("none")


@pytest.mark.parametrize("address", ["0x00", "11" * 20, "0x" + "zz" * 20, "x"])
def test_an_address_of_no_form(files, address):
    refused = run("verify", "signature", files["signature"], "--address", address)
    assert refused.returncode == 2 and "--address" in refused.stderr, refused.stdout


@pytest.mark.parametrize("arguments, option", [
    (["report", "report", "--at", "2026"], "--at"), (["quote", "quote", "--report-data", "xyz"], "--report-data"),
    (["report", "report", "--nonce", "aa"], "--nonce"), (["report", "report", "--ca-file", "/nowhere/ca.pem"], "--ca-file"),
    (["report", "report", "--bundle", "/nowhere/bundle"], "--bundle"),
])
def test_a_wrong_value_names_its_option(files, arguments, option):
    kind, name, *rest = arguments
    refused = run("verify", kind, files[name], *rest, *ACCEPT)
    assert refused.returncode == 2 and f"{option}: " in refused.stderr, refused.stderr


def test_brief_prints_the_verdict_and_its_reasons(files, vectors_folder):
    whole = run("verify", "quote", vectors_folder / "tdx/v4_b0c06f_uptodate.bin", "--offline")
    brief = run("verify", "quote", vectors_folder / "tdx/v4_b0c06f_uptodate.bin", "--offline", "--brief")
    assert whole.returncode == brief.returncode == 3
    lines = brief.stdout.splitlines()
    assert len(lines) <= 12 and lines[1].startswith("verdict: undetermined (") and whole.stdout.endswith("\n".join(lines[1:]) + "\n")
    assert any(line.startswith("  [skip] tdx.* (") for line in lines), brief.stdout
    accepted = run("verify", "report", files["report"], "--nonce", files["nonce"], "--brief", *ACCEPT)
    assert accepted.returncode == 0 and len(accepted.stdout.splitlines()) == 3
    assert run("verify", "report", files["report"], "--brief", "--json", *ACCEPT).returncode == 2


def test_reasons_can_be_pasted(files):
    one = run("verify", "--explain", "tdx.quote.signature")
    assert one.returncode == 0 and one.stdout == run("verify", "--explain", "TDX.Quote.SIGNATURE").stdout
    many = run("verify", "--explain", "nvidia.gpu.*.rim.*")
    assert many.returncode == 0 and {line.split(".")[3] for line in many.stdout.splitlines() if line.startswith("nvidia.")} == {"rim"}
    assert run("verify", "--explain", "nvidia.gpu.*.nonce").stdout == run("verify", "--explain", "nvidia.gpu.N.nonce").stdout != ""
    assert run("verify", "--explain", "tdx.nothing").returncode == 2
