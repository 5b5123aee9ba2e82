"""A rule of the verifier's policy that is silently not applied. Whatever a policy names is compared with the evidence. Otherwise the
verdict is not accepted and names the rule. This holds in every command and in every form of evidence."""

import json
import re
import secrets

import pytest

from support.node import run
from support.rawhttp import exchange

pytestmark = pytest.mark.fast
ACCEPT = ["--accept-simulator", "--json"]
OTHER = "07" * 32

# Each entry maps a rule to a demand that no simulated node meets.
RULES = {
    "report_data": f'report_data = ["{"07" * 64}"]',
    "tdx.fmspcs": f'fmspcs = ["{"07" * 6}"]',
    "tdx.td_attributes": f'td_attributes = ["{"07" * 8}"]',
    "tdx.seam_attributes": f'seam_attributes = ["{"07" * 8}"]',
    "tdx.mr_seam": f'mr_seam = ["{"07" * 48}"]',
    "tdx.mr_signer_seam": f'mr_signer_seam = ["{"07" * 48}"]',
    "tdx.mr_config_id": f'mr_config_id = ["{"07" * 48}"]',
    "tdx.min_tee_tcb_svn": f'min_tee_tcb_svn = "{"ff" * 16}"',
    "tdx.accepted_tcb_statuses": 'accepted_tcb_statuses = ["OutOfDate"]',
    "tdx.allowed_advisories": 'allowed_advisories = ["INTEL-SA-00001"]',
    "tdx.min_tcb_date": "min_tcb_date = 2035-01-01T00:00:00Z",
    "tdx.min_evaluation_data_number": "min_evaluation_data_number = 4000000",
    "tdx.xfam": f'xfam = ["{"07" * 8}"]',
    "tdx.mr_owner": f'mr_owner = ["{"07" * 48}"]',
    "tdx.mr_owner_config": f'mr_owner_config = ["{"07" * 48}"]',
    "tdx.platform_ids": f'platform_ids = ["{OTHER}"]',
    "boot.mr_td": f'mr_td = ["{"07" * 48}"]',
    "boot.rtmr0": f'rtmr0 = ["{"07" * 48}"]',
    "boot.rtmr1": f'rtmr1 = ["{"07" * 48}"]',
    "boot.rtmr2": f'rtmr2 = ["{"07" * 48}"]',
    "boot.rtmr3": f'rtmr3 = ["{"07" * 48}"]',
    "boot.os_image_hashes": f'os_image_hashes = ["{OTHER}"]',
    "boot.compose_hashes": f'compose_hashes = ["{OTHER}"]',
    "boot.app_ids": f'app_ids = ["{"07" * 20}"]',
    "boot.key_providers": 'key_providers = ["kms:' + "07" * 33 + '"]',
    "boot.kms_root_keys": f'kms_root_keys = ["02{OTHER}"]',
    "boot.measurement_list_keys": f'measurement_list_keys = ["ed25519:{OTHER}"]',
    "boot.min_measurement_list_issued": "min_measurement_list_issued = 2026-01-01T00:00:00Z",
    "nvidia.gpu_count": "gpu_count = 63",
    "nvidia.architectures": 'architectures = ["LS10"]',
    "nvidia.min_driver_version": 'min_driver_version = "9999.0"',
    "nvidia.min_vbios_version": 'min_vbios_version = "FF.00.00.00.00"',
    "tpm.pcrs": f'pcrs = ["7:{OTHER}"]',
    "service.max_keyset_days": "max_keyset_days = 1",
    "service.model_digests": f'model_digests = ["{OTHER}"]',
    "service.policy_digests": f'policy_digests = ["{OTHER}"]',
    "service.require_known_answers": "require_known_answers = true",
    "service.max_known_answers_age_minutes": "max_known_answers_age_minutes = 5",
    "service.known_answer_digests": f'known_answer_digests = ["{OTHER}"]',
}


def write_policy(folder, rule):
    path = folder / "policy.toml"
    path.write_text((f"[{rule.split('.')[0]}]\n" if "." in rule else "") + RULES[rule] + "\n")
    return path


def judged(*arguments):
    result = run(*arguments, *ACCEPT)
    verdict = json.loads(result.stdout) if result.stdout.startswith("{") else None
    checks = {check["id"]: check for check in verdict["checks"]} if verdict else {}
    return result.returncode, checks, result


@pytest.fixture(scope="module")
def evidence(echo, tmp_path_factory):
    """The same node in every form, each accepted under the default policy. The value maps a name to arguments of `cloister verify`."""
    folder = tmp_path_factory.mktemp("evidence")
    nonce = secrets.token_hex(32)
    request = b'{"model":"echo","messages":[{"role":"user","content":"x"}]}'
    answer = exchange(echo, "POST", "/v1/chat/completions", request)
    legacy = exchange(echo, "GET", f"/v1/attestation/report?nonce={nonce}").json()
    signature = exchange(echo, "GET", f"/v1/signature/{answer.json()['id']}").body
    files = {
        "native": exchange(echo, "GET", f"/v1/cloister/attestation?nonce={nonce}").body,
        "aci": exchange(echo, "GET", f"/v1/aci/attestation?nonce={nonce}").body,
        "legacy": json.dumps(legacy).encode(),
        "receipt": exchange(echo, "GET", f"/v1/aci/receipts/{answer.header('x-receipt-id')}").body,
        "signature": signature, "request": request, "response": answer.body,
        "quote": bytes.fromhex(legacy["intel_quote"]), "gpu": legacy["nvidia_payload"].encode(),
        "event-log": json.dumps(legacy["event_log"]).encode(),
    }
    path = {name: folder / name for name in files}
    for name, data in files.items():
        path[name].write_bytes(data)
    bodies = ["--request", path["request"], "--response", path["response"]]
    fresh = ["--nonce", nonce, "--offline"]
    own = ["--report-data", files["quote"][568:632].hex()]
    return {
        "native": ["report", path["native"], *fresh],
        "aci": ["report", path["aci"], *fresh],
        "legacy": ["report", path["legacy"], *fresh],
        "receipt by a native report": ["receipt", path["receipt"], "--report", path["native"], *bodies, *fresh],
        "receipt by an ACI report": ["receipt", path["receipt"], "--report", path["aci"], *bodies, *fresh],
        "signature": ["signature", path["signature"], *bodies, "--address", json.loads(signature)["signing_address"]],
        "quote": ["quote", path["quote"], "--offline", *own],
        "quote with its log": ["quote", path["quote"], "--event-log", path["event-log"], "--offline", *own],
        "gpu": ["gpu", path["gpu"], *fresh],
    }


