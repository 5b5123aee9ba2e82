"""The policy document of a node was once bound but not verified. A node whose engine stands on another machine was accepted, and `cloister
chat` learned of that machine from the receipt, after the prompt was sent. The document is now verified in every form and before a prompt
is sent."""

import ipaddress
import json
import pathlib
import secrets

import pytest

from support.agent import Agent, ask, http_reply, scripted_agent
from support.node import run
from support.rawhttp import exchange

pytestmark = pytest.mark.fast
ACCEPT = ["--accept-simulator", "--json"]
FORMS = {"native": "/v1/cloister/attestation", "aci": "/v1/aci/attestation", "legacy": "/v1/attestation/report"}


def states_of(result):
    return {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}


def judge_forms(node, folder, *options, change=None):
    """Returns a map from the form to (exit status, states)."""
    out = {}
    for form, path in FORMS.items():
        nonce = secrets.token_hex(32)
        report = exchange(node, "GET", f"{path}?nonce={nonce}").json()
        if change:
            change(form, report)
        file = folder / f"{form}.json"
        file.write_text(json.dumps(report))
        result = run("verify", "report", file, "--nonce", nonce, "--offline", *ACCEPT, *options)
        out[form] = (result.returncode, states_of(result))
    return out


def document_in(form, report):
    return {"native": lambda: report["policy"], "aci": lambda: report["attestation"]["evidence"]["cloister_policy"],
            "legacy": lambda: report["cloister_policy"]}[form]()




def own_private_address():
    """Returns a private address of this machine, or None where it has none. A node cannot tell such an address from one of another machine."""
    for line in pathlib.Path("/proc/net/if_inet6").read_text().splitlines():
        digits = line.split()[0]
        if digits[:2] in ("fc", "fd"):
            return ipaddress.IPv6Address(int(digits, 16)).compressed
    return None


# The port is closed, so that the tests below send nothing to it and nothing leaves this machine.
ADDRESS = own_private_address()
ELSEWHERE = f"http://[{ADDRESS}]:9"
elsewhere = pytest.mark.skipif(ADDRESS is None, reason="this machine has no private address but those of the loopback")
CASES = {
    "an aggregator": ["--serving", "aggregator", "--upstream", ELSEWHERE],
    "a foreign upstream": ["--upstream", ELSEWHERE],
    "the operator's word": ["--serving", "direct", "--upstream", ELSEWHERE],
}
# The tests ask none of these upstreams for a list of models.
WAIT = {"wait": False}


@pytest.fixture
def foreign(start):
    def make(name):
        return start("--engine", "upstream", *CASES[name], "--upstream-connect-timeout", 1, **WAIT)
    return make


def test_a_node_of_one_machine_is_accepted_in_each_form(echo, tmp_path):
    for form, (status, states) in judge_forms(echo, tmp_path).items():
        assert status == 0 and states["policy.document"] == "pass", (form, states)
        assert {states[name] for name in states if name.startswith("policy.")} == {"pass"}, (form, states)


@elsewhere
@pytest.mark.parametrize("name", CASES)
def test_an_engine_elsewhere_is_accepted_in_no_form(foreign, tmp_path, name):
    node = foreign(name)
    for form, (status, states) in judge_forms(node, tmp_path).items():
        assert status == 3 and states["policy.document"] == "pass" and states["policy.upstreams"] == "skipped", (form, states)
    result = run("chat", node.url, "my secret", "--accept-simulator")
    assert result.returncode == 3 and "nothing was sent" in result.stderr, result.stdout + result.stderr


@elsewhere
def test_the_verifier_may_list_the_server_that_it_knows(foreign, tmp_path):
    node = foreign("the operator's word")
    policy = tmp_path / "policy.toml"
    policy.write_text('[service]\nupstreams = ["http://private"]\n')
    for form, (status, states) in judge_forms(node, tmp_path, "--policy", policy).items():
        assert status == 0 and states["policy.upstreams"] == "pass", (form, states)
    policy.write_text('[service]\nupstreams = ["http://localhost"]\n')
    for form, (status, _) in judge_forms(node, tmp_path, "--policy", policy).items():
        assert status == 3, form


@elsewhere
def test_a_document_that_is_not_the_measured_one(foreign, tmp_path):
    """The harmless configuration of another node stands in front of this node's evidence."""
    node = foreign("an aggregator")

    def lie(form, report):
        engine = document_in(form, report)["engine"]
        engine["serving"], engine["upstreams"] = "direct", []

    for form, (status, states) in judge_forms(node, tmp_path, change=lie).items():
        assert status == 1 and states["policy.document"] == "fail", (form, states)


