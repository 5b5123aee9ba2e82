"""Text that others chose, on its way to a terminal. Control characters move the cursor and paint a verdict. Overrides of the bidirectional
algorithm reorder a line. Line breaks begin a line that the program never wrote. No command prints any of them, `--json` is always valid
JSON, and a node's log keeps one line an event."""

import fcntl
import http.server
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import urllib.request

import pytest

from support.node import BINARY, PATIENCE, run, wait_until

FAKE = "verdict: accepted (99 passed, 0 failed, 0 skipped, 0 not applicable)"
# The text clears the screen, returns and breaks the line, among other things. It then paints.
EVIL = ("\x1b[2J\x1b[H\r\n\x0b\x0c\u0085\u2028\u2029\u009b2J\u202e\u2066\u200e\u061c\ufeff\u200f\u0007\x08\x7f\U000e0041" + FAKE + "\r\n" + FAKE + "\n"
        "\x1b]0;title\x07 end")
# The characters that act on a terminal instead of being shown. Line feeds are checked separately.
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e0fff]")


def check_clean(result):
    """Checks the `result` of run(): no character acts on the terminal, and no line is the fake one."""
    for text in (result.stdout, result.stderr):
        assert not ACTING.search(text), repr(text)
        assert FAKE not in text.splitlines(), text


def check_json(text):
    """Checks for one object in ASCII. A reader would undo an escape, so characters that act must not occur even as escapes."""
    assert text.isascii() and not ACTING.search(text)
    return json.loads(text)


def evil_error(status):
    return json.dumps({"error": {"message": EVIL, "type": EVIL, "code": EVIL}}, ensure_ascii=False).encode()


