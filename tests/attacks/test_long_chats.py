"""A conversation that lasts long. Each verdict uses the time at which it is made. Genuine replies stay accepted. A verdict about the host
no longer allows a prompt once its evidence has expired."""

import os
import subprocess

import pytest

from support.clock import ShiftedClock
from support.node import BINARY, PATIENCE, run, wait_until

DAY = 86400


class Chat:
    """One running `cloister chat` with several questions."""

    def __init__(self, folder, environment, *arguments):
        self.out, self.err = folder / "chat.out", folder / "chat.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([str(BINARY), "chat", *map(str, arguments)], stdin=subprocess.PIPE, stdout=out, stderr=err, env=environment)

    def verdicts(self):
        return [line.split()[1] for line in self.out.read_text().splitlines() if line.startswith("verdict: ")]

    def ask(self, question):
        """Asks this question and returns its verdicts: that of the host and the signature, and that of the receipt."""
        before = len(self.verdicts())
        self.process.stdin.write(question.encode() + b"\n")
        self.process.stdin.flush()
        wait_until(lambda: len(self.verdicts()) >= before + 2 or self.process.poll() is not None, 60, "the reply is judged")
        return self.verdicts()[before:]

    def end(self):
        self.process.stdin.close()
        return self.process.wait(30 * PATIENCE)


@pytest.fixture
def clock(tmp_path):
    return ShiftedClock(tmp_path / "clock")


@pytest.fixture
def node(start, clock, monkeypatch):
    """Starts a node that takes its time of day from the clock."""
    for name in ("LD_PRELOAD", "CLOISTER_TEST_CLOCK", "ASAN_OPTIONS"):
        monkeypatch.setenv(name, clock.environment[name])
    node = start("--engine", "echo")
    monkeypatch.undo()
    return node


@pytest.mark.own_seed
@pytest.mark.parametrize("pause", [330, 3 * 3600])
def test_replies_after_a_pause_are_accepted(node, clock, tmp_path, pause):
    chat = Chat(tmp_path, clock.environment, node.url, "--accept-simulator", "--offline")
    assert chat.ask("first question") == ["accepted", "accepted"]
    clock.advance(pause)
    assert chat.ask("second question") == ["accepted", "accepted"], chat.out.read_text()
    assert chat.end() == 0


def prompts(node):
    return node.metric("cloister_requests_total", route="chat_completions")


@pytest.mark.parametrize("pause", [31 * DAY, 400 * DAY])
def test_nothing_is_sent_once_the_keyset_has_expired(echo, clock, tmp_path, pause):
    """Only the client's time changes. To the client the node then shows an expired keyset, as an attacker with stolen old keys would."""
    before = prompts(echo)
    chat = Chat(tmp_path, clock.environment, echo.url, "--accept-simulator", "--offline")
    assert chat.ask("first question") == ["accepted", "accepted"]
    clock.advance(pause)
    assert chat.ask("second question") == ["rejected"], chat.out.read_text()
    assert chat.end() == 1
    assert prompts(echo) == before + 1, "the second prompt must not have been sent"
    assert "nothing was sent, because this host was not accepted" in chat.err.read_text()
    assert "keyset" in chat.out.read_text().split("verdict: accepted")[-1]


@pytest.mark.own_seed
def test_a_host_with_a_new_keyset_is_verified_again(start, clock, tmp_path, monkeypatch):
    """Time has passed for both, and the node has new keys. The conversation goes on with those keys."""
    for name in ("LD_PRELOAD", "CLOISTER_TEST_CLOCK", "ASAN_OPTIONS"):
        monkeypatch.setenv(name, clock.environment[name])
    node = start("--engine", "echo", "--keyset-days", 1)
    monkeypatch.undo()
    chat = Chat(tmp_path, clock.environment, node.url, "--accept-simulator", "--offline")
    assert chat.ask("first question") == ["accepted", "accepted"]
    clock.advance(2 * DAY)
    nonce = os.urandom(32).hex()
    wait_until(lambda: node.get_json("/v1/cloister/attestation?nonce=" + nonce)["keyset"]["not_after"] > clock.seconds, 30, "the node has new keys")
    assert chat.ask("second question") == ["accepted", "accepted"], chat.out.read_text() + chat.err.read_text()
    assert chat.end() == 0
    assert "the host is verified again" in chat.err.read_text()
