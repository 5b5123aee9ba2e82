"""The shared library gives the verdicts of `cloister verify`, word for word: for every file of recorded evidence and for every kind of
evidence of a simulated node, through the example in Python."""

import datetime
import importlib.util
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys

import pytest

from support.node import BINARY, ROOT, run
from support.rawhttp import exchange
from test_vector_verdicts import arguments_of, parameters

pytestmark = pytest.mark.fast
EXAMPLE = ROOT / "examples/python/verify.py"
REQUEST = b'{"model":"echo","messages":[{"role":"user","content":"x"}]}'
# Options of the command, and the members of the library's inputs that mean the same.
FILES = {"--request": "request", "--response": "response", "--report": "report", "--keyset": "keyset", "--session": "session",
         "--prefix-proof": "prefix_proof", "--receipt": "receipt", "--chain": "chain", "--instances": "instances", "--event-log": "event_log",
         "--ccel": "ccel", "--app-compose": "app_compose", "--vm-config": "vm_config", "--model-manifest": "model_manifest"}
HEX = {"--nonce": "nonce", "--report-data": "report_data", "--tls-key": "tls_spki_sha256"}
TEXTS = {"--id": "id", "--model": "model", "--address": "address"}


@pytest.fixture(scope="module")
def binding():
    """The example as a module, with the built library."""
    path = BINARY.parent / "libcloister_verify.so.3"
    if not path.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"there is no {path}: build the target cloister_abi")
    spec = importlib.util.spec_from_file_location("verify_example", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    module.built = module.load(path)
    return module


def judge_like(binding, arguments):
    """The library's verdict for these arguments of the command."""
    _, kind, path, *options = arguments
    verifier, beside, flags, policy = binding.Verifier(binding.built), {}, 0, b""
    options = iter(options)
    for option in options:
        if option in ("--offline", "--json"):
            continue
        if option == "--accept-simulator":
            policy = b"accept_simulator = true\n" + policy
            continue
        if option == "--as-document":
            flags |= binding.REPORT_AS_DOCUMENT
            continue
        if option == "--beginning":
            flags |= binding.FILE_BEGINNING
            continue
        value = next(options)
        if option == "--policy":
            policy += pathlib.Path(value).read_bytes()
        elif option == "--collateral":
            verifier.add_collateral(pathlib.Path(value).read_bytes())
        elif option == "--at":
            verifier.set_time(int(datetime.datetime.fromisoformat(value).timestamp()))
        elif option in FILES:
            beside[FILES[option]] = pathlib.Path(value).read_bytes()
        elif option in HEX or (kind == "session" and option == "--id"):
            beside[HEX.get(option, "id")] = bytes.fromhex(value)
        else:
            beside[TEXTS[option]] = value.encode()
    if policy:
        verifier.set_policy(policy)
    return verifier.judge(kind, pathlib.Path(path).read_bytes(), flags, **beside)


def expect_same(binding, *arguments):
    """Returns the exit status that both agree about."""
    arguments = ["verify", *arguments]
    command, verdict = run(*arguments, "--offline", "--json"), judge_like(binding, arguments)
    assert verdict.outcome - binding.ACCEPTED == command.returncode, verdict.error or verdict.summary
    assert verdict.accepted == (command.returncode == 0)
    if command.returncode == 2:
        assert verdict.refusal != binding.OK and verdict.error and not verdict.checks(), command.stderr
        assert json.loads(verdict.json) == {"error": verdict.error, "verdict": "unreadable"}
        return 2
    assert verdict.json + "\n" == command.stdout
    assert [check.id for check in verdict.checks()] == [check["id"] for check in json.loads(command.stdout)["checks"]]
    return command.returncode


# ---- recorded evidence ----

@pytest.mark.no_tee
@pytest.mark.parametrize("case", parameters())
def test_recorded_evidence(binding, case, vectors_folder, tmp_path):
    arguments = [argument for argument in arguments_of(case, vectors_folder, tmp_path)[1:] if argument not in ("--offline", "--json")]
    if "--at" not in arguments:
        arguments += ["--at", "2026-06-01T00:00:00Z"]
    assert expect_same(binding, *arguments) == case["exit"]


# ---- evidence of a simulated node ----

@pytest.fixture(scope="module")
def files(echo, tmp_path_factory):
    """Files of each kind from one node, by name; `nonce`, `id` and `at` are texts."""
    folder = tmp_path_factory.mktemp("library")
    nonce = secrets.token_hex(32)
    answer = exchange(echo, "POST", "/v1/chat/completions", REQUEST)
    report = exchange(echo, "GET", f"/v1/cloister/attestation?nonce={nonce}").body
    parsed = json.loads(report)
    signature = exchange(echo, "GET", f"/v1/signature/{answer.json()['id']}").body
    log = parsed["event_log"]
    content = {
        "report": report,
        "legacy": exchange(echo, "GET", f"/v1/attestation/report?nonce={nonce}").body,
        "receipt": exchange(echo, "GET", f"/v1/aci/receipts/{answer.header('x-receipt-id')}").body,
        "signature": signature,
        "keyset": json.dumps(parsed["keyset"]).encode(),
        "quote": bytes.fromhex(parsed["quote"]),
        "event-log": (log if isinstance(log, str) else json.dumps(log)).encode(),
        "gpu": parsed["nvidia_payload"].encode(),
        "request": REQUEST,
        "response": answer.body,
        "garbage": b"\x00" * 32,
    }
    paths = {name: folder / f"{name}.file" for name in content}
    for name, data in content.items():
        paths[name].write_bytes(data)
    for name, option in (("proof", "--save"), ("archive", "--archive")):
        paths[name] = folder / f"{name}.file"
        assert run("chat", echo.url, "x", "--accept-simulator", option, paths[name]).returncode == 0
    paths["bundle"] = folder / "bundle.file"
    assert run("verify", "host", echo.url, "--accept-simulator", "--bundle", paths["bundle"]).returncode == 0
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**paths, "nonce": nonce, "at": now, "id": answer.json()["id"], "address": json.loads(signature)["signing_address"]}