FORMS = ["native", "aci", "legacy", "receipt by a native report", "receipt by an ACI report", "signature", "quote", "quote with its log",
         "gpu"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_the_default_policy_accepts_each_form(evidence, form):
    status, checks, result = judged("verify", *evidence[form])
    assert status == 0, [check for check in checks.values() if check["state"] in ("fail", "skipped")] or result.stderr


@pytest.mark.parametrize("form", FORMS)
def test_no_rule_is_left_out_in_silence(evidence, tmp_path, form):
    for rule in RULES:
        # The option would contradict this rule, which is a usage error.
        arguments = [word for word in evidence[form] if rule != "report_data" or (word != "--report-data" and len(str(word)) != 128)]
        status, checks, result = judged("verify", *arguments, "--policy", write_policy(tmp_path, rule))
        assert status in (1, 3), (rule, result.stdout + result.stderr)
        if status == 3:
            named = [check for check in checks.values() if check["state"] == "skipped" and check["required"]]
            assert named, rule
        if "policy.applied" in checks and checks["policy.applied"]["state"] == "skipped":
            assert rule in checks["policy.applied"]["expected"].split(", "), rule


def test_every_word_of_the_default_policy_that_demands_something_is_tried_here():
    """Keys that only allow more, and rules for evidence that the simulator does not make, are left out."""
    text = run("verify", "--default-policy").stdout
    words, table = set(), ""
    for line in text.splitlines():
        if match := re.match(r"\[(\w+)\]", line):
            table = match[1] + "."
        elif match := re.match(r"(?:# )?([a-z_0-9]+) = ", line):
            words.add(table + match[1])
    assert set(RULES) <= words, set(RULES) - words


@pytest.mark.parametrize("rule, expected", [("service.model_digests", "report.model_digest"), ("service.policy_digests", "report.policy_digest")])
def test_verify_host_applies_what_only_the_native_report_shows(echo, tmp_path, rule, expected):
    status, checks, _ = judged("verify", "host", echo.url, "--policy", write_policy(tmp_path, rule))
    assert status == 1 and checks[expected]["state"] == "fail"


def test_verify_host_accepts_the_digests_of_the_node(echo, tmp_path):
    statement = exchange(echo, "GET", f"/v1/cloister/attestation?nonce={OTHER}").json()["statement"]
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[service]\nmodel_digests = ["{statement["model_digest"][7:]}"]\npolicy_digests = ["{statement["policy_digest"][7:]}"]\n')
    status, checks, result = judged("verify", "host", echo.url, "--policy", policy)
    assert status == 0 and checks["policy.applied"]["state"] == "pass", result.stdout
    assert run("chat", echo.url, "x", "--policy", policy, "--accept-simulator").returncode == 0


@pytest.fixture
def middlebox(between):
    """middlebox(status) returns the requested paths, and the URL of a node whose native report is hidden behind this status."""

    def start(status=404):
        seen = []

        def hide(path, passed, headers, body):
            seen.append(path)
            return (status, {}, b"") if path.startswith("/v1/cloister/") else (passed, headers, body)

        return seen, between(hide)

    return start


@pytest.mark.parametrize("status", [404, 405, 403, 500, 501])
@pytest.mark.parametrize("rule", ["service.model_digests", "service.max_keyset_days"])
def test_a_middlebox_that_hides_the_native_report_gets_no_prompt(middlebox, tmp_path, rule, status):
    seen, url = middlebox(status)
    policy = write_policy(tmp_path, rule)
    assert judged("verify", "host", url, "--policy", policy)[0] in (1, 2, 3)
    result = run("chat", url, "my secret", "--accept-simulator", "--policy", policy)
    assert result.returncode in (1, 2, 3), result.stdout
    assert not [path for path in seen if path.startswith("/v1/chat")], seen


def manifest_of(echo, tmp_path, **changes):
    model = exchange(echo, "GET", f"/v1/cloister/attestation?nonce={OTHER}").json()["model"]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**model, **changes}))
    return path


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_verify_host_compares_a_model_manifest(echo, middlebox, tmp_path):
    status, checks, result = judged("verify", "host", echo.url, "--model-manifest", manifest_of(echo, tmp_path))
    assert status == 0 and checks["model.document"]["state"] == "pass", result.stdout
    other = manifest_of(echo, tmp_path, id="DeepSeek-R1-671B")
    status, checks, _ = judged("verify", "host", echo.url, "--model-manifest", other)
    assert status == 1 and checks["model.id"]["state"] == "fail"
    status, checks, _ = judged("verify", "host", middlebox()[1], "--model-manifest", other)
    assert status == 3 and checks["model.document"]["state"] == "skipped"
