"""cloister doctor runs on this machine and on prepared trees of /proc, /sys, /dev and /var/run."""

import json
import os
import pathlib
import socket

import pytest

from support.agent import http_reply, scripted_agent
from support.fake_driver import LIBRARY, FakeDriver
from support.node import run
from support.upstream import ScriptedServer

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]

GPU = "sys/bus/pci/devices/0000:01:00.0"
READY = {
    "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu tdx_guest rdrand rdseed\n",
    "proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n",
    "proc/sys/kernel/core_pattern": "core\n",
    "proc/self/limits": "Limit  Soft Limit  Hard Limit  Units\n"
    "Max core file size        0                    unlimited            bytes\n"
    "Max locked memory         unlimited            unlimited            bytes\n",
    "proc/self/mountinfo": "22 1 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw - ext4 /dev/vda rw\n"
    "28 27 253:1 / /data rw,relatime shared:1 - ext4 /dev/mapper/data rw\n29 27 0:40 / /dev/shm rw - tmpfs tmpfs rw\n",
    "sys/dev/block/253:1/dm/uuid": "CRYPT-LUKS2-0123456789abcdef-data\n",
    "sys/dev/block/254:0/size": "1\n",
    "dev/tdx_guest": "",
    f"{GPU}/vendor": "0x10de\n",
    f"{GPU}/class": "0x030200\n",
}


def write_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def doctor(*arguments):
    """Returns (exit status, findings by id)."""
    result = run("doctor", "--json", *arguments)
    found = json.loads(result.stdout)
    findings = {each["id"]: each for each in found["findings"]}
    assert len(findings) == len(found["findings"]), "each line once"
    for each in findings.values():
        assert (each["todo"] is None) == (each["state"] == "ok"), each
    ready = all(each["state"] == "ok" for each in findings.values() if each["required"])
    assert found["ready"] is ready and result.returncode == (0 if ready else 1)
    return result.returncode, findings


def tree_doctor(root, *arguments, **changes):
    write_tree(root, {**READY, **changes})
    return doctor("--root", root, "--state", "/data/cloister", *arguments)[1]


