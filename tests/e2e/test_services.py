"""Every option that names a source of collateral, with the program itself: folders, authorities for TLS, and each of the makers' services.
A local server gives recorded answers, faults included."""

import base64
import json

import pytest
from cryptography import x509

from support.node import run
from support.services import Nras, Service, intel_answers, make_tls, rim_answer

pytestmark = pytest.mark.no_tee

ANY_CODE = "require_nonce = false\n[boot]\nallow_any_measurements = true\n"
JUNE_2025 = "2025-06-25T00:00:00Z"


@pytest.fixture
def service():
    made = Service()
    yield made
    made.stop()


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(ANY_CODE)
    return path


def judge(*arguments, tmp_path, **options):
    result = run("verify", *arguments, "--json", "--cache", tmp_path / "cache", timeout=60, **options)
    return result, json.loads(result.stdout) if result.stdout.startswith("{") else {}


def states(verdict):
    return {check["id"]: check["state"] for check in verdict["checks"]}


def failing(verdict):
    return {name for name, state in states(verdict).items() if state == "fail"}


# ---- Intel ----


@pytest.fixture
def platform(vectors_folder):
    bundle = json.loads((vectors_folder / "tdx/v4_b0c06f_uptodate.collateral.json").read_text())
    return vectors_folder / "tdx/v4_b0c06f_uptodate.bin", intel_answers(bundle)


