"""`cloister verify session`: a gateway's record about a real node over TLS, written as ACI specifies and verified with the node's own
evidence."""

import base64
import hashlib
import json
import time

import httpx
import pytest

from support.node import run
from test_attestation import spki_of

pytestmark = pytest.mark.fast
NONCE = "7e" * 32


@pytest.fixture(scope="module")
def record(tls):
    """Returns the record that a gateway keeps after it has verified the node and pinned its TLS key."""
    report = httpx.get(tls.url + "/v1/attestation/report", params={"nonce": NONCE, "include_tls_fingerprint": "true"}, verify=False)
    assert report.status_code == 200, report.text
    now = int(time.time())
    return {"api_version": "aci/1", "upstream_name": "node", "endpoint": tls.url, "verifier_id": "test/1", "established_at": now - 5,
            "expires_at": now + 3600,
            "channel_binding": [{"type": "tls_spki_sha256", "origin": tls.url, "spki_sha256": hashlib.sha256(spki_of(tls)).hexdigest()}],
            "claims": {"tee_attested": {"status": "asserted", "source": "hardware_proven", "reason": "quote verified"}},
            "evidence": {"digest": "sha256:" + hashlib.sha256(report.content).hexdigest(),
                         "data": "data:application/json;base64," + base64.b64encode(report.content).decode()}}


def name_of(record):
    """Returns the digest of the canonical form of this document: ASCII names in order, no white space."""
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@pytest.fixture
def judge(tmp_path):
    policy, path = tmp_path / "policy.toml", tmp_path / "session.json"
    policy.write_text("require_nonce = false\naccept_simulator = true\n")

    def judge_record(record, *arguments):
        path.write_text(json.dumps(record, indent=1))  # the served encoding is free
        result = run("verify", "session", path, "--policy", policy, "--json", "--offline", *arguments)
        verdict = json.loads(result.stdout) if result.stdout.startswith("{") else {"checks": []}
        return result.returncode, {check["id"]: check["state"] for check in verdict["checks"]}, verdict

    return judge_record


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_named_by_its_id(record, judge, tmp_path):
    saved = tmp_path / "saved.json"
    at = ["--at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())]
    status, states, verdict = judge(record, "--id", name_of(record), "--bundle", saved, *at)
    assert status == 0, verdict
    assert states["session.id"] == states["session.channel"] == states["upstream.report_data.tls"] == "pass"
    assert verdict["facts"]["tee_type"] == "insecure_simulator"
    again = run("verify", "bundle", saved, "--id", name_of(record), "--json", "--policy", tmp_path / "policy.toml", *at)
    checks = [check for check in json.loads(again.stdout)["checks"] if check["id"] != "file.time"]
    assert again.returncode == 0 and checks == verdict["checks"]
    again = run("verify", "bundle", saved, "--json", "--policy", tmp_path / "policy.toml", *at)
    assert again.returncode == 3, "which session it should be, a person says and not the file"


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_without_a_name_or_with_another(record, judge):
    assert judge(record)[0] == 3
    status, states, _ = judge(record, "--id", "11" * 32)
    assert status == 1 and states["session.id"] == "fail"
    assert judge(record, "--id", "zz")[0] == 2


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_the_nonce_was_the_gateways(record, tmp_path):
    path = tmp_path / "session.json"
    path.write_text(json.dumps(record))
    result = run("verify", "session", path, "--id", name_of(record), "--accept-simulator", "--offline", "--json")
    assert result.returncode == 3
    skipped = [check["id"] for check in json.loads(result.stdout)["checks"] if check["state"] == "skipped" and check["required"]]
    assert skipped == ["upstream.report.nonce"]


def test_the_key_of_another_machine(record, judge):
    changed = record | {"channel_binding": [record["channel_binding"][0] | {"spki_sha256": "ab" * 32}]}
    status, states, _ = judge(changed, "--id", name_of(changed))
    assert status == 1 and states["session.channel"] == "fail"


def test_over_by_now(record, judge):
    status, states, _ = judge(record, "--id", name_of(record), "--at", "2020-01-01T00:00:00Z")
    assert status == 1 and states["session.window"] == "fail"


def test_what_each_check_means():
    explained = run("verify", "--explain", "upstream.tdx.quote.signature")
    assert explained.returncode == 0 and "tdx.quote.signature" in explained.stdout
