"""A bare quote with separate files: event log, compose text, and the firmware's own log."""

import json

import pytest

from support.node import run

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]


@pytest.fixture
def guest(vectors_folder, tmp_path):
    """Writes the quote, event log and compose text of a recorded guest, each to its own file."""
    report = json.loads((vectors_folder / "dstack/rtmr3_example.report.json").read_text())
    (tmp_path / "quote.hex").write_text(report["quote"])
    (tmp_path / "log.json").write_text(report["event_log"])
    # Its host set no MRCONFIGID at launch.
    (tmp_path / "policy.toml").write_text("[boot]\nallow_unset_mr_config_id = true\n")
    compose = vectors_folder / "dstack/rtmr3_example.app-compose.json"
    return ["verify", "quote", tmp_path / "quote.hex", "--json", "--offline", "--policy", tmp_path / "policy.toml"], tmp_path / "log.json", compose


def states(result):
    return {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}


REGISTERS = [f"boot.rtmr{i}" for i in range(4)]


def test_alone_its_log_is_not_judged(guest):
    command, _, _ = guest
    found = states(run(*command))
    assert {found[register] for register in REGISTERS} == {"n/a"} and found["tdx.quote.signature"] == "pass"


def test_the_log_replays_and_the_compose_text_is_the_measured_one(guest):
    command, log, compose = guest
    result = run(*command, "--event-log", log, "--app-compose", compose)
    found = states(result)
    assert {found[register] for register in REGISTERS} == {"pass"}, result.stdout
    assert found["boot.compose_hash"] == "pass" and result.returncode == 3


@pytest.mark.parametrize("option, check", [("--app-compose", "boot.compose_hash"), ("--vm-config", "boot.vm_config")])
def test_a_file_that_only_a_log_could_prove_is_not_passed_over(guest, tmp_path, option, check):
    command, _, compose = guest
    (tmp_path / "vm.json").write_text("{}")
    result = run(*command, option, compose if option == "--app-compose" else tmp_path / "vm.json")
    assert result.returncode == 3
    found = next(each for each in json.loads(result.stdout)["checks"] if each["id"] == check)
    assert found["state"] == "skipped" and found["required"] and "--event-log" in found["detail"]


def test_other_files_fail_their_own_check(guest, tmp_path):
    command, log, compose = guest
    changed = tmp_path / "changed"
    changed.write_text(compose.read_text() + "\n")
    result = run(*command, "--event-log", log, "--app-compose", changed)
    assert result.returncode == 1 and states(result)["boot.compose_hash"] == "fail"
    events = json.loads(log.read_text())
    changed.write_text(json.dumps(events[1:]))
    result = run(*command, "--event-log", changed)
    assert result.returncode == 1 and "fail" in {states(result)[register] for register in REGISTERS}
    changed.write_text('[{"imr": 1}]')
    result = run(*command, "--event-log", changed)
    assert result.returncode == 1 and states(result)["boot.event_log.form"] == "fail"
    changed.write_text("no log")
    result = run(*command, "--event-log", changed)
    assert result.returncode == 2 and str(changed) in result.stderr
    changed.write_text("[]")
    assert run(*command, "--vm-config", changed, "--event-log", log).returncode == 1
    assert run(*command, "--event-log", tmp_path / "none").returncode == 2


def test_a_firmware_log_of_another_machine(guest, vectors_folder):
    command, log, _ = guest
    result = run(*command, "--event-log", log, "--ccel", vectors_folder / "dstack/ccel_sample.bin")
    assert result.returncode == 1 and states(result)["boot.ccel.form"] == "pass" and states(result)["boot.ccel.replay"] == "fail"


def test_a_bundle_holds_them(guest, tmp_path):
    command, log, compose = guest
    saved = tmp_path / "saved.json"
    first = run(*command, "--event-log", log, "--app-compose", compose, "--bundle", saved)
    log.unlink()
    again = run("verify", "bundle", saved, "--json", "--policy", tmp_path / "policy.toml")
    assert again.returncode == first.returncode == 3
    checks = [check for check in json.loads(again.stdout)["checks"] if check["id"] != "file.time"]
    assert checks == json.loads(first.stdout)["checks"]
