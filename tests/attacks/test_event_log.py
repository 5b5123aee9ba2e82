"""Event logs that replay to the quote's registers but describe something other than what was measured. The host boots its own application
on the simulated machine and lets it emit the events of a second boot that looks good. The host then serves a log in which only that
second boot can be read."""

import json
import secrets

import pytest

from support.agent import Agent, ask
from support.node import run

pytestmark = pytest.mark.fast

RUNTIME = 0x08000001
POLICY = """accept_simulator = true
[boot]
compose_hashes = ["{}"]
[service]
accept_unproven_custody = true
"""


def call(agent, path, **arguments):
    status, body = ask(agent.socket, path, json.dumps(arguments).encode())
    assert status == 200, body
    return json.loads(body)


def boot_events(log):
    """Returns the names and payloads of register 3, in order."""
    return [(entry["event"], entry["event_payload"]) for entry in log if entry["imr"] == 3]


@pytest.fixture(scope="module")
def honest():
    """Returns the events that the expected application logs, and its compose hash."""
    agent = Agent(arguments=("--app-name", "good"))
    try:
        log = json.loads(call(agent, "/GetQuote")["event_log"])
        return boot_events(log), dict(boot_events(log))["compose-hash"]
    finally:
        agent.close()


class Attack:
    """A machine that runs the application "evil". At launch its host set the MRCONFIGID of the good application."""

    def __init__(self, honest):
        self.events, self.compose_hash = honest
        self.agent = Agent(arguments=("--app-name", "evil", "--mr-config-id", "01" + self.compose_hash + "00" * 15))
        self.true_log = self.log()
        for name, payload in self.events:
            call(self.agent, "/EmitEvent", event=name, payload=payload)

    def log(self):
        return json.loads(call(self.agent, "/GetQuote")["event_log"])

    def hidden(self, **label):
        """Returns the current log, in which the true entries of register 3 are relabelled and have no name and payload."""
        log = self.log()
        for entry in log[:len(self.true_log)]:
            if entry["imr"] == 3:
                entry.update({"event": "", "event_payload": "", **label})
        return log


@pytest.fixture
def attack(honest):
    made = Attack(honest)
    yield made
    made.agent.close()


@pytest.fixture
def judge(start, attack, tmp_path):
    """judge(log) returns the verdict about the report of a node on that machine, with this log in place of its own. The policy expects the
    good application."""
    node = start("--engine", "echo", "--tee", "dstack", "--tee-socket", attack.agent.socket, simulated=False)
    nonce = secrets.token_hex(32)
    report = node.get_json(f"/v1/cloister/attestation?nonce={nonce}")
    (tmp_path / "policy.toml").write_text(POLICY.format(attack.compose_hash))

    def verdict(log):
        served = {**report, "event_log": report["event_log"] if log is None else log}
        # The host leaves out the members that would contradict it.
        for member in ("info", "key_custody", "app_compose"):
            served.pop(member, None)
        (tmp_path / "report.json").write_text(json.dumps(served))
        done = run("verify", "report", tmp_path / "report.json", "--nonce", nonce, "--policy", tmp_path / "policy.toml", "--json")
        judged = json.loads(done.stdout)
        return done.returncode, {check["id"] for check in judged["checks"] if check["state"] == "fail"}, judged["facts"]

    return verdict


def test_the_true_log_names_two_applications(attack, judge):
    status, failing, facts = judge(None)
    assert status == 1 and {"boot.events.unique", "boot.events.order"} <= failing
    assert "compose_hash" not in facts


def test_entries_of_register_3_that_nobody_understands(attack, judge):
    for event_type in (4, 0, 13, 0x80000003, RUNTIME + 1):
        status, failing, facts = judge(attack.hidden(event_type=event_type))
        assert status == 1 and failing == {"boot.event_log.form"}, event_type
        assert "compose_hash" not in facts


def test_hidden_as_runtime_events(attack, judge):
    status, failing, _ = judge(attack.hidden())
    assert status == 1 and {"boot.rtmr3", "boot.event.digests", "boot.event.names"} <= failing


def test_hidden_in_a_register_that_the_policy_leaves_open(attack, judge):
    for label in ({"imr": 2, "event_type": 6}, {"imr": 0, "event_type": 4}):
        status, failing, _ = judge(attack.hidden(**label))
        assert status == 1 and "boot.rtmr3" in failing, label


def test_identity_after_the_end_of_the_boot(attack, judge):
    """Only the beginning of the second boot is hidden, so that its events look like those of the application."""
    log = attack.log()
    status, failing, _ = judge([entry for entry in log if entry["event"] != "system-preparing"])
    assert status == 1 and {"boot.events.unique", "boot.rtmr3"} <= failing


def test_another_configuration_behind_an_entry_of_another_type(attack, judge):
    """The register was extended with a second configuration. The host relabels that entry."""
    call(attack.agent, "/EmitEvent", event="cloister-policy", payload="11" * 32)
    log = attack.log()
    log[-1].update({"event_type": 4, "event": "", "event_payload": ""})
    status, failing, facts = judge(log)
    assert status == 1 and "boot.event_log.form" in failing
    assert "policy_events" not in facts


def test_a_node_passes_no_such_log_on(start, attack):
    node = start("--engine", "echo", "--tee", "dstack", "--tee-socket", attack.agent.socket, simulated=False)
    report = "/v1/cloister/attestation?nonce="
    assert node.get_json(report + secrets.token_hex(32))["event_log"]
    call(attack.agent, "/insecure-simulator/ServeLog", event_log=json.dumps(attack.hidden(event_type=4)))
    status, _, body = node.get(report + secrets.token_hex(32))
    assert status >= 500, body
