"""Genuine evidence of one kind of TEE under a policy for another kind, whose expectations mean nothing for this evidence."""

import json

import pytest

from support.node import run

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]

AT = "2026-06-01T00:00:00Z"
# The policy names all the code of a TD.
TDX = """require_nonce = false
[boot]
mr_td = ["{0}"]
rtmr0 = ["{0}"]
rtmr1 = ["{0}"]
rtmr2 = ["{0}"]
rtmr3 = ["{0}"]
""".format("11" * 48)
MINIMUMS = "min_boot_loader = 0\nmin_tee = 0\nmin_snp = 0\nmin_microcode = 0\n"


@pytest.fixture
def judge(vectors_folder, tmp_path):
    """judge(policy) returns the exit status and the states of the checks of the genuine Genoa report. Only AMD's revocation list is
    missing."""
    report = (vectors_folder / "snp/genoa_v5.bin").read_bytes()

    def verdict(policy):
        (tmp_path / "policy.toml").write_text(policy)
        done = run("verify", "snp", vectors_folder / "snp/genoa_v5.bin", "--collateral", vectors_folder / "snp/genoa_v5.bundle.json",
                   "--policy", tmp_path / "policy.toml", "--report-data", report[0x50:0x90].hex(), "--offline", "--json", "--at", AT)
        return done.returncode, {check["id"]: check["state"] for check in json.loads(done.stdout)["checks"]}

    verdict.measurement = report[0x90:0xc0].hex()
    return verdict


def test_sev_snp_under_a_policy_for_tdx(judge):
    status, states = judge(TDX)
    assert status == 3 and states["tee.kind"] == "skipped" and states["snp.tcb.minimum"] == "skipped"
    # The policy names everything that SEV-SNP needs, except the kind.
    status, states = judge(f'{TDX}[snp]\n{MINIMUMS}measurements = ["{judge.measurement}"]\n')
    assert status == 3 and states["tee.kind"] == "skipped" and states["snp.tcb.minimum"] == "pass"
    status, states = judge('tee_kinds = ["tdx"]\n' + TDX)
    assert status == 1 and states["tee.kind"] == "fail"


def test_a_minimum_that_nobody_named(judge):
    policy = 'tee_kinds = ["sev_snp"]\n[snp]\n' + f'measurements = ["{judge.measurement}"]\n'
    status, states = judge(policy)
    assert status == 3 and states["snp.tcb.minimum"] == "skipped"
    for line in MINIMUMS.splitlines():
        status, states = judge(policy + MINIMUMS.replace(line + "\n", ""))
        assert status == 3 and states["snp.tcb.minimum"] == "skipped", line
    status, states = judge(policy + MINIMUMS)
    assert {name for name, state in states.items() if state == "skipped"} == {"snp.revocation"}
    status, states = judge(policy + MINIMUMS.replace("min_microcode = 0", "min_microcode = 255"))
    assert status == 1 and states["snp.tcb.minimum"] == "fail"


@pytest.mark.parametrize("word", ["id_key_digests", "author_key_digests", "chip_ids", "host_data"])
def test_words_that_a_policy_lacked(judge, word):
    check = {"id_key_digests": "snp.id_key_digest", "author_key_digests": "snp.author_key_digest", "chip_ids": "snp.platform",
             "host_data": "snp.host_data"}[word]
    size = {"chip_ids": 64, "host_data": 32}.get(word, 48)
    status, states = judge(f'tee_kinds = ["sev_snp"]\n[snp]\n{word} = ["{"ff" * size}"]\n')
    assert status == 1 and {name for name, state in states.items() if state == "fail"} == {check}


def test_report_data_of_a_bare_quote(vectors_folder, tmp_path):
    quote = vectors_folder / "tdx/v4_b0c06f_uptodate.bin"
    right = quote.read_bytes()[568:632].hex()
    (tmp_path / "policy.toml").write_text("[boot]\nallow_any_measurements = true\n")
    (tmp_path / "named.toml").write_text(f'report_data = ["{right}"]\n[boot]\nallow_any_measurements = true\n')

    def judge(policy, *arguments):
        return run("verify", "quote", quote, "--collateral", vectors_folder / "tdx/v4_b0c06f_uptodate.collateral.json", "--policy",
                   tmp_path / policy, "--offline", "--at", "2025-06-25T00:00:00Z", *arguments).returncode

    (tmp_path / "old.toml").write_text("require_nonce = false\n[boot]\nallow_any_measurements = true\n")
    # Without the report data, any quote of any time would be accepted.
    assert judge("policy.toml") == 3 and judge("old.toml") == 0
    assert judge("policy.toml", "--report-data", right) == 0 and judge("named.toml") == 0
    assert judge("policy.toml", "--report-data", "11" * 64) == 1
    assert judge("named.toml", "--report-data", "11" * 64) == judge("policy.toml", "--report-data", "00" * 64) == 2 and judge("policy.toml", "--report-data", "00") == 2


def test_a_quote_under_a_policy_for_sev_snp(vectors_folder, tmp_path):
    (tmp_path / "policy.toml").write_text('tee_kinds = ["sev_snp"]\n[boot]\nallow_any_measurements = true\n')
    done = run("verify", "quote", vectors_folder / "tdx/v4_b0c06f_uptodate.bin", "--collateral",
               vectors_folder / "tdx/v4_b0c06f_uptodate.collateral.json", "--policy", tmp_path / "policy.toml", "--offline", "--json",
               "--at", "2025-06-25T00:00:00Z")
    assert done.returncode == 1
    assert [check["id"] for check in json.loads(done.stdout)["checks"] if check["state"] == "fail"] == ["tee.kind"]
