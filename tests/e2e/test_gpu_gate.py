"""The serving gate: a node takes no prompt while the GPUs are not attested, and recovers without a restart. The evidence comes through the
driver's library interface; the devices behind it are simulated."""

import hashlib
import json
import secrets
import threading

import pytest

from support.fake_driver import LIBRARY, FakeDriver
from support.node import SIMULATED, reports_at_rest, run, wait_until
from support.rawhttp import Connection, exchange, head


UNKNOWN_KEY = "a policy with an unknown key"
CHAT = {"model": "echo", "messages": [{"role": "user", "content": "a-word-that-nobody-else-says"}]}
NVML = ["--tee", "insecure-simulator", "--engine", "echo", "--gpu", "nvml", "--nvml-library", LIBRARY]
GATED = [*NVML, "--require-gpu-tee", "on", "--gpu-check-seconds", 1]


@pytest.fixture
def accepting(tmp_path):
    """Returns the options of a verifier that accepts the library."""
    policy = tmp_path / "library.toml"
    policy.write_text(f'[service]\ngpu_libraries = ["{hashlib.sha256(LIBRARY.read_bytes()).hexdigest()}"]\n')
    return ["--accept-simulator", "--policy", policy]


@pytest.fixture
def driver(tmp_path, monkeypatch):
    driver = FakeDriver(tmp_path / "driver")
    monkeypatch.setenv("CLOISTER_FAKE_DRIVER", str(driver.folder))
    return driver


def gate(node):
    return json.loads(node.get("/health")[2])["gpu_gate"]


def wait_for_gate(node, is_open):
    return wait_until(lambda: (state := gate(node))["open"] is is_open and state["checked_at"] and state, 20, f"open={is_open}")


@pytest.mark.fast
def test_refuses_says_why_and_recovers(start, driver):
    driver.set(feature=0)
    node = start(*GATED, wait=False, simulated=False)
    state = wait_for_gate(node, False)
    assert "confidential-computing mode" in state["reason"]
    status, _, body = node.get("/health")
    assert status == 503 and json.loads(body)["status"] == "gpu_not_attested"
    status, headers, body = node.post("/v1/chat/completions", CHAT)
    error = json.loads(body)["error"]
    assert status == 503 and error["code"] == "gpu.not_attested" and "confidential-computing mode" in error["message"]
    assert int(headers["retry-after"]) >= 1
    status, _, body = node.post("/v1/messages", {**CHAT, "max_tokens": 5})
    assert status == 503 and json.loads(body)["error"]["type"] == "overloaded_error"
    assert node.get("/v1/models")[0] == 200, "what takes no prompt answers"
    assert node.metric("cloister_gpu_gate_open") == 0

    driver.set(devices=2)
    node.wait_healthy()
    assert gate(node)["gpus"] == 2 and gate(node)["measurements"] == "unchecked"
    assert node.post("/v1/chat/completions", CHAT)[0] == 200
    assert node.metric("cloister_gpu_gate_open") == 1

    driver.set(nvmlDeviceGetConfComputeGpuAttestationReport=15)
    assert "the GPU is lost" in wait_for_gate(node, False)["reason"]
    assert node.post("/v1/chat/completions", CHAT)[0] == 503
    driver.set()
    node.wait_healthy()
    assert node.post("/v1/chat/completions", CHAT)[0] == 200
    assert node.stop() == 0
    assert node.log.count("gpu gate closed") == 2, "once a reason, not once a check"
    assert "nobody-else" not in node.log


@pytest.mark.parametrize(
    "fault, words",
    [
        ({"ready": 0}, "not set ready"),
        ({"developer_tools": 1}, "developer-tools"),
        ({"other_nonce": 1}, "nvidia.gpu.0.nonce"),
        ({"arch": 10}, "nvidia.gpu.0.arch"),
        ({"report_size": 9000}, "9000"),
        ({"devices": 0}, "no GPU"),
    ],
)
def test_every_fault_closes_it(start, driver, fault, words):
    node = start(*GATED, simulated=False)
    driver.set(**fault)
    assert words in wait_for_gate(node, False)["reason"]
    driver.set()
    node.wait_healthy()


def test_a_refused_prompt_is_not_even_read(start, driver):
    driver.set(ready=0)
    node = start(*GATED, wait=False, simulated=False)
    wait_for_gate(node, False)
    with Connection(node) as connection:
        connection.send(head(node, "POST", "/v1/chat/completions", b"x" * 1000))  # The body is not sent.
        assert connection.reply().status == 503


def test_a_gpu_that_comes_and_goes_under_load(start, driver):
    """Every reply is right or an honest refusal."""
    node = start(*GATED, simulated=False)
    stop = threading.Event()
    seen = []

    def ask():
        while not stop.is_set():
            status, _, body = node.post("/v1/chat/completions", CHAT)
            seen.append((status, json.loads(body)))

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        for generation in range(2, 5):
            driver.set(generation=generation, nvmlDeviceGetConfComputeGpuAttestationReport=16)
            wait_for_gate(node, False)
            driver.set(generation=generation)
            wait_for_gate(node, True)
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert {status for status, _ in seen} == {200, 503}
    for status, body in seen:
        if status == 200:
            assert body["choices"][0]["message"]["content"]
        else:
            assert body["error"]["code"] == "gpu.not_attested"