def test_simulated_evidence(binding, files):
    at, nonce = ["--accept-simulator", "--at", files["at"]], ["--nonce", files["nonce"]]
    bodies = ["--request", files["request"], "--response", files["response"]]
    legacy = [files["legacy"], *at, *nonce]
    assert expect_same(binding, "report", files["report"], *at, *nonce) == 0
    assert expect_same(binding, "report", files["report"], *at) == 3
    assert expect_same(binding, "report", files["report"], "--at", files["at"], *nonce) == 1
    assert expect_same(binding, "report", *legacy) in (0, 3)
    assert expect_same(binding, "quote", files["quote"], *at, "--event-log", files["event-log"]) == 3
    report_data = files["quote"].read_bytes()[568:632].hex()
    assert expect_same(binding, "quote", files["quote"], *at, "--event-log", files["event-log"], "--report-data", report_data) == 0
    assert expect_same(binding, "quote", files["quote"], *at, "--report-data", "11" * 64) == 1
    assert expect_same(binding, "quote", files["quote"], *at, "--report-data", "00" * 64) == 2
    assert expect_same(binding, "gpu", files["gpu"], *at) == 3
    receipt = ["receipt", files["receipt"], *at]
    assert expect_same(binding, *receipt, *nonce, "--report", files["report"], *bodies, "--id", files["id"], "--model", "echo") == 0
    assert expect_same(binding, *receipt, *nonce, "--report", files["report"], *bodies, "--model", "other") == 1
    assert expect_same(binding, *receipt, *nonce, "--report", files["report"], *bodies, "--keyset", files["keyset"]) == 0
    assert expect_same(binding, *receipt, "--keyset", files["keyset"], *bodies) == 3
    assert expect_same(binding, *receipt, *nonce, *bodies) == 2, "there is no report to compare the nonce with"
    signature = ["signature", files["signature"], *at, *bodies]
    assert expect_same(binding, *signature) == 3
    assert expect_same(binding, *signature, "--address", files["address"]) in (0, 3)
    assert expect_same(binding, *signature, "--address", "0x" + "00" * 20) == 1


def test_reports_of_a_node_with_tls(binding, start, tmp_path):
    node = start("--engine", "echo", "--tls", "self-signed")
    nonce, report = secrets.token_hex(32), tmp_path / "report.json"
    report.write_bytes(node.get(f"/v1/cloister/attestation?nonce={nonce}")[2])
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    judge = ["report", report, "--nonce", nonce, "--accept-simulator", "--at", now]
    assert expect_same(binding, *judge) == 3
    assert expect_same(binding, *judge, "--as-document") == 0
    assert expect_same(binding, *judge, "--tls-key", json.loads(report.read_bytes())["keyset"]["tls_public_keys"][0]["spki_sha256"]) == 0
    assert expect_same(binding, *judge, "--tls-key", "11" * 32) == 1
    assert expect_same(binding, *judge, "--tls-key", "00" * 32) == 2


def test_a_signature_is_judged_by_an_address_that_a_report_attests(binding, files):
    at = int(datetime.datetime.fromisoformat(files["at"]).timestamp())
    verifier = binding.Verifier(binding.built)
    verifier.set_time(at)
    verifier.set_policy(b"accept_simulator = true\n")
    report, nonce = files["report"].read_bytes(), bytes.fromhex(files["nonce"])
    undetermined = verifier.judge("report", report)
    assert not undetermined.accepted and undetermined.signing_addresses == []
    accepted = verifier.judge("report", report, nonce=nonce)
    assert accepted.accepted and accepted.is_simulated and files["address"] in accepted.signing_addresses
    bodies = {"request": files["request"].read_bytes(), "response": files["response"].read_bytes()}
    for address in accepted.signing_addresses:
        verdict = verifier.judge("signature", files["signature"].read_bytes(), address=address.encode(), **bodies)
        assert (verdict.find("signature.signer_attested").state == "pass") == (address == files["address"])
        assert verdict.signing_addresses == [] and not verdict.is_simulated


