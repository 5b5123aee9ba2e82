"""The output of a command is its answer, so a verdict that could not be written must not end like one that was. The tests close standard
output, put it on a full disk, or use a pipe that nobody reads. They also pass numbers that a parser turns into other numbers."""

import json
import os
import re
import signal
import subprocess

import pytest

from support.exports import keyset_line, signed_receipt
from support.node import BINARY, PATIENCE, run


def commands(echo, tmp_path):
    report = tmp_path / "report.json"
    report.write_bytes(echo.get("/v1/cloister/attestation?nonce=" + "11" * 32)[2])
    accepted = ["--accept-simulator", "--offline"]
    return {
        "verify report": ["verify", "report", report, "--nonce", "11" * 32, *accepted],
        "verify report --json": ["verify", "report", report, "--nonce", "11" * 32, "--json", *accepted],
        "verify host": ["verify", "host", echo.url, *accepted],
        "chat": ["chat", echo.url, "hello", *accepted],
        "chat --json": ["chat", echo.url, "hello", "--json", *accepted],
        "--explain": ["verify", "--explain", "all"],
        "--default-policy": ["verify", "--default-policy"],
        "doctor": ["doctor", "--no-gpu"],
        "doctor --json": ["doctor", "--no-gpu", "--json"],
        "--help": ["--help"],
        "verify --help": ["verify", "report", "--help"],
        "--version": ["--version"],
    }


NAMES = ["verify report", "verify report --json", "verify host", "chat", "chat --json", "--explain", "--default-policy", "doctor", "doctor --json", "--help",
         "verify --help", "--version"]


def end(arguments, stdout, **options):
    result = subprocess.run([str(BINARY), *map(str, arguments)], stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                            timeout=60 * PATIENCE, **options)
    return result.returncode, result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(echo, tmp_path, name):
    with open("/dev/full", "wb") as full:
        status, complaint = end(commands(echo, tmp_path)[name], full)
    assert status in (1, 2), complaint
    assert "cannot write standard output: No space left on device" in complaint


@pytest.mark.parametrize("name", NAMES)
def test_standard_output_is_closed(echo, tmp_path, name):
    """A file that is opened later does not take the place of standard output either."""
    status, complaint = end(commands(echo, tmp_path)[name], None, preexec_fn=lambda: os.close(1))
    assert status in (1, 2), complaint
    assert "cannot write standard output: Bad file descriptor" in complaint


def test_a_file_is_not_written_over_by_what_is_printed(echo, tmp_path):
    saved = tmp_path / "saved.json"
    end(["verify", "host", echo.url, "--accept-simulator", "--offline", "--save", saved, "--bundle", tmp_path / "bundle"], None,
        preexec_fn=lambda: os.close(1))
    assert saved.read_text().startswith("{") and "verdict:" not in saved.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_that_nobody_reads(echo, tmp_path, name):
    """The command behaves as other tools do: SIGPIPE ends it without a message."""
    reader, writer = os.pipe()
    os.close(reader)
    status, complaint = end(commands(echo, tmp_path)[name], writer)
    os.close(writer)
    assert status == -signal.SIGPIPE, complaint
    assert "standard output" not in complaint


def test_receipts_of_a_store(tmp_path):
    key = tmp_path / "key"
    key.write_text("ab" * 32)
    lines = tmp_path / "lines"
    served = 1_800_000_000
    lines.write_text("".join(json.dumps(line) + "\n" for line in (keyset_line(served), signed_receipt(1, served))))
    store = ["--store", tmp_path / "r.db", "--key-file", key]
    imported = run("receipts", "import", lines, *store)
    assert imported.returncode == 0, imported.stderr
    for command in (["list"], ["list", "--json"], ["show", "rcpt-00000001"], ["export"], ["export", "--plain"]):
        with open("/dev/full", "wb") as full:
            status, complaint = end(["receipts", *command, *store], full)
        assert status in (1, 2) and "cannot write standard output: No space left on device" in complaint, (command, complaint)
        reader, writer = os.pipe()
        os.close(reader)
        status, complaint = end(["receipts", *command, *store], writer)
        os.close(writer)
        assert status == -signal.SIGPIPE and "standard output" not in complaint, (command, status, complaint)


def numbers_of(*command):
    """Returns (option, kind) of every option that a command's --help calls a number."""
    help_text = run(*command, "--help").stdout
    found = re.findall(r"^ +(?:-\w,)?(--[\w-]+) (INT|UINT|FLOAT)\b", help_text, re.MULTILINE)
    return [(name, kind) for name, kind in found]


COMMANDS = [["serve"], ["chat"], ["verify", "host"], ["receipts", "list"], ["receipts", "export"], ["models", "manifest"], ["audit", "replay"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_numbers_have_bounds(command):
    numbers = numbers_of(*command)
    assert numbers or command[0] in ("models", "audit", "receipts")
    for name, _ in numbers:
        for value in ("-2", "18446744073709551616", "-18446744073709551615", "-18446744073709550592", "1e30", "nan", "inf", "", "7x"):
            result = run(*command, f"{name}={value}")
            assert result.returncode == 2 and name in result.stderr, (name, value, result.stderr)