def test_pccs(platform, service, policy, tmp_path):
    quote, service.answers = platform
    # The program asks again when a service is busy at first.
    busy = next(iter(service.answers))
    service.answers[busy] = [(503, {}, b"later"), service.answers[busy]]
    bundle = tmp_path / "saved.json"
    result, verdict = judge("quote", quote, "--pccs", service.url + "/sgx/certification/v4/", "--policy", policy, "--at", JUNE_2025,
                            "--bundle", bundle, tmp_path=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert verdict["facts"]["tcb_status"] == "UpToDate" and verdict["facts"]["collateral"]["problems"] == []
    assert len(verdict["facts"]["collateral"]["fetched"]) == 4 and "503" in result.stderr
    asked = len(service.asked)
    again, same = judge("bundle", bundle, "--policy", policy, "--at", JUNE_2025, tmp_path=tmp_path)
    assert again.returncode == 0 and len(service.asked) == asked
    assert [check for check in same["checks"] if check["id"] != "file.time"] == verdict["checks"]


def test_tcb_update(platform, service, policy, tmp_path):
    quote, answers = platform
    service.answers = {target.replace("update=standard", "update=early"): answer for target, answer in answers.items()}
    arguments = ["quote", quote, "--pccs", service.url, "--policy", policy, "--at", JUNE_2025, "--no-cache"]
    assert judge(*arguments, tmp_path=tmp_path)[0].returncode == 3
    assert judge(*arguments, "--tcb-update", "early", tmp_path=tmp_path)[0].returncode == 0
    assert judge(*arguments, "--tcb-update", "soon", tmp_path=tmp_path)[0].returncode == 2


@pytest.mark.parametrize("fault", [
    lambda text: (404, {}, b""), lambda text: (410, {}, b""), lambda text: (200, {}, b""), lambda text: (200, {}, b"{"),
    lambda text: (text[0], {}, text[2]), lambda text: (text[0], text[1], text[2][:-40]),
    lambda text: (text[0], text[1], text[2].replace(b"B0C06F", b"B0C06E").replace(b"b0c06f", b"b0c06e")),
], ids=["unknown", "gone", "empty", "cut", "no chain", "cut later", "another platform"])
def test_a_service_that_serves_something_else(platform, service, policy, tmp_path, fault):
    quote, service.answers = platform
    tcb = next(target for target in service.answers if "/tcb?" in target)
    service.answers[tcb] = fault(service.answers[tcb])
    result, verdict = judge("quote", quote, "--pccs", service.url, "--policy", policy, "--at", JUNE_2025, tmp_path=tmp_path)
    assert result.returncode == 3, result.stdout + result.stderr
    assert states(verdict)["tdx.collateral.tcb_info.form"] == "skipped"
    assert len(verdict["facts"]["collateral"]["problems"]) == 1


def test_ca_file(platform, policy, tmp_path):
    """A private authority is trusted when it is named, and only then."""
    authority, identity = make_tls(tmp_path)
    service = Service(tls=identity)
    try:
        quote, service.answers = platform
        arguments = ["quote", quote, "--pccs", service.url, "--policy", policy, "--at", JUNE_2025]
        unknown, verdict = judge(*arguments, tmp_path=tmp_path)
        assert unknown.returncode == 3 and len(verdict["facts"]["collateral"]["problems"]) == 4 and not service.asked
        known, verdict = judge(*arguments, "--ca-file", authority, tmp_path=tmp_path)
        assert known.returncode == 0, known.stderr
        none, _ = judge(*arguments, "--ca-file", tmp_path / "none.pem", "--no-cache", tmp_path=tmp_path)
        assert none.returncode in (2, 3), none.stderr
    finally:
        service.stop()


# ---- NVIDIA ----

@pytest.fixture
def device(vectors_folder):
    """Returns the arguments for a recorded device. The manifest of its VBIOS is recorded too."""
    folder = vectors_folder / "nvidia"
    return ["gpu", folder / "hopper_535.86.09.report.hex", "--chain", folder / "hopper_535.86.09.certs.b64",
            "--at", "2024-06-01T00:00:00Z"]


VBIOS_RIM = "NV_GPU_VBIOS_1010_0200_882_96005E0001"
VBIOS_FILE = "nvidia/rims/1010_0200_882_96005E0001_PROD.swidtag"


def test_rim_dir(vectors_folder, device, tmp_path):
    result, verdict = judge(*device, "--rim-dir", vectors_folder / "nvidia/rims", "--offline", tmp_path=tmp_path)
    found = states(verdict)
    assert found["nvidia.gpu.0.rim.vbios.measurements"] == "pass", result.stdout
    assert found["nvidia.gpu.0.rim.driver.available"] in ("skipped", "fail", "pass")
    folder = tmp_path / "rims"
    folder.mkdir()
    # A file with CoRIM's tag is parsed as a CoRIM. One without a signature fails.
    (folder / f"{VBIOS_RIM}.corim").write_bytes(b"\xd9\x01\xf5\xa0")
    result, verdict = judge(*device, "--rim-dir", folder, "--offline", tmp_path=tmp_path)
    assert states(verdict)["nvidia.gpu.0.rim.vbios.available"] == "pass"
    assert failing(verdict) >= {"nvidia.gpu.0.rim.vbios.form"}
    missing, _ = judge(*device, "--rim-dir", tmp_path / "none", "--offline", tmp_path=tmp_path)
    assert missing.returncode == 2


def test_rim_and_ocsp_service(vectors_folder, device, service, tmp_path):
    service.answers[f"/v1/rim/{VBIOS_RIM}"] = rim_answer(VBIOS_RIM, (vectors_folder / VBIOS_FILE).read_bytes())
    service.answers["/"] = (200, {"content-type": "application/ocsp-response"}, b"\x30\x03\x0a\x01\x06")  # "unauthorized"
    result, verdict = judge(*device, "--rim-service", service.url, "--ocsp-service", service.url, tmp_path=tmp_path)
    found = states(verdict)
    assert found["nvidia.gpu.0.rim.vbios.measurements"] == "pass", result.stdout + result.stderr
    assert found["nvidia.gpu.0.revocation.device"] in ("skipped", "fail"), "an answer that is none is no good one"
    targets = service.targets()
    assert targets.count("/") == 3 + 3, "each certificate between the device's own and the roots is asked about once"
    assert any("NV_GPU_DRIVER_GH100_535.86.09" in problem for problem in verdict["facts"]["collateral"]["problems"])


def device_serial(evidence_file):
    entry = json.loads(evidence_file.read_text())[0]
    leaf = x509.load_pem_x509_certificates(base64.b64decode(entry["certificate"]))[0]
    return entry["nonce"], str(leaf.serial_number)


@pytest.mark.parametrize("file, path, name", [
    ("nvidia/evidence_hopper_1gpu.json", "/v3/attest/gpu", "GPU-0"),
    ("nvidia/evidence_ls10_1switch.json", "/v3/attest/switch", "SWITCH-0"),
], ids=["gpu", "switch"])
def test_nras_service(vectors_folder, service, tmp_path, file, path, name):
    evidence = vectors_folder / file
    nonce, ueid = device_serial(evidence)
    nras = Nras()
    service.answers["/.well-known/jwks.json"] = nras.jwks()
    policy = tmp_path / "policy.toml"
    numbers = nras.key.public_key().public_numbers()
    demands = "[nvidia]\nrequire_nras = true\nrequire_revocation = false\n"
    policy.write_text(demands + f'nras_keys = ["p384:{numbers.x:096x}{numbers.y:096x}"]\n')
    arguments = ["gpu", evidence, "--nonce", nonce, "--policy", policy, "--nras-service", service.url, "--rim-service", service.url]
    token_checks = {f"nvidia.nras.{check}" for check in ("form", "signature", "time", "nonce", "digests", "devices", "result")}

    service.answers[path] = nras.answer(nonce, {name: ueid})
    result, verdict = judge(*arguments, tmp_path=tmp_path)
    assert {states(verdict)[check] for check in token_checks} == {"pass"}, result.stdout + result.stderr
    posted = json.loads(next(body for target, body in service.asked if target == path))
    assert posted["nonce"] == nonce and len(posted["evidence_list"]) == 1

    for answer, failed in [(nras.answer(nonce, {name: ueid}, **{"x-nvidia-overall-att-result": False}), "result"),
                           (nras.answer("00" * 32, {name: ueid}), "nonce"), (nras.answer(nonce, {name: "1"}), "devices"),
                           (nras.answer(nonce, {name: ueid}, exp=1), "time")]:
        service.answers[path] = answer
        result, verdict = judge(*arguments, tmp_path=tmp_path)
        assert f"nvidia.nras.{failed}" in failing(verdict), (failed, result.stdout)
    service.answers[path] = Nras().answer(nonce, {name: ueid})
    result, verdict = judge(*arguments, tmp_path=tmp_path)
    assert states(verdict)["nvidia.nras.signature"] != "pass", "another key"
    service.answers[path] = nras.answer(nonce, {name: ueid})
    policy.write_text(demands)
    result, verdict = judge(*arguments, tmp_path=tmp_path)
    assert result.returncode != 0 and states(verdict)["nvidia.nras.signature"] == "skipped", "a mirror's word for its own key"
    service.answers[path] = (500, {}, b"")
    result, verdict = judge(*arguments, tmp_path=tmp_path)
    assert {states(verdict)[check] for check in token_checks} == {"skipped"}


def test_services_that_need_tls(vectors_folder, tmp_path):
    """The token's keys are trusted because of the channel. They are not trusted over a channel that anybody can change."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[nvidia]\nrequire_nras = true\n")
    result, _ = judge("gpu", vectors_folder / "nvidia/evidence_hopper_1gpu.json", "--policy", policy,
                      "--nras-service", "http://nras.example.com", tmp_path=tmp_path)
    assert result.returncode == 2 and "https" in result.stderr


# ---- AMD ----


def test_kds_service(vectors_folder, service, tmp_path):
    report = vectors_folder / "snp/milan_report_go.bin"
    chip = report.read_bytes()[0x1A0:0x1E0].hex()

    class Answers(dict):
        def get(self, target, default=None):
            if target.lower().startswith(f"/vcek/v1/milan/{chip}?"):
                return 200, {}, (vectors_folder / "snp/milan_vcek_go.der").read_bytes()
            return super().get(target, default)

    service.answers = Answers({"/vcek/v1/Milan/cert_chain": (200, {}, (vectors_folder / "snp/ask_ark_milan.pem").read_bytes())})
    data = report.read_bytes()[0x50:0x90].hex()
    bundle = tmp_path / "saved.json"
    result, verdict = judge("snp", report, "--report-data", data, "--kds-service", service.url, "--at", JUNE_2025, "--bundle", bundle,
                            tmp_path=tmp_path)
    found = states(verdict)
    assert found["snp.cert_chain"] == found["snp.signature"] == found["snp.report_data"] == "pass", result.stdout + result.stderr
    assert failing(verdict) == {"snp.policy.debug"} and found["snp.revocation"] == "skipped"
    assert any("revocation list" in problem for problem in verdict["facts"]["collateral"]["problems"])
    again, same = judge("bundle", bundle, "--at", JUNE_2025, "--report-data", data, tmp_path=tmp_path)
    assert again.returncode == 1 and [check for check in same["checks"] if check["id"] != "file.time"] == verdict["checks"]
    again, same = judge("bundle", bundle, "--at", JUNE_2025, tmp_path=tmp_path)
    assert states(same)["snp.report_data"] == "skipped", "the report data in the file is the file's word"
