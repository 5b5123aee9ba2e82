"""A reply from before a restart, and a report from after it. The keys of a TEE outlive restarts, so a genuine report of today proves
nothing about the model and the configuration of yesterday. What the policy pins is compared with what the receipt itself names, in every
form of report."""

import json
import secrets
import time

import pytest

from support.node import run
from support.rawhttp import exchange

pytestmark = [pytest.mark.fast, pytest.mark.own_seed]

BODY = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "one two three"}]}).encode()
FORMS = {"native": "/v1/cloister/attestation", "aci": "/v1/aci/attestation"}
FIRST = ["--echo-tokens", 5, "--cors-origin", "https://a.example"]
SECOND = ["--echo-tokens", 7]


class Reply:
    """The files that a client keeps of one reply."""

    def __init__(self, node):
        answer = exchange(node, "POST", "/v1/chat/completions", BODY)
        assert answer.status == 200, answer.body
        self.response = answer.body
        self.receipt = exchange(node, "GET", f"/v1/aci/receipts/{answer.header('x-receipt-id')}").body
        self.signature = exchange(node, "GET", f"/v1/signature/{answer.header('x-request-id')}?signing_algo=ecdsa").json()


@pytest.fixture(scope="module")
def restarted(tmp_path_factory):
    """Returns (reply from before, reply from after, node after, digests after)."""
    from support.node import Node
    folder = tmp_path_factory.mktemp("restarted")
    node = Node(folder / "first", "--engine", "echo", *FIRST, state=folder / "state")
    before = Reply(node)
    assert node.stop() == 0
    node = Node(folder / "second", "--engine", "echo", *SECOND, state=folder / "state")
    statement = exchange(node, "GET", f"/v1/cloister/attestation?nonce={'07' * 32}").json()["statement"]
    yield before, Reply(node), node, {"model": statement["model_digest"][7:], "policy": statement["policy_digest"][7:]}
    node.kill()


