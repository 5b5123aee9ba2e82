"""Wrong command lines and configuration files. The message names the wrong word, its place, and the word that was perhaps meant."""

import signal
import subprocess

import pytest

from support.node import BINARY, PATIENCE, SIMULATED, run

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("arguments, words", [
    (["serve", "--modle", "x"], ["no option --modle", "did you mean --model?"]),
    (["serve", "--modle=x"], ["no option --modle ", "did you mean --model?"]),
    (["verify", "hosts", "x"], ["no command hosts", "did you mean host?"]),
    (["serv"], ["no command serv", "did you mean serve?"]),
    (["verify", "report", "a", "b"], ["b was not expected"]),
    (["receipts", "lists"], ["did you mean list?"]),
    (["chat", "http://127.0.0.1:1", "--brieff"], ["no option --brieff"]),
])
def test_an_unknown_word_is_named_and_another_suggested(arguments, words):
    done = run(*arguments)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize("text, words", [
    ('[serve]\nmodle = "x"\n', "line 2: there is no option modle in [serve] (did you mean model?)"),
    ('[server]\nmodel = "x"\n', "line 1: there is no section [server] (did you mean serve?)"),
    ("[server]\n", "line 1: there is no section [server] (did you mean serve?)"),
    ('[verify]\npolicy = "x"\n', "[verify] holds no options: name the whole command, as in [verify."),
    ("[serve]\nlisten = 5\n", "--listen wants ADDRESS:PORT"),
    ('[serve]\nreceipt-bytes = "much"\n', "--receipt-bytes: "),
    ("[serve]\nengine = \"echo\"\nlisten = 127.0.0.1:8081\n", "line 3: "),
    ('[serve]\nlisten = "127.0.0.1:8081\n', "line 2: "),
    ("[serve\n", "line 1: "),
    ("hello world\n", "line 1: "),
    ('[serve]\nengine = "echo"\nengine = "llama"\n', "line 3: "),
    ("[serve]\n\0", "line 2: "),
])
def test_a_configuration_file_that_is_wrong(tmp_path, text, words):
    config = tmp_path / "cloister.toml"
    config.write_text(text)
    for arguments in (["serve", "--config", config, "--print-config"], ["--config", config, "serve", "--print-config"]):
        done = run(*arguments)
        assert done.returncode == 2 and words in done.stderr, done.stderr
        assert "INI" not in done.stderr
        if "line" in words:
            assert f"{config}, line" in done.stderr
    looked_at = run("doctor", "--config", config, "--no-gpu")
    assert words in looked_at.stdout, looked_at.stdout


def test_a_configuration_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        for arguments in (["serve", "--config", path], ["--config", path, "serve", "--print-config"], ["doctor", "--config", path, "--no-gpu"]):
            done = run(*arguments)
            assert done.returncode in (1, 2) and str(path) in done.stdout + done.stderr, done
            assert "terminate" not in done.stderr


@pytest.mark.parametrize("option, value", [
    ("--receipt-bytes", "foo"), ("--replica", "foo"), ("--cors-origin", "foo"), ("--cors-origin", "https://app.example/"),
    ("--image-digest", "sha256:00"), ("--source-repo", "foo"), ("--source-commit", "main"), ("--tls", "tee-key"), ("--tls-cert", ""),
    ("--upstream-key-file", "/dev/null"),
])
def test_a_value_that_would_do_nothing(tmp_path, option, value):
    done = run("serve", "--engine", "echo", *SIMULATED, "--listen", "127.0.0.1:0", "--state", tmp_path, option, value, timeout=20)
    assert done.returncode == 2 and option in done.stderr, done.stderr


def test_an_empty_certificate_file_is_named(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    done = run("serve", "--engine", "echo", *SIMULATED, "--listen", "127.0.0.1:0", "--state", tmp_path, "--tls-cert", empty, "--tls-key", empty)
    assert done.returncode > 0 and "--tls-cert" in done.stderr and "empty.pem" in done.stderr, done.stderr


def test_doctor_says_which_file_it_cannot_read(tmp_path):
    config = tmp_path / "cloister.toml"
    config.write_text(f'[serve]\napi-key-file = "{tmp_path}/none"\n')
    lines = run("doctor", "--config", config, "--no-gpu").stdout.splitlines()
    assert [line for line in lines if "config.tokens" in line and line.startswith("problem")]
    assert [line for line in lines if "config.listen" in line and line.startswith("ok")]


@pytest.mark.parametrize("option", ["--save", "--archive"])
def test_chat_looks_at_its_files_before_it_asks(echo, option):
    before = echo.metric("cloister_requests_total", route="chat_completions")
    done = run("chat", echo.url, "x", "--accept-simulator", option, "/nodir/x")
    assert done.returncode == 2 and f"{option}: cannot write /nodir/x: there is no folder /nodir" in done.stderr and ".new." not in done.stderr
    assert echo.metric("cloister_requests_total", route="chat_completions") == before


def test_chat_says_how_to_judge_what_it_kept(echo, tmp_path):
    files = {"proof": tmp_path / "proof", "archive": tmp_path / "archive"}
    done = run("chat", echo.url, "x", "--accept-simulator", "--save", files["proof"], "--archive", files["archive"])
    assert done.returncode == 0, done.stderr
    for kind, path in files.items():
        line = next(line for line in done.stdout.splitlines() if line.startswith(f"  cloister verify {kind} "))
        again = run(*line.split()[1:])
        assert again.returncode == 0, again.stdout


def test_an_interrupted_chat_says_that_nothing_was_checked(slow_echo):
    chat = subprocess.Popen([BINARY, "chat", slow_echo.url, "one two three", "--accept-simulator"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert chat.stdout.read(3)
    chat.send_signal(signal.SIGINT)
    _, said = chat.communicate(timeout=20 * PATIENCE)
    assert chat.returncode == 130 and b"interrupted" in said and b"checked" in said


def test_the_wrong_scheme(start, echo, tmp_path):
    secure = start("--engine", "echo", "--tls", "self-signed")
    plain = run("verify", "host", secure.url.replace("https:", "http:"))
    assert plain.returncode == 2 and "https://" in plain.stderr, plain.stderr
    tls = run("verify", "host", echo.url.replace("http:", "https:"))
    assert tls.returncode == 2 and "does not speak TLS" in tls.stderr, tls.stderr
