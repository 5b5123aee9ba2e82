"""The tests call ./run as a person does."""

import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from support.node import BINARY, PATIENCE, ROOT, own_seed, wait_until

# ./run starts its own node on its own simulated platform.
pytestmark = [own_seed, pytest.mark.skipif(BINARY != ROOT / "build/release/cloister", reason="./run starts the release build")]


def call(*arguments, timeout=300):
    return subprocess.run([ROOT / "run", *arguments], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def test_help():
    result = call("--help")
    assert result.returncode == 0 and "./run ask" in result.stdout
    assert call("nonsense").returncode == 2
    assert call("ask").returncode != 0


def test_ask(model_file):
    # The first call also records the known answers of the model, which takes half a minute.
    assert call("ask", "What is the capital of France?").returncode == 0
    started = time.monotonic()
    result = call("ask", "What is the capital of France?")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Paris" in result.stdout and "accepted" in result.stdout.lower() and "simulat" in result.stdout.lower()
    # On a busy machine the model takes longer than some seconds to load. The script then prints a line about it.
    told = [line for line in result.stderr.splitlines() if not re.fullmatch(r"  loading the model: \d+ s", line)]
    assert told == [], "nothing was to be built, so there is nothing to tell"
    assert time.monotonic() - started < 30 * PATIENCE


def test_node_starts_tells_where_to_look_and_stops_on_ctrl_c():
    process = subprocess.Popen(
        [ROOT / "run", "--listen", "127.0.0.1:0", "--engine", "echo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # The process starts as under a terminal's shell. The test runner may ignore SIGINT itself, and a shell cannot undo that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        text = ""
        while "Ctrl-C" not in text:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            text += line
        url = re.search(r"ready at (http://\S+?),? ", text + " ").group(1).rstrip(",")
        with urllib.request.urlopen(url + "/health", timeout=10) as reply:
            assert reply.status == 200
        assert "verify host" in text and "curl" in text and "SIMULATED" in text
        # The signal goes to the whole foreground group, as from a terminal.
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    port = int(url.rsplit(":", 1)[1])
    wait_until(lambda: not listening(port), 5, "the server is gone")


def listening(port):
    return f":{port:04X} 00000000:0000 0A" in open("/proc/net/tcp").read()


def test_server_that_cannot_start_is_told():
    result = call("--model", "/nowhere/model.gguf")
    assert result.returncode != 0 and "/nowhere/model.gguf" in result.stderr
