"""Keys that somebody outside knows must not count as the TEE's keys. An agent of the operator stands in front of the genuine one. It passes
on quotes, logs and information, and answers requests for keys from a seed that the operator knows. (Here the genuine agent is a
simulator with another seed.)"""

import contextlib
import json

import pytest

from support.agent import Agent, ask, http_reply, scripted_agent
from support.node import Node, run

pytestmark = pytest.mark.own_seed

KEY_CALLS = ("/GetKey", "/GetTlsKey", "/Sign")


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    """Returns the machine's own agent, and an agent of another application whose seed the operator knows."""
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "genuine").write_text("11" * 32 + "\n")
    (folder / "known").write_text("22" * 32 + "\n")
    genuine, known = Agent(folder / "genuine"), Agent(folder / "known", ["--app-name", "another"])
    yield genuine, known
    genuine.close()
    known.close()


@contextlib.contextmanager
def node_behind(folder, genuine, known, takes):
    """Starts a node that asks `known` for the calls that `takes` names, and `genuine` for the rest."""
    def answer(path, body):
        status, reply = ask((known if takes(path, body) else genuine).socket, path, body)
        return http_reply(reply, f"{status} OK" if status == 200 else f"{status} Refused")

    socket = genuine.folder / "between.sock"
    with scripted_agent(socket, answer):
        node = Node(folder / "node", "--engine", "echo", "--tee", "dstack", "--tee-socket", socket, "--tls", "self-signed", wait=False, simulated=False)
        try:
            yield node
        finally:
            node.kill()


def verdict_on(node, *more):
    done = run("verify", "host", node.url, "--allow-self-signed", "--accept-simulator", "--json", *more)
    verdict = json.loads(done.stdout)
    return done.returncode, {check["id"]: check for check in verdict["checks"]}


def test_keys_of_another_seed_are_in_nobodys_custody(agents, tmp_path):
    genuine, known = agents
    with node_behind(tmp_path, genuine, known, lambda path, _: path in KEY_CALLS) as node:
        node.wait_healthy()
        status, checks = verdict_on(node)
        assert status == 1
        assert checks["boot.kms_custody"]["state"] == "fail"
        assert checks["keyset.custody"]["state"] == "skipped" and checks["keyset.custody"]["required"]
        policy = tmp_path / "policy.toml"
        policy.write_text("[service]\naccept_unproven_custody = true\n")
        assert verdict_on(node, "--policy", policy)[0] == 1, "they are proven to be another's"


def test_keys_of_the_machines_own_provider_are_accepted(agents, tmp_path):
    genuine, known = agents
    with node_behind(tmp_path, genuine, known, lambda path, _: False) as node:
        node.wait_healthy()
        status, checks = verdict_on(node)
        assert status == 0 and checks["keyset.custody"]["state"] == "pass" and checks["boot.kms_custody"]["state"] == "pass"


def test_the_tls_key_alone_is_not_another_applications(agents, tmp_path):
    """No report contains this key's chain, so the node itself checks which application the key belongs to."""
    genuine, known = agents
    with pytest.raises(AssertionError, match="another application's key"):
        with node_behind(tmp_path, genuine, known, lambda path, body: path == "/GetKey" and b"/tls-key/" in body):
            pass


def replaced(document, custody):
    """Returns the document with other chains of key custody, wherever it has some."""
    if isinstance(document, list):
        return [replaced(each, custody) for each in document]
    if not isinstance(document, dict):
        return document
    out = {name: replaced(value, custody) for name, value in document.items() if name != "key_custody"}
    return out | {"key_custody": custody} if "key_custody" in document else out


def chains_of(document):
    if isinstance(document, list):
        return next((found for each in document if (found := chains_of(each))), None)
    if not isinstance(document, dict):
        return None
    return document.get("key_custody") or chains_of(list(document.values()))


FORMS = {"native": "/v1/cloister/attestation?nonce=", "legacy": "/v1/attestation/report?signing_algo=ecdsa&nonce="}


@pytest.mark.parametrize("form", ["native", "legacy"])
def test_chains_of_the_genuine_keys_do_not_vouch_for_others(agents, tmp_path, form):
    genuine, known = agents
    honest = Node(tmp_path / "honest", "--engine", "echo", "--tee", "dstack", "--tee-socket", genuine.socket, simulated=False)
    try:
        chains = chains_of(honest.get_json(FORMS[form] + "07" * 32))
    finally:
        honest.kill()
    assert chains
    with node_behind(tmp_path, genuine, known, lambda path, _: path in KEY_CALLS) as node:
        node.wait_healthy()
        report = node.get_json(FORMS[form] + "07" * 32)
    for custody in (chains, chains | {"keys": chains["keys"][:1]}):
        file = tmp_path / "report.json"
        file.write_text(json.dumps(replaced(report, custody)))
        done = run("verify", "report", file, "--nonce", "07" * 32, "--accept-simulator", "--json")
        check = {one["id"]: one for one in json.loads(done.stdout)["checks"]}["keyset.custody"]
        assert done.returncode == 1 and check["state"] == "fail", check


def test_where_the_policy_names_roots_a_legacy_report_needs_a_chain(echo, tmp_path):
    file, policy = tmp_path / "report.json", tmp_path / "policy.toml"
    file.write_bytes(echo.get(FORMS["legacy"] + "07" * 32)[2])
    policy.write_text('[boot]\nkms_root_keys = ["02' + "07" * 32 + '"]\n')
    done = run("verify", "report", file, "--nonce", "07" * 32, "--accept-simulator", "--policy", policy, "--json")
    check = {one["id"]: one for one in json.loads(done.stdout)["checks"]}["keyset.custody"]
    assert done.returncode == 3 and check["state"] == "skipped" and check["required"], check