def test_files_that_hold_everything(binding, files):
    for kind in ("proof", "archive", "bundle"):
        file = [kind, files[kind], "--accept-simulator"]
        assert expect_same(binding, *file) == 3
        assert expect_same(binding, *file, "--at", files["at"]) == 3
        assert expect_same(binding, *file, "--at", files["at"], "--nonce", "11" * 32) == 1
        assert expect_same(binding, *file, "--at", files["at"], "--nonce", "00" * 32) == 2
        assert expect_same(binding, kind, files[kind], "--at", files["at"]) == 1
    saved = json.loads(files["bundle"].read_text())
    known = ["--nonce", saved["nonce"], "--at", saved["saved_at"], "--accept-simulator"]
    assert expect_same(binding, "bundle", files["bundle"], *known) == 0
    assert expect_same(binding, "bundle", files["bundle"], *known, "--address", files["address"]) == 2
    assert expect_same(binding, "bundle", files["bundle"], *known, "--beginning") == 0
    archive = ["archive", files["archive"], "--accept-simulator", "--at", files["at"]]
    assert expect_same(binding, *archive, "--id", "another") == 1
    assert expect_same(binding, *archive, "--response", files["response"]) == 1


KINDS = ["report", "receipt", "signature", "quote", "gpu", "proof", "archive", "bundle", "session", "snp"]


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_another_kind_are_refused_alike(binding, files, kind):
    for name in ("report", "legacy", "receipt", "signature", "keyset", "quote", "event-log", "gpu", "request", "garbage", "proof", "archive", "bundle"):
        expect_same(binding, kind, files[name], "--accept-simulator", "--at", files["at"])


# ---- the example itself, and the headers ----

def test_the_example_in_python_is_a_program(binding, files):
    def example(*arguments):
        environment = os.environ | {"CLOISTER_LIBRARY": str(BINARY.parent / "libcloister_verify.so.3")}
        command = [sys.executable, EXAMPLE, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    at = int(datetime.datetime.fromisoformat(files["at"]).timestamp())
    policy = files["report"].with_name("policy.toml")
    policy.write_text("accept_simulator = true\n")
    report = ["report", files["report"], "--at", at, "--policy", policy]
    accepted = example(*report, "--hex", f"nonce={files['nonce']}")
    assert accepted.returncode == 0 and "verdict: accepted" in accepted.stdout, accepted.stdout + accepted.stderr
    assert example(*report, "--hex", "nonce=" + "11" * 32).returncode == 1
    assert example(*report, "--hex", "nonce=" + "00" * 32).returncode == 2
    assert json.loads(example(*report, "--json").stdout)["verdict"] == "undetermined"
    unreadable = example("report", files["garbage"], "--at", at)
    assert unreadable.returncode == 2 and unreadable.stdout.startswith("unreadable: ")
    receipt = example("receipt", files["receipt"], "--at", at, "--policy", policy, "--hex", f"nonce={files['nonce']}", "--text", "model=echo",
                      *(f"--file={name}={files[name]}" for name in ("report", "request", "response")))
    assert receipt.returncode == 0, receipt.stdout + receipt.stderr
    assert example("proof", files["proof"], "--policy", policy).returncode == 3
    for wrong in (["report", files["report"], "--text", "color=red"], ["report", files["report"], "--hex", "nonce=zz"],
                  ["report", files["report"], "--collateral", files["garbage"]], ["report", "/nowhere"], ["report", files["report"], "--at", -1]):
        refused = example(*wrong)
        assert refused.returncode == 2 and refused.stderr.startswith("verify.py: "), refused.stderr


def test_the_binding_reads_checks(binding, files):
    verdict = judge_like(binding, ["verify", "report", files["report"], "--at", files["at"], "--nonce", files["nonce"]])
    assert verdict.outcome == binding.REJECTED and not verdict.accepted
    check = verdict.find("tee.simulator")
    assert check.state == "fail" and check.required and check.meaning and check.without
    assert verdict.find("no.such.check") is None
    assert {one.state for one in verdict.checks()} <= {"pass", "fail", "skipped", "n/a"}


@pytest.mark.no_tee
@pytest.mark.parametrize("compiler, language, standard", [(compiler, language, standard) for compiler in ("cc", "gcc", "clang-14")
                                                          for language, standard in (("c", "c99"), ("c", "c17"), ("c++", "c++17"), ("c++", "c++20"))])
def test_the_headers_compile_without_warnings(compiler, language, standard, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    source = tmp_path / "user"
    source.write_text('#include "cloister/cloister.h"\n' + ('#include "cloister/verifier.h"\n' if language == "c++" else "") +
                      "int use(void);\nint use(void) { return (int)cloister_abi_version(); }\n")
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"]
    done = subprocess.run([compiler, f"-std={standard}", *warnings, "-fsyntax-only", "-I", ROOT / "include", "-x", language, source],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