def judge(folder, node, reply, form, policy_lines=""):
    nonce = secrets.token_hex(32)
    files = {"report": exchange(node, "GET", f"{FORMS[form]}?nonce={nonce}").body, "receipt": reply.receipt, "request": BODY,
             "response": reply.response, "policy": f"[service]\nmax_keyset_days = 731\n{policy_lines}".encode()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    result = run("verify", "receipt", folder / "receipt", "--report", folder / "report", "--nonce", nonce, "--request", folder / "request",
                 "--response", folder / "response", "--model", "echo", "--policy", folder / "policy", "--accept-simulator", "--offline", "--json")
    return result.returncode, {check["id"]: check for check in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize("form", FORMS)
def test_a_reply_of_another_model_is_rejected_in_every_form(restarted, tmp_path, form):
    before, after, node, digests = restarted
    pinned = f'model_digests = ["{digests["model"]}"]'
    status, checks = judge(tmp_path, node, before, form, pinned)
    assert status == 1 and checks["receipt.model_digest"]["state"] == "fail", checks["receipt.model_digest"]
    assert checks["report.model_digest"]["state"] == "pass", "the report alone says nothing against it"
    status, checks = judge(tmp_path, node, after, form, pinned)
    assert status == 0 and checks["receipt.model_digest"]["state"] == "pass", checks


@pytest.mark.parametrize("form", FORMS)
def test_a_reply_under_another_configuration_is_rejected_in_every_form(restarted, tmp_path, form):
    before, after, node, digests = restarted
    pinned = f'policy_digests = ["{digests["policy"]}"]'
    status, checks = judge(tmp_path, node, before, form, pinned)
    assert status == 1 and checks["receipt.policy_digest"]["state"] == "fail", checks["receipt.policy_digest"]
    status, checks = judge(tmp_path, node, after, form, pinned)
    assert status == 0 and checks["receipt.policy_digest"]["state"] == "pass", checks
    # This also holds without a pinned digest: nothing proves the earlier configuration, and the report names another model.
    status, checks = judge(tmp_path, node, before, form)
    assert status == 1 and checks["receipt.policy_digest"]["state"] == "skipped" and checks["receipt.policy_digest"]["required"]
    assert checks["receipt.model_digest"]["state"] == "fail"


@pytest.mark.parametrize("pinned, check", [("model", "signature.model_digest"), ("policy", "signature.policy_digest")])
def test_a_signature_shows_neither(restarted, tmp_path, pinned, check):
    import base64
    before, _, node, digests = restarted
    nonce, now = secrets.token_hex(32), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    encoded = lambda data: base64.b64encode(data).decode()
    report = exchange(node, "GET", f"/v1/cloister/attestation?nonce={nonce}").body.decode()
    (tmp_path / "proof").write_text(json.dumps({"proof": "cloister.proof.v1", "url": node.url, "time": now, "nonce": nonce,
                                                "request": encoded(BODY), "response": encoded(before.response),
                                                "signature": {name: before.signature[name] for name in ("text", "signature", "signing_address", "signing_algo")},
                                                "report": report}))
    policy = tmp_path / "policy"
    for lines, expected in (("", 0), (f'{pinned}_digests = ["{digests[pinned]}"]', 3)):
        policy.write_text(f"[service]\nmax_keyset_days = 731\n{lines}\n")
        result = run("verify", "proof", tmp_path / "proof", "--nonce", nonce, "--at", now, "--policy", policy, "--accept-simulator", "--offline", "--json")
        checks = {one["id"]: one for one in json.loads(result.stdout)["checks"]}
        assert result.returncode == expected, result.stdout
        if expected == 3:
            assert checks[check]["state"] == "skipped" and checks[check]["required"], checks
        else:
            assert checks["signature.policy_digest"]["state"] == "pass" and "signature.model_digest" not in checks


def keys_of(node):
    return json.loads(json.loads(exchange(node, "GET", f"/v1/cloister/attestation?nonce={'07' * 32}").body)["keyset"])


def test_another_configuration_has_other_keys(tmp_path):
    """The keys depend on the settings that decide who can read prompts. The log level, limits and the port are not among them, so the keys
    outlive a change of those."""
    from support.node import Node

    def start(name, *arguments):
        return Node(tmp_path / name, "--engine", "echo", *arguments, state=tmp_path / "state")

    def address_of(node):
        return exchange(node, "GET", f"/v1/attestation/report?nonce={'07' * 32}").json()["signing_address"]

    node = start("first")
    reply, address = Reply(node), address_of(node)
    receipt_id = json.loads(reply.receipt)["receipt_id"]
    assert node.stop() == 0
    node = start("louder", "--log-level", "debug", "--max-body", 65536)
    assert address_of(node) == address == reply.signature["signing_address"]
    assert node.stop() == 0
    for arguments in (["--require-gpu-tee", "on"], ["--upstream", "http://127.0.0.1:9"]):
        engine = ["--engine", "echo"] if arguments[0] != "--upstream" else []
        node = Node(tmp_path / arguments[0][2:], *engine, *arguments, state=tmp_path / "state", wait=False)
        assert address_of(node) != address, arguments
        # The store is the same: the earlier receipt is found, with the signature that it had.
        assert exchange(node, "GET", f"/v1/aci/receipts/{receipt_id}").body == reply.receipt
        nonce = secrets.token_hex(32)
        (tmp_path / "report").write_bytes(exchange(node, "GET", f"/v1/cloister/attestation?nonce={nonce}").body)
        (tmp_path / "receipt").write_bytes(reply.receipt)
        (tmp_path / "request").write_bytes(BODY)
        (tmp_path / "response").write_bytes(reply.response)
        result = run("verify", "receipt", tmp_path / "receipt", "--report", tmp_path / "report", "--nonce", nonce, "--request", tmp_path / "request",
                     "--response", tmp_path / "response", "--accept-simulator", "--offline", "--json")
        assert result.returncode == 1, "keys of another configuration signed it"
        assert node.stop() == 0