def test_this_machine():
    """The test finds by other means what this machine lacks."""
    status, found = doctor("--nvml-library", "/nowhere/libnvidia-ml.so.1")
    flags = next(line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    guest = {"tdx_guest", "sev_snp"} & set(flags) or any(os.path.exists(p) for p in ("/dev/tdx_guest", "/dev/sev-guest"))
    assert (found["tee.cpu"]["state"] == "ok") == bool(guest)
    ways = ["/var/run/dstack.sock", "/var/run/dstack/dstack.sock", "/var/run/tappd.sock", "/var/run/dstack/tappd.sock",
            "/sys/kernel/config/tsm/report", "/dev/tdx_guest", "/dev/sev-guest"]
    assert (found["tee.interface"]["state"] == "ok") == any(os.path.exists(way) for way in ways)
    vendors = [path.read_text().strip() for path in pathlib.Path("/sys/bus/pci/devices").glob("*/vendor")]
    assert (found["gpu.device"]["state"] == "ok") == ("0x10de" in vendors)
    assert found["gpu.driver"]["state"] == "problem" and "/nowhere/libnvidia-ml.so.1" in found["gpu.driver"]["what"]
    assert found["clock.sane"]["state"] == "ok"
    assert (found["entropy.cpu"]["state"] == "ok") == bool({"rdrand", "rdseed"} & set(flags))
    assert status == 1
    assert not any(name.startswith("collateral.") for name in found), "nobody is asked unless --online"


def test_a_tree_that_is_ready(tmp_path):
    found = tree_doctor(tmp_path, "--no-gpu")
    problems = {name for name, each in found.items() if each["state"] != "ok"}
    assert problems <= {"clock.synchronised"}, "the one that is no file"
    assert "Intel TDX" in found["tee.cpu"]["what"] and "tdx_guest" in found["tee.interface"]["what"]
    assert "encrypted" in found["disk.state"]["what"]


@pytest.mark.parametrize(
    "changes, finding, state, words",
    [
        ({"proc/cpuinfo": "flags : fpu\n", "dev/sev-guest": ""}, "entropy.cpu", "problem", "rdrand"),
        ({"proc/cpuinfo": "flags : fpu xtdx_guest rdrand\n"}, "tee.cpu", "ok", "device"),
        ({"proc/cpuinfo": "flags : sev_snp rdrand\n"}, "tee.cpu", "ok", "SEV-SNP"),
        ({"proc/swaps": "Filename Type\n/dev/vdb partition 9 0 -2\n"}, "memory.swap", "problem", "/dev/vdb"),
        ({"proc/swaps": "Filename Type\n/dev/zram0 partition 9 0 5\n"}, "memory.swap", "ok", "zram0"),
        (
            {"proc/swaps": "Filename Type\n/dev/dm-3 partition 9 0 5\n", "sys/class/block/dm-3/dm/uuid": "CRYPT-PLAIN-swap\n"},
            "memory.swap", "ok", "dm-3",
        ),
        ({"proc/sys/kernel/core_pattern": "|/usr/share/apport %p\n"}, "memory.core_dumps", "problem", "apport"),
        ({"proc/sys/kernel/core_pattern": "|/bin/false\n"}, "memory.core_dumps", "ok", "off"),
        ({"proc/self/limits": "Max core file size  unlimited  unlimited bytes\n"}, "memory.core_dumps", "problem", "unlimited"),
        ({"proc/self/limits": "Max locked memory  65536  65536 bytes\n"}, "memory.lock", "problem", "65536"),
        ({"proc/self/limits": ""}, "memory.lock", "unknown", "limits"),
        ({"sys/dev/block/253:1/dm/uuid": "LVM-abc\n"}, "disk.state", "problem", "/dev/mapper/data"),
        (
            {"sys/dev/block/253:1/dm/uuid": "LVM-abc\n", "sys/dev/block/253:1/slaves/dm-0/dm/uuid": "CRYPT-LUKS2-x\n"},
            "disk.state", "ok", "encrypted",
        ),
        (
            {"sys/dev/block/253:1/dm/uuid": "LVM-abc\n", "sys/dev/block/253:1/slaves/dm-0/dm/uuid": "CRYPT-LUKS2-x\n",
             "sys/dev/block/253:1/slaves/vdb/size": "1\n"},
            "disk.state", "problem", "not encrypted",
        ),
        ({"proc/self/mountinfo": "27 1 0:50 / / rw - overlay overlay rw\n"}, "disk.state", "unknown", "overlay"),
        ({"proc/self/mountinfo": "27 1 0:50 / / rw - tmpfs tmpfs rw\n"}, "disk.state", "ok", "in memory"),
        ({"proc/self/mountinfo": ""}, "disk.state", "unknown", "mounts"),
    ],
)
def test_each_fault_has_its_line(tmp_path, changes, finding, state, words):
    found = tree_doctor(tmp_path, "--no-gpu", **changes)
    assert (found[finding]["state"], words in found[finding]["what"]) == (state, True), found[finding]


def test_an_empty_tree_says_what_it_cannot_see(tmp_path):
    status, found = doctor("--root", tmp_path, "--nvml-library", "/nowhere/nvml")
    assert status == 1
    assert found["tee.cpu"]["state"] == "unknown" and found["memory.swap"]["state"] == "unknown"
    assert found["tee.interface"]["state"] == "problem" and found["gpu.device"]["state"] == "problem"


INFO = http_reply(b'{"app_id":"ab","tcb_info":"","vm_config":""}')
NO_SUCH_CALL = http_reply(b'{"error":"Service not found: x"}', "404 Not Found")


def version(body):
    return {"/Info": INFO, "/Version": http_reply(body)}


@pytest.mark.parametrize(
    "replies, state, words",
    [
        (version(b'{"version":"0.5.6","rev":"abc"}'), "ok", "0.5.6"),
        ({"/Info": INFO, "/Version": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{\"version\":\"0.5.6\"}\r\n0\r\n\r\n"}, "ok", "0.5.6"),
        ({"/Info": INFO}, "unknown", "does not tell"),
        (version(b'{"version":7}'), "unknown", "does not tell"),
        (version(b'{"version":"\\u001b[31m"}'), "unknown", "does not tell"),
        ({"/prpc/Tappd.Info?json": INFO}, "unknown", "of the older protocol"),
        ({}, "problem", "neither of the dstack guest agent's protocols"),
        ({"/Info": http_reply(b'{"tcb_info":7}')}, "problem", "tcb_info"),
        ({"/Info": http_reply(b'{"error":"no\\u001b[31m"}', "500 Internal Server Error")}, "problem", "500: no?[31m"),
        ({"/Info": b"\x00" * 1000}, "problem", "no answer that a node can use"),
        ({"/Info": b""}, "problem", "broke off"),
        ({"/Info": None}, "problem", "does not answer"),
    ],
)
def test_the_guest_agent(tmp_path, replies, state, words):
    asked = []

    def answer(path, _):
        asked.append(path)
        return replies.get(path, NO_SUCH_CALL)

    root = pathlib.Path(os.path.relpath(tmp_path))  # a socket's path must be short
    (tmp_path / "var/run").mkdir(parents=True)
    with scripted_agent(tmp_path / "var/run/dstack.sock", answer):
        found = tree_doctor(root, "--no-gpu")
    assert asked[0] == "/Info" and not {"/GetQuote", "/GetKey", "/EmitEvent"} & set(asked)
    assert "dstack guest agent" in found["tee.interface"]["what"]
    line = found["dstack.version"]
    assert (line["state"], words in line["what"]) == (state, True), line


def test_the_simulated_agent(tmp_path, agent):
    (tmp_path / "var/run/dstack").mkdir(parents=True)
    (tmp_path / "var/run/dstack/dstack.sock").symlink_to(agent.socket)
    line = tree_doctor(tmp_path, "--no-gpu")["dstack.version"]
    assert line["state"] == "ok" and line["what"].startswith("dstack guest agent "), line


def test_a_socket_that_nobody_listens_on(tmp_path):
    (tmp_path / "var/run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "var/run/tappd.sock"))
    line = tree_doctor(pathlib.Path(os.path.relpath(tmp_path)), "--no-gpu")["dstack.version"]
    assert line["state"] == "problem" and "does not answer" in line["what"], line


def test_looking_leaves_nothing_behind(tmp_path):
    """An entry under configfs-tsm belongs to the kernel. A doctor creates none and starts no agent."""
    report = tmp_path / "sys/kernel/config/tsm/report"
    report.mkdir(parents=True)
    changed = report.stat().st_mtime_ns
    found = tree_doctor(tmp_path, "--no-gpu")
    assert "configfs-tsm" in found["tee.interface"]["what"] and "dstack.version" not in found
    assert not list(report.iterdir()) and report.stat().st_mtime_ns == changed


def test_gpus(tmp_path, monkeypatch):
    driver = FakeDriver(tmp_path / "driver")
    monkeypatch.setenv("CLOISTER_FAKE_DRIVER", str(driver.folder))

    def look(**settings):
        driver.set(**settings)
        return tree_doctor(tmp_path / "root", "--nvml-library", LIBRARY)

    found = look(devices=2)
    assert found["gpu.device"]["state"] == "ok" and "2 GPUs" in found["gpu.driver"]["what"]
    assert "550.144.03" in found["gpu.driver"]["what"] and found["gpu.mode"]["state"] == "ok"
    # The devices behind this library are simulated, and a doctor has no option that accepts them.
    assert found["gpu.evidence"]["state"] == "problem" and "nvidia.simulator" in found["gpu.evidence"]["what"]
    assert "confidential-computing mode" in look(feature=0)["gpu.mode"]["what"]
    assert "-srs 1" in look(ready=0)["gpu.mode"]["what"]
    assert "the GPU is lost" in look(nvmlDeviceGetConfComputeGpuAttestationReport=15)["gpu.evidence"]["what"]
    assert "not loaded" in look(nvmlInit_v2=9)["gpu.driver"]["what"]


@pytest.mark.parametrize(
    "text, finding, state, words",
    [
        ('[serve]\nlisten = "127.0.0.1:8080"\n', "config.listen", "ok", "127.0.0.1:8080"),
        ('[serve]\nlisten = "0.0.0.0:8080"\n', "config.listen", "problem", "--api-key-file"),
        ('[serve]\nlisten = "0.0.0.0:8080"\nno-auth = true\n', "config.listen", "problem", "without TLS"),
        ('[serve]\nlisten = "0.0.0.0:8080"\nno-auth = true\ntls = "self-signed"\n', "config.listen", "ok", "0.0.0.0"),
        ('[serve]\nlistne = "127.0.0.1:8080"\n', "config.file", "problem", "listne"),
        ('[serve]\ntee = "quantum"\n', "config.file", "problem", "tee"),
        ('[serve]\nengine = "llama"\n', "config.model", "problem", "--model"),
        ('[serve]\nmodel = "/nowhere/model.gguf"\n', "config.model", "problem", "/nowhere/model.gguf"),
        ('[serve]\nupstream = "https://10.0.0.2:8000"\n', "config.upstream", "problem", "tunnel"),
        ('[serve]\nupstream = ["http://8.8.8.8:8000"]\n', "config.upstream", "problem", "public address"),
        ('[serve]\nupstream = "unix:/nowhere/vllm.sock"\n', "config.upstream", "problem", "not every upstream answers: unix:/nowhere"),
        ('[serve]\ngpu-policy = "/nowhere/policy"\n', "config.gpu_policy", "problem", "/nowhere/policy"),
    ],
)
def test_configuration(tmp_path, text, finding, state, words):
    (tmp_path / "cloister.toml").write_text(text)
    _, found = doctor("--no-gpu", "--config", tmp_path / "cloister.toml")
    assert (found[finding]["state"], words in found[finding]["what"]) == (state, True), found[finding]


def test_upstreams_that_answer(tmp_path):
    with ScriptedServer(None) as plain, ScriptedServer(None, path=pathlib.Path(os.path.relpath(tmp_path)) / "s") as local:
        (tmp_path / "cloister.toml").write_text(f'[serve]\nupstream = ["{plain.url}", "unix:{tmp_path}/s"]\n')
        _, found = doctor("--no-gpu", "--config", tmp_path / "cloister.toml")
        assert local.requests == plain.requests == [], "no prompt"
    assert found["config.upstream"]["state"] == "ok", found["config.upstream"]


def test_text(tmp_path):
    write_tree(tmp_path, READY)
    result = run("doctor", "--root", tmp_path, "--no-gpu", "--state", "/")
    assert "problem  disk.state" in result.stdout and "to do: put the state folder" in result.stdout
    assert result.returncode == 1 and result.stdout.endswith("not ready to be a node in a real TEE.\n")
