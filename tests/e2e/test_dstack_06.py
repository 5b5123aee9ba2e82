"""Guest agents of dstack 0.6 measure no events of applications. A node still serves on such an agent. Only report data proves its model and
its configuration, and the verdict says which way was used."""

import json
import pathlib
import tempfile

import pytest

from support.agent import Agent, ask, http_reply, scripted_agent
from support.node import run

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]

NONCE = "5a" * 32


@pytest.fixture(scope="module")
def without_events():
    """The simulated agent runs behind an agent that lacks this call."""
    agent = Agent()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cloister-agent-"))

    def answer(path, body):
        if path == "/EmitEvent":
            return http_reply(b'{"error":"Service not found: EmitEvent"}', "404 Not Found")
        status, content = ask(agent.socket, path, body)
        return http_reply(content, "200 OK" if status == 200 else f"{status} Refused")

    try:
        with scripted_agent(folder / "s", answer):
            yield folder / "s"
    finally:
        agent.close()


def facts_of(node, tmp_path):
    file = tmp_path / "native.json"
    file.write_text(node.get("/v1/cloister/attestation?nonce=" + NONCE)[2].decode())
    result = run("verify", "report", file, "--nonce", NONCE, "--accept-simulator", "--offline", "--json")
    verdict = json.loads(result.stdout)
    return result.returncode, verdict["facts"], {check["id"]: check["state"] for check in verdict["checks"]}


def test_a_node_serves_without_the_call_and_says_how_it_is_proven(start, without_events, tmp_path):
    node = start("--engine", "echo", "--tee", "dstack", "--tee-socket", without_events, simulated=False)
    _, facts, states = facts_of(node, tmp_path)
    assert states["report_data.identity"] == "pass" and states["boot.rtmr3"] == "pass"
    assert states["model.event"] == "n/a"
    assert facts["model_proof"] == "report data" and facts["policy_proof"] == "report data"
    assert "not measured, the quote alone binds it" in node.log


def test_with_the_call_the_register_proves_it_too(start, tmp_path):
    agent = Agent()
    try:
        node = start("--engine", "echo", "--tee", "dstack", "--tee-socket", agent.socket, simulated=False)
        _, facts, states = facts_of(node, tmp_path)
        assert states["model.event"] == "pass"
        assert facts["model_proof"] == facts["policy_proof"] == "report data, and an event of RTMR3"
    finally:
        agent.close()