def test_a_driver_that_hangs_stops_no_stream(start, driver):
    node = start(*NVML, "--echo-token-gap-ms", 5, "--echo-tokens", 100, simulated=False)
    reports_at_rest(node)
    made = node.metric("cloister_quotes_total")
    driver.set(hold=1)
    reports = []
    asker = threading.Thread(target=lambda: reports.append(node.get(f"/v1/attestation/report?nonce={secrets.token_hex(32)}")[0]))
    asker.start()
    wait_until(lambda: node.metric("cloister_quotes_total") == made + 1, 10, "the report is being made")
    reply = exchange(node, "POST", "/v1/chat/completions", json.dumps({**CHAT, "stream": True}).encode())
    assert reply.complete and reply.body.endswith(b"data: [DONE]\n\n")
    assert not reports
    driver.set()
    asker.join()
    assert reports == [200]


@pytest.mark.fast
def test_evidence_through_the_driver_is_accepted(start, driver, accepting):
    driver.set(devices=3)
    node = start(*GATED, simulated=False)
    result = run("verify", "host", node.url, *accepting, "--json")
    verdict = json.loads(result.stdout)
    assert result.returncode == 0, result.stdout
    assert len(verdict["facts"]["gpus"]) == 3
    assert json.loads(node.get("/health")[2])["gpu_evidence"] == "nvml"


@pytest.mark.parametrize("arguments", [["--require-gpu-tee", "off"], ["--allow-non-cc-gpu"], []])
def test_without_the_gate_a_report_says_that_there_is_no_evidence(start, driver, accepting, tmp_path, arguments):
    driver.set(feature=0)
    node = start(*NVML, *arguments, simulated=False)
    assert "gpu_gate" not in json.loads(node.get("/health")[2])
    report = node.get_json(f"/v1/attestation/report?nonce={secrets.token_hex(32)}")
    assert report["nvidia_payload"] is None and "confidential-computing mode" in report["gpu_evidence_error"]
    verdict = json.loads(run("verify", "host", node.url, *accepting, "--json").stdout)
    assert verdict["verdict"] == "accepted" and verdict["facts"]["gpu"] is False
    assert "confidential-computing mode" in verdict["facts"]["gpu_evidence_error"]
    policy = tmp_path / "policy.toml"
    policy.write_text('[nvidia]\nrequired = "always"\n')
    assert run("verify", "host", node.url, "--accept-simulator", "--policy", policy).returncode == 1
    assert node.post("/v1/chat/completions", CHAT)[0] == 200


def test_simulated_gpus_pass_where_everything_is_simulated(start):
    node = start("--engine", "echo", "--require-gpu-tee", "on")
    assert gate(node)["open"] and node.post("/v1/chat/completions", CHAT)[0] == 200


def test_without_evidence_a_gated_node_gives_no_report(start, driver):
    node = start(*GATED, simulated=False)
    driver.set(feature=0)
    wait_for_gate(node, False)
    status, _, body = node.get(f"/v1/attestation/report?nonce={secrets.token_hex(32)}")
    assert status == 503 and json.loads(body)["error"]["code"] == "gpu.failed"


@pytest.mark.fast
@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--gpu", "nvml", "--nvml-library", "/nowhere/libnvidia-ml.so.1"], "/nowhere/libnvidia-ml.so.1"),
        (["--gpu", "none", "--require-gpu-tee", "on"], "--gpu"),
        (["--require-gpu-tee", "on", "--allow-non-cc-gpu"], "--allow-non-cc-gpu"),
        (["--require-gpu-tee", "on", "--rim-dir", "/nowhere/rims"], "/nowhere/rims"),
        (["--require-gpu-tee", "on", "--gpu-policy", "/nowhere/policy"], "/nowhere/policy"),
        (["--require-gpu-tee", "maybe"], "--require-gpu-tee"),
        # The next two values are refused although no gate is needed yet.
        (["--require-gpu-tee", "auto", "--rim-dir", "/nowhere/rims"], "/nowhere/rims"),
        (["--require-gpu-tee", "auto", "--gpu-policy", UNKNOWN_KEY], "unknown key"),
        (["--require-gpu-tee", "on", "--gpu-policy", UNKNOWN_KEY], "unknown key"),
    ],
)
def test_options_that_do_not_go(tmp_path, arguments, words):
    tee = [] if "--gpu" in arguments else SIMULATED
    base = ["--tee", "insecure-simulator"] if not tee else tee
    (tmp_path / "unknown.toml").write_text("[nvidia]\ngpus = 2\n")
    arguments = [tmp_path / "unknown.toml" if word == UNKNOWN_KEY else word for word in arguments]
    result = run("serve", *base, "--engine", "echo", "--listen", "127.0.0.1:0", "--state", tmp_path / "state", *arguments)
    assert result.returncode > 0 and words in result.stderr, result.stderr


def test_a_policy_of_the_operators(start, driver, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("[nvidia]\ngpu_count = 2\n")
    node = start(*GATED, "--gpu-policy", policy, wait=False, simulated=False)
    assert "nvidia.gpu_count" in wait_for_gate(node, False)["reason"]
    driver.set(devices=2)
    node.wait_healthy()
