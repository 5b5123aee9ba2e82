"""The operator replaces the GPU driver's library, so that the operator's code runs inside the node and no document says so."""

import hashlib
import json
import os

import pytest

from support.agent import Agent
from support.fake_driver import LIBRARY, FakeDriver
from support.node import Node, run

pytestmark = pytest.mark.own_seed


@pytest.fixture(autouse=True)
def driver(tmp_path, monkeypatch):
    driver = FakeDriver(tmp_path / "driver")
    monkeypatch.setenv("CLOISTER_FAKE_DRIVER", str(driver.folder))
    return driver


@pytest.fixture
def agent():
    """The machine, which outlives its nodes."""
    agent = Agent()
    yield agent
    agent.close()


def options(agent, library=None):
    gpu = ["--gpu", "nvml", "--nvml-library", library, "--require-gpu-tee", "on"] if library else ["--gpu", "none"]
    return ["--engine", "echo", "--tee", "dstack", "--tee-socket", agent.socket, *gpu]


def digest_of(library):
    return hashlib.sha256(library.read_bytes()).hexdigest()


def judge(node, policy, *digests):
    policy.write_text(f"[service]\ngpu_libraries = {json.dumps(digests)}\n")
    done = run("verify", "host", node.url, "--accept-simulator", "--policy", policy, "--json")
    verdict = json.loads(done.stdout)
    return done.returncode, {check["id"]: check for check in verdict["checks"]}


def test_a_library_of_the_operators_is_named_and_judged(start, agent, tmp_path):
    node = start(*options(agent, LIBRARY), simulated=False)
    named = "sha256:" + digest_of(LIBRARY)
    assert node.get_json("/v1/cloister/policy")["gpu"]["library"] == named
    status, checks = judge(node, tmp_path / "policy.toml")
    check = checks["policy.gpu_library"]
    assert status == 3 and check["state"] == "skipped" and check["required"] and named in check["detail"]
    assert run("verify", "host", node.url, "--accept-simulator").returncode == 3
    assert run("chat", node.url, "my secret", "--accept-simulator").returncode == 3, "no prompt leaves"
    assert judge(node, tmp_path / "policy.toml", "07" * 32)[0] == 3
    status, checks = judge(node, tmp_path / "policy.toml", named)
    assert status == 0 and checks["policy.gpu_library"]["state"] == "pass"


def test_another_library_has_other_keys(agent, tmp_path):
    other = tmp_path / "libnvidia-ml.so.1"
    other.write_bytes(LIBRARY.read_bytes() + b"\0")
    addresses = []
    for name, library in (("first", LIBRARY), ("other", other), ("again", LIBRARY)):
        node = Node(tmp_path / name, *options(agent, library), simulated=False)
        addresses.append(node.get_json("/v1/attestation/report")["signing_address"])
        node.stop()
    assert addresses[0] == addresses[2] != addresses[1]


def test_what_was_loaded_is_not_forgotten(start, agent, tmp_path):
    """Code in the node could make it write any document. The log of the machine shows which library was loaded before."""
    with_library = Node(tmp_path / "first", *options(agent, LIBRARY), simulated=False)
    with_library.stop()
    node = start(*options(agent), simulated=False)
    assert node.get_json("/v1/cloister/policy")["gpu"]["library"] is None
    status, checks = judge(node, tmp_path / "policy.toml")
    assert status == 3 and checks["policy.gpu_library"]["state"] == "skipped"
    assert digest_of(LIBRARY) in checks["policy.gpu_library"]["detail"]
    status, checks = judge(node, tmp_path / "policy.toml", digest_of(LIBRARY))
    assert status == 0 and checks["policy.gpu_library"]["state"] == "pass"


def test_the_file_is_read_once(start, agent, tmp_path, driver):
    """A library that replaces the file while the node runs is neither loaded nor named. This also holds where the node initialises the
    driver again."""
    library = tmp_path / "libnvidia-ml.so.1"
    library.write_bytes(LIBRARY.read_bytes())
    node = start(*options(agent, library), simulated=False)
    named = node.get_json("/v1/cloister/policy")["gpu"]["library"]
    library.write_bytes(b"another")
    os.truncate(library, 3)
    driver.set(generation=2, nvmlDeviceGetConfComputeGpuAttestationReport=16)
    assert node.get("/v1/attestation/report?nonce=" + "07" * 32)[0] == 503
    driver.set(generation=2)
    node.wait_healthy()
    assert judge(node, tmp_path / "policy.toml", named)[0] == 0
    assert node.get_json("/v1/cloister/policy")["gpu"]["library"] == named


def test_where_no_gpu_is_asked_for_nothing_is_loaded(tmp_path):
    refused = run("serve", "--engine", "echo", "--tee", "insecure-simulator", "--gpu", "none", "--nvml-library", LIBRARY,
                  "--listen", "127.0.0.1:0", "--state", tmp_path)
    assert refused.returncode == 2 and "would do nothing" in refused.stderr, refused.stderr
