"""A file saved by --bundle is enough to verify the same evidence again offline, for a person who knows time and nonce. With --offline the
program asks no service for anything."""

import base64
import http.server
import json
import threading

import pytest

from support.node import run

pytestmark = pytest.mark.fast
SIMULATED = ["--accept-simulator", "--json"]


@pytest.fixture(scope="module")
def bundle(echo, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "bundle.json"
    assert run("verify", "host", echo.url, *SIMULATED, "--bundle", path).returncode == 0
    return path


def known(path):
    """Returns the facts that the person who saved the bundle knows without the file."""
    saved = json.loads(path.read_text())
    return ["--nonce", saved["nonce"], "--at", saved["saved_at"]]


def again(path, *arguments):
    return run("verify", "bundle", path, *SIMULATED, *arguments)


def test_judged_again_offline(bundle):
    result = again(bundle, *known(bundle))
    verdict = json.loads(result.stdout)
    assert result.returncode == 0, result.stdout
    assert verdict["facts"]["collateral"] == {"offline": True, "fetched": [], "problems": []}
    states = {check["id"]: check["state"] for check in verdict["checks"]}
    assert states["report.nonce"] == "pass" and states["file.time"] == "pass"


def test_it_is_for_the_time_that_the_verdict_was_made_for(vectors_folder, tmp_path):
    """The collateral expires. If saved_at were the time of day at which the file was written, the evidence would be rejected at that time."""
    quote, time, policy, path = vectors_folder / "tdx/v4_b0c06f_uptodate.bin", "2025-06-25T00:00:00Z", tmp_path / "policy.toml", tmp_path / "kept.json"
    policy.write_text("require_nonce = false\n[boot]\nallow_any_measurements = true\n")
    first = run("verify", "quote", quote, "--collateral", vectors_folder / "tdx/v4_b0c06f_uptodate.collateral.json", "--at", time, "--offline",
                "--policy", policy, "--bundle", path)
    assert first.returncode == 0, first.stdout
    assert json.loads(path.read_text())["saved_at"] == time
    later = run("verify", "bundle", path, "--policy", policy, "--json")
    states = {check["id"]: check["state"] for check in json.loads(later.stdout)["checks"]}
    assert later.returncode == 3 and "fail" not in states.values() and states["file.time"] == "skipped"
    assert run("verify", "bundle", path, "--policy", policy, "--at", time).returncode == 0


def test_its_evidence_is_the_report_as_served(bundle):
    saved = json.loads(bundle.read_text())
    report = json.loads(base64.b64decode(saved["evidence"]))
    assert report["statement"]["nonce"] == saved["nonce"] and report["quote"]


def test_a_changed_bundle_is_rejected(bundle, tmp_path):
    saved = json.loads(bundle.read_text())
    report = base64.b64decode(saved["evidence"]).decode()
    genuine = json.loads(report)["quote"]
    quote = bytearray.fromhex(genuine)
    quote[200] ^= 1
    saved["evidence"] = base64.b64encode(report.replace(genuine, quote.hex()).encode()).decode()
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(saved, separators=(",", ":")))
    result = again(changed)
    assert result.returncode == 1
    assert "tdx.quote.signature" in [check["id"] for check in json.loads(result.stdout)["checks"] if check["state"] == "fail"]
    saved["nonce"] = "00" * 32
    changed.write_text(json.dumps(saved, separators=(",", ":")))
    assert again(changed).returncode == 1


@pytest.mark.parametrize("change", [
    lambda saved: saved.update(kind="quota"),
    lambda saved: saved.update(more=1),
    lambda saved: saved.update(evidence="not base64!"),
    lambda saved: saved.update(nonce="00"),
    lambda saved: saved.update(saved_at="yesterday"),
    lambda saved: saved.pop("collateral"),
    lambda saved: saved.update(collateral={"collateral": "cloister.collateral.v9"}),
], ids=["another kind", "a member too many", "evidence", "nonce", "time", "no collateral", "collateral of another form"])
def test_a_bundle_that_is_none_is_unreadable(bundle, tmp_path, change):
    saved = json.loads(bundle.read_text())
    change(saved)
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(saved, separators=(",", ":")))
    result = again(path)
    assert result.returncode == 2 and result.stderr.startswith("cloister verify:"), result.stderr


def test_standard_input(bundle):
    assert run("verify", "bundle", "-", *SIMULATED, *known(bundle), input=bundle.read_text()).returncode == 0


@pytest.mark.parametrize("arguments", [["report"], ["quote"], ["gpu"], ["snp"], ["receipt"], ["session"], ["signature"], ["proof"],
                                       ["bundle"], ["archive"]], ids=lambda a: a[0])
@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"{", b"[]" * 3, b"\xff\xfe"], ids=["empty", "zeros", "cut", "junk", "bytes"])
def test_what_is_no_evidence_is_unreadable(tmp_path, arguments, content):
    path = tmp_path / "evidence"
    path.write_bytes(content)
    result = run("verify", *arguments, path, "--offline")
    assert result.returncode == 2, result.stdout + result.stderr


class Counting(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    Counting.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("with_network", [True, False])
def test_offline_asks_nobody(vectors_folder, tmp_path, service, with_network):
    """The quote is genuine and has no collateral. The service is asked about its platform exactly when that is not forbidden."""
    quote = vectors_folder / "tdx/v4_b0c06f_uptodate.bin"
    arguments = ["verify", "quote", quote, "--json", "--pccs", service, "--cache", tmp_path / "cache", "--at", "2025-06-25T00:00:00Z"]
    result = run(*arguments, *([] if with_network else ["--offline"]), timeout=60)
    assert result.returncode == 3, result.stdout + result.stderr
    facts = json.loads(result.stdout)["facts"]["collateral"]
    if with_network:
        assert any("fmspc=b0c06f000000" in path.lower() for path in Counting.asked), Counting.asked
        assert facts["problems"] and not facts["offline"]
    else:
        assert not Counting.asked and facts == {"offline": True, "fetched": [], "problems": []}
