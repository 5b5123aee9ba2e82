"""The program verifies recorded signatures and reports of other implementations."""

import json

import pytest

from support.node import run

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def vectors(vectors_folder):
    return vectors_folder


@pytest.mark.parametrize("name, algo", [("eip191_chat.json", "ecdsa"), ("ed25519_chat.json", "ed25519")])
def test_signatures(vectors, tmp_path, name, algo):
    entries = json.loads((vectors / "signatures" / name).read_text())
    assert {entry["verdict"] for entry in entries} > {"accept"}
    for entry in entries:
        address = entry.get("signing_address") or entry["public_key"]
        signature = {"text": entry["text"], "signature": entry["signature"], "signing_address": address, "signing_algo": algo}
        path = tmp_path / "signature.json"
        path.write_text(json.dumps(signature))
        result = run("verify", "signature", path, "--address", address, "--json")
        if entry["verdict"] == "accept":
            checks = {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}
            assert checks["signature.valid"] == "pass", entry["why"]
            assert result.returncode == 3, "the bytes that were hashed are not there, so it cannot be accepted"
        else:
            assert result.returncode in (1, 2), entry["why"]


def test_foreign_reports_are_never_accepted(vectors):
    reports = (vectors / "reports").glob("*.json")
    assert len(reports) >= 4
    for path in reports:
        result = run("verify", "report", path, "--accept-simulator", "--nonce", "11" * 32)
        assert result.returncode in (1, 2, 3), path.name


def test_genuine_quote_under_the_simulators_name(vectors, tmp_path, echo):
    """A genuine Intel quote in a simulated report must not pass, nor a simulated quote in a genuine report."""
    report = echo.get_json("/v1/attestation/report")
    genuine = (vectors / "tdx/v4_b0c06f_uptodate.bin").read_bytes().hex()
    text = json.dumps(report).replace(report["intel_quote"], genuine)
    for tee_type in ("insecure_simulator", "tdx"):
        path = tmp_path / "report.json"
        path.write_text(text.replace("insecure_simulator", tee_type))
        result = run("verify", "report", path, "--accept-simulator", "--nonce", report["request_nonce"], "--json")
        assert result.returncode == 1, result.stdout