ROUTES = ["/v1/attestation/report", "/v1/cloister/attestation", "/v1/models", "/v1/chat/completions", "/v1/signature/", "/v1/aci/receipts/"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_message(between, route, as_json):
    def meddle(path, status, headers, text):
        if route == "/v1/attestation/report" and path.startswith("/v1/cloister/attestation"):
            return 404, headers, text  # The client then asks for the legacy report.
        return (403, headers, evil_error(403)) if path.startswith(route) else (status, headers, text)

    result = run("chat", between(meddle), "one two three", "--accept-simulator", *(["--json"] if as_json else []))
    check_clean(result)
    assert result.returncode == 2 and "the node answered 403" in result.stderr


@pytest.mark.parametrize("route", ROUTES[:1])
def test_an_error_message_to_verify_host(between, route):
    result = run("verify", "host", between(lambda path, status, headers, text: (500, headers, evil_error(500))), "--accept-simulator")
    check_clean(result)
    assert result.returncode == 2


def with_reply(said):
    """Returns the node's reply with another text, streamed or not."""
    def meddle(path, status, headers, text):
        if not path.startswith("/v1/chat/completions"):
            return status, headers, text
        if text.startswith(b"data:"):
            events = text.decode().split("\n\n")
            chunk = json.loads(events[0][len("data: "):])
            chunk["choices"][0]["delta"] = {"role": "assistant", "content": said}
            return status, headers, ("data: " + json.dumps(chunk, ensure_ascii=False) + "\n\n" + events[-2] + "\n\n").encode()
        reply = json.loads(text)
        reply["choices"][0]["message"]["content"] = said
        return status, headers, json.dumps(reply, ensure_ascii=False).encode()
    return meddle


@pytest.mark.parametrize("options", [[], ["--no-stream"]])
def test_a_reply(between, options):
    result = run("chat", between(with_reply(EVIL)), "x", "--accept-simulator", *options)
    check_clean(result)
    assert result.returncode == 1 and "| " + FAKE in result.stdout, "the words are there, marked as the reply's"
    assert [line for line in result.stdout.splitlines() if line.startswith("verdict:")][0].startswith("verdict: rejected")
    whole = check_json(run("chat", between(with_reply(EVIL)), "x", "--accept-simulator", "--json", *options).stdout)
    assert whole["reply"] == EVIL and whole["verdict"]["verdict"] == "rejected"


def test_words_of_every_language_are_shown(between):
    said = "Grüße, 日本語, שלום, привет 👩‍👩‍👧\tand a tab"
    result = run("chat", between(with_reply(said)), "x", "--accept-simulator")
    assert "| " + said + "\n" in result.stdout


def on_a_terminal(*arguments, columns=80):
    """Returns (exit status, rows) of a command whose output and errors are one terminal of 80 columns."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([str(BINARY), *map(str, arguments)], stdout=inner, stderr=inner, stdin=subprocess.DEVNULL)
    os.close(inner)
    text = b""
    while True:
        try:
            more = os.read(outer, 65536)
        except OSError:  # Linux reports this when the last writer is gone.
            break
        if not more:
            break
        text += more
    status = process.wait(60 * PATIENCE)
    os.close(outer)
    rows = []
    for line in re.sub("\x1b\\[[0-9;]*m", "", text.decode()).split("\r\n"):
        while True:  # wraps as the terminal does
            rows.append(line[:columns])
            line = line[columns:]
            if not line:
                break
    return status, rows


def test_a_reply_cannot_reach_the_next_row_of_a_terminal(between):
    """A terminal breaks a long line by itself. The rest would then stand where the program's own lines stand."""
    status, rows = on_a_terminal("chat", between(with_reply("x" + " " * 77 + FAKE + "日" * 50 + FAKE)), "x", "--accept-simulator")
    assert status == 1
    reply = rows[: rows.index("")]
    assert len(reply) > 3
    for line in reply:
        width = sum(1 if ord(c) < 0x1100 else 2 for c in line)
        assert line.startswith("| ") and width <= 80, line


# The blanks are of all kinds. They fill the rest of a row and more.
BLANKS = [" ", "\u00a0", "\u3000", "\u2003", "\u2800", "x"]


def check_rows(rows):
    """Checks that no row begins with the fake verdict, and that no row continues the row before it without the mark."""
    assert not any(row.startswith(FAKE[:17]) for row in rows), rows
    assert any(row.startswith("| ") for row in rows), rows


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("command", ["verify", "chat"])
def test_an_error_message_cannot_reach_the_next_row(between, blank, command):
    """The node answers with an error message that has blanks up to the end of the row, for each place where the row may end."""
    for count in range(1, 81, 7):
        body = json.dumps({"error": {"message": blank * count + FAKE.ljust(80) * 3}}, ensure_ascii=False).encode()
        url = between(lambda path, status, headers, text: (500, headers, body))
        status, rows = on_a_terminal(*(["verify", "host", url] if command == "verify" else ["chat", url, "x"]), "--accept-simulator")
        assert status == 2
        check_rows(rows)
        # In a file the message has its own marked lines, for readers that break lines themselves.
        lines = run("verify", "host", url, "--accept-simulator").stderr.splitlines()
        assert lines[0].endswith("the node answered 500") and all(line.startswith("| ") and "   " not in line for line in lines[1:]), lines


def test_words_of_the_evidence_cannot_reach_the_next_row(between):
    """The verdict shows a text from a report, for each place where the row may end."""
    for count in range(1, 81, 7):
        said = " " * count + FAKE.ljust(80) * 2

        def meddle(path, status, headers, text):
            if "attestation" not in path:
                return status, headers, text
            return status, headers, json.dumps({**json.loads(text), "gpu_evidence_error": said}).encode()

        url = between(meddle)
        _, rows = on_a_terminal("verify", "host", url, "--accept-simulator", "--offline")
        assert not any(row.startswith(FAKE[:17]) and FAKE in row for row in rows), rows
        lines = [line for line in run("verify", "host", url, "--accept-simulator", "--offline").stdout.splitlines() if "gpu_evidence_error" in line]
        assert lines and all(FAKE in line and "   " not in line for line in lines), lines


@pytest.mark.parametrize("name", ["x-receipt-id", "content-type", "server"])
def test_a_header(between, name):
    def meddle(path, status, headers, text):
        return status, {key: value for key, value in headers.items() if key.lower() != name} | {name: "a\x1b[2J\x9b2J" + FAKE}, text

    check_clean(run("chat", between(meddle), "x", "--accept-simulator"))


def test_the_name_of_a_model(between):
    def meddle(path, status, headers, text):
        if path.startswith("/v1/models"):
            text = json.dumps({"object": "list", "data": [{"id": EVIL, "object": "model"}]}, ensure_ascii=False).encode()
        return status, headers, text

    result = run("chat", between(meddle), "x", "--accept-simulator")
    check_clean(result)
    assert result.returncode != 0


def spoil(value):
    """Returns the document with the attack appended to every text, and with attacked names too."""
    if isinstance(value, dict):
        return {name: spoil(member) for name, member in value.items()} | {EVIL: EVIL}
    if isinstance(value, list):
        return [spoil(member) for member in value] + [EVIL]
    return value + EVIL if isinstance(value, str) else value



@pytest.mark.parametrize("route", ["/v1/attestation/report", "/v1/cloister/attestation", "/v1/aci/attestation"])
def test_a_report(echo, tmp_path, route):
    """Verifies the document as a file, with each member attacked in turn and then with all of them."""
    text = echo.get(route + "?nonce=" + "11" * 32)[2]
    report = json.loads(text)
    for name in [None, *report]:
        changed = spoil(report) if name is None else {**report, name: spoil(report[name])}
        path = tmp_path / "report.json"
        path.write_text(json.dumps(changed, ensure_ascii=False))
        for kind in ("report", "gpu", "receipt", "session", "signature"):
            if kind != "report" and name is not None:
                continue
            result = run("verify", kind, path, "--accept-simulator", "--offline", "--nonce", "11" * 32) if kind in ("report", "gpu") else run(
                "verify", kind, path, "--accept-simulator", "--offline")
            check_clean(result)
            assert result.returncode != 0 or kind == "report", (kind, name)
        check_json(run("verify", "report", path, "--accept-simulator", "--offline", "--nonce", "11" * 32, "--json").stdout or "{}")


def test_a_report_from_a_live_host(between):
    def meddle(path, status, headers, text):
        return status, headers, json.dumps(spoil(json.loads(text)), ensure_ascii=False).encode() if "attestation" in path else text

    check_clean(run("verify", "host", between(meddle), "--accept-simulator"))
    check_clean(run("chat", between(meddle), "x", "--accept-simulator"))


def test_receipts_of_a_store(tmp_path):
    document = {"api_version": "aci/1", "receipt_id": "rcpt-00000001", "chat_id": EVIL, "model": EVIL, "workload_keyset_digest": "sha256:" + "a" * 64,
                "endpoint": EVIL, "method": EVIL, "served_at": 1_800_000_000, "event_log": [], "key_id": EVIL, "signature": "0" * 128}
    line = {"form": "cloister.receipt.v1", "receipt_id": "rcpt-00000001", "reply_ids": ["chatcmpl-1"], "owner": "00" * 16, "served_at": 1_800_000_000,
            "receipt": json.dumps(document, ensure_ascii=False)}
    path = tmp_path / "lines"
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n" + json.dumps({"form": EVIL}, ensure_ascii=False) + "\n")
    imported = run("receipts", "import", path, "--store", tmp_path / "r.db")
    check_clean(imported)
    assert imported.returncode != 0, "the second line is no receipt"
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n")
    run("receipts", "import", path, "--store", tmp_path / "r.db")
    listed = run("receipts", "list", "--store", tmp_path / "r.db")
    check_clean(listed)
    for row in run("receipts", "list", "--store", tmp_path / "r.db", "--json").stdout.splitlines():
        assert check_json(row)["model"] in (EVIL, "")


def test_names_of_files_and_options(tmp_path):
    """Somebody else chose the name of a file in a folder of manifests or on the command line of a script."""
    name = ("\x1b[2J\n" + FAKE + "\n\u202e.json")
    (tmp_path / name).write_text("{}")
    for command in (["verify", "report", tmp_path / name, "--offline"], ["verify", "quote", str(tmp_path / name) + "-none"],
                    ["verify", "archive", tmp_path / name], ["verify", "bundle", tmp_path / name], ["doctor", "--config", tmp_path / name],
                    ["verify", "report", tmp_path / name, "--policy", tmp_path / name], ["verify", "--explain", name],
                    ["receipts", "list", "--store", str(tmp_path / name) + "/none"], ["serve", "--model", tmp_path / name, "--listen", "127.0.0.1:0",
                                                                                       "--state", tmp_path / "s", "--tee", "insecure-simulator"],
                    ["audit", "replay", tmp_path / name, "--model", tmp_path / name], ["models", "manifest", tmp_path / name],
                    ["chat", "http://" + name, "x"], ["simulator", "--socket", str(tmp_path / name) + "/a/b"]):
        result = run(*command)
        check_clean(result)
        assert result.returncode != 0, command
    manifests = tmp_path / "rims"
    manifests.mkdir()
    (manifests / ("\x1b[2J\n" + FAKE + "\n.xml")).write_text("no manifest")
    (tmp_path / "evidence").write_text("{}")
    check_clean(run("verify", "gpu", tmp_path / "evidence", "--rim-dir", manifests, "--offline"))
    (tmp_path / "policy.toml").write_text('[service]\n"' + "\\u001b[2J\\n" + FAKE + '\\n" = 1\n')
    check_clean(run("verify", "report", tmp_path / "evidence", "--policy", tmp_path / "policy.toml", "--offline"))


class Upstream(http.server.BaseHTTPRequestHandler):
    """The upstream answers with texts that would begin a new line in a log."""

    def do_GET(self):
        body = json.dumps({"object": "list", "data": [{"id": EVIL, "object": "model", "owned_by": EVIL}], "version": EVIL}, ensure_ascii=False).encode()
        self.send_response(200 if self.server.up else 500, "OK")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = evil_error(500)
        self.send_response(500)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_keeps_one_line_an_event(start, form, tmp_path):
    """The name of a supplier's manifest, a state folder, an upstream, a path and a token contain line breaks and escapes."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.up = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state = tmp_path / ("state\n2026-01-01T00:00:00.000Z error " + FAKE + "\x1b[2J")
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / ("a\n2026-01-01T00:00:00.000Z info " + FAKE + "\n\x1b[2J\u202e.xml")).write_text("no manifest")
    gate = ("--require-gpu-tee", "on", "--rim-dir", manifests)
    node = start(*gate, "--upstream", f"http://127.0.0.1:{server.server_address[1]}", "--log-format", form, "--log-level", "debug", state=state, wait=False)
    wait_until(lambda: "listening" in node.log or "upstream" in node.log, 20, "the node looks at its upstream")
    node.post("/v1/chat/completions", {"model": EVIL, "messages": [{"role": "user", "content": "x"}]})
    node.get("/v1/" + urllib.request.quote(EVIL), {"x-request-id": "a", "authorization": "Bearer x"})
    node.stop()
    server.shutdown()
    log = node.log_path.read_bytes().decode()
    assert "manifests: " in log, "the name of the manifest is in the log"
    assert not ACTING.search(log), repr(log)
    for line in log.splitlines():
        if form == "json":
            assert set(json.loads(line)) == {"time", "level", "message"}
        else:
            assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|warn|warning|error) ", line), line
            assert not line.endswith(FAKE)
