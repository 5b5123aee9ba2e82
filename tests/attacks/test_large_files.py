"""A file or an answer that is larger than anything acceptable must cost no work. It is refused by its size before it is parsed as JSON."""

import http.server
import resource
import threading

import pytest

from support.node import PATIENCE, run

LARGE = 48 << 20
KINDS = ["report", "quote", "gpu", "snp", "receipt", "session", "signature"]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Writes one valid JSON text with many values."""
    path = tmp_path_factory.mktemp("large") / "large.json"
    path.write_text('{"a":[' + ",".join(['"0123456789"'] * (LARGE // 13)) + "]}")
    return path


def seconds_of(*arguments):
    """Returns the result of a command and the processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("kind", KINDS)
def test_evidence(large, kind):
    result, seconds = seconds_of("verify", kind, large, "--offline")
    assert result.returncode == 2 and "is larger than" in result.stderr, result.stderr
    assert seconds < 1 * PATIENCE


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_from_a_pipe(large, kind):
    with open(large) as text:
        result = run("verify", kind, "-", "--offline", input=text.read())
    assert result.returncode == 2 and "is larger than" in result.stderr, result.stderr


@pytest.mark.parametrize("option", ["--report", "--keyset", "--session", "--prefix-proof"])
def test_what_stands_beside_it(large, tmp_path, option):
    receipt = tmp_path / "receipt"
    receipt.write_text('{"receipt_id":"r"}')
    result, seconds = seconds_of("verify", "receipt", receipt, option, large, "--offline")
    assert result.returncode == 2 and "is larger than" in result.stderr, result.stderr
    assert seconds < 1 * PATIENCE


@pytest.mark.parametrize("option", ["--policy", "--model-manifest"])
def test_what_it_is_judged_by(large, tmp_path, option):
    report = tmp_path / "report"
    report.write_text("{}")
    result = run("verify", "report", report, option, large, "--offline")
    assert result.returncode == 2 and "is larger than" in result.stderr, result.stderr


class Large(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"a":"' + b"x" * LARGE + b'"}'
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("command", ["verify", "chat"])
def test_an_answer(status, command):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Large)
    server.status = status
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    result = run("chat", url, "hello") if command == "chat" else run("verify", "host", url)
    server.shutdown()
    assert result.returncode == 2 and "larger than the limit of 16777216 bytes" in result.stderr, result.stderr