def test_a_document_that_is_not_shown(echo, tmp_path):
    def hide(form, report):
        holder = report["attestation"]["evidence"] if form == "aci" else report
        holder.pop("policy" if form == "native" else "cloister_policy")
        report.pop("all_attestations", None)

    for form, (status, states) in judge_forms(echo, tmp_path, change=hide).items():
        assert status == 3 and states["policy.document"] == states["policy.serving"] == "skipped", (form, states)


def test_a_second_node_in_the_same_machine(start, tmp_path):
    """Both nodes measure into one register. In the legacy form and in ACI's form, only the order of the events tells which configuration is
    in force. Otherwise an operator could show an earlier, harmless configuration in front of the running node (docs/decisions/0017)."""
    agent = Agent()
    try:
        def node(*arguments):
            return start("--engine", "echo", "--tee", "dstack", "--tee-socket", agent.socket, *arguments, simulated=False)

        first = node()
        for form, (_, states) in judge_forms(first, tmp_path).items():
            assert states["policy.document"] == "pass", form
        second = node("--keyset-days", 20)
        for form, (_, states) in judge_forms(second, tmp_path).items():
            assert states["policy.document"] == "pass", form
        of_the_first = judge_forms(first, tmp_path)
        assert {form: states["policy.document"] for form, (_, states) in of_the_first.items()} == {
            "native": "pass", "aci": "fail", "legacy": "fail"}
        said = run("verify", "report", tmp_path / "legacy.json", "--offline", *ACCEPT)
        document = next(check for check in json.loads(said.stdout)["checks"] if check["id"] == "policy.document")
        assert "measured another configuration since" in document["detail"]
    finally:
        agent.close()


def test_plain_http_that_other_machines_reach(start, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-the-tests-0123456789\n")
    node = start("--engine", "echo", "--api-key-file", tokens, "--share-prompt-cache", listen="0.0.0.0:0")
    nonce = secrets.token_hex(32)
    file = tmp_path / "report.json"
    file.write_bytes(exchange(node, "GET", f"/v1/cloister/attestation?nonce={nonce}").body)
    arguments = ["verify", "report", file, "--nonce", nonce, "--offline", *ACCEPT]
    result = run(*arguments)
    states = states_of(result)
    assert result.returncode == 3 and states["policy.tls"] == states["policy.prompt_cache"] == "skipped", states
    policy = tmp_path / "policy.toml"
    policy.write_text("[service]\nallow_plain_http = true\nallow_shared_prompt_cache = true\n")
    assert run(*arguments, "--policy", policy).returncode == 0


@pytest.fixture
def without_events(start, tmp_path):
    """without_events(*arguments) starts a node on an agent of dstack 0.6, with which applications can measure nothing."""
    machine = Agent()

    def answer(path, body):
        if path.endswith("EmitEvent"):
            return http_reply(b'{"error":"Service not found: /EmitEvent"}', "404 Not Found")
        status, content = ask(machine.socket, path, body)
        return http_reply(content, f"{status} X")

    socket = machine.folder / "old.sock"
    with scripted_agent(socket, answer):
        yield lambda *arguments, **options: start(*arguments, "--tee", "dstack", "--tee-socket", socket, simulated=False, **options)
    machine.close()


def strip(form, report):
    """The attacker leaves out the members that nothing binds, and puts other statements in their place."""
    if form == "aci":
        report["attestation"]["evidence"].pop("cloister_policy", None)
        report["service_capabilities"]["serving"] = "direct"
    if form == "legacy":
        for name in ("policy", "cloister_policy", "tls_key_origin", "all_attestations"):
            report.pop(name, None)


@elsewhere
@pytest.mark.parametrize("change", [None, strip], ids=["as served", "stripped"])
def test_a_document_that_is_left_out_does_not_help(without_events, tmp_path, change):
    node = without_events("--engine", "upstream", *CASES["a foreign upstream"], "--upstream-connect-timeout", 1, **WAIT)
    for form, (status, states) in judge_forms(node, tmp_path, change=change).items():
        assert status == 3, (form, states)
        assert "skipped" in (states["policy.document"], states["policy.upstreams"]), (form, states)


def test_only_the_verifier_says_that_a_service_has_no_document(without_events, tmp_path):
    node = without_events("--engine", "echo", "--gpu", "insecure-simulator")
    policy = tmp_path / "policy.toml"
    policy.write_text("[service]\naccept_no_node_policy = true\n")
    judged = judge_forms(node, tmp_path, "--policy", policy, change=strip)
    assert judged["legacy"][0] == 0 and judged["legacy"][1]["policy.document"] == "n/a", judged["legacy"]
    # The keyset of an ACI report is bound and belongs to a Cloister node. The report's own statement does not count there.
    assert judged["aci"][0] == 3 and judged["aci"][1]["policy.document"] == "skipped", judged["aci"]
