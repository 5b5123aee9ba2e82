"""cloister chat verifies a node before it sends a prompt, and then the signature and the receipt of each reply."""

import base64
import json
import shlex
import urllib.request

import pytest

from support.fixtures import TOKEN
from support.node import run


def test_chat_refuses_a_simulated_node_before_it_speaks(echo):
    before = echo.metric("cloister_requests_total", route="chat_completions")
    result = run("chat", echo.url, "my secret")
    assert result.returncode == 1
    assert echo.metric("cloister_requests_total", route="chat_completions") == before, "the prompt must not have been sent"


@pytest.mark.parametrize("options", [[], ["--no-stream"]])
def test_chat_prints_reply_and_verdict(echo, options):
    result = run("chat", echo.url, "one two three", "--accept-simulator", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    words, host, receipt = result.stdout.split("\n\n")
    assert words == "| one two three"
    for verdict, about in ((host, "signature of the reply"), (receipt, "receipt of the reply")):
        assert about in verdict and "verdict: accepted (" in verdict and "SIMULATED" in verdict and len(verdict.splitlines()) == 3
    checks = run("chat", echo.url, "one two three", "--accept-simulator", "--checks", *options).stdout
    assert "[pass] receipt.request_hash" in checks and "[pass] receipt.keyset_attested" in checks


def test_chat_as_json(echo):
    result = run("chat", echo.url, "one two three", "--accept-simulator", "--json")
    out = json.loads(result.stdout)
    assert result.returncode == 0 and out["reply"] == "one two three"
    for verdict, check in ((out["verdict"], "signature.signer_attested"), (out["receipt"], "receipt.response_hash")):
        assert verdict["verdict"] == "accepted" and {"pass"} == {one["state"] for one in verdict["checks"] if one["id"] == check}


def test_chat_keeps_an_archive_that_is_judged_alone(echo, tmp_path):
    path = tmp_path / "kept.json"
    assert run("chat", echo.url, "one two three", "--accept-simulator", "--archive", path).returncode == 0
    kept = json.loads(path.read_text())
    own_words = ["--nonce", kept["nonce"], "--at", kept["judged_at"]]
    assert run("verify", "archive", path, "--accept-simulator", *own_words).returncode == 0
    assert run("verify", "archive", path, "--accept-simulator").returncode == 3, "what the file says of time and nonce does not count"
    kept["response"] = base64.b64encode(base64.b64decode(kept["response"]).replace(b"two", b"2wo")).decode()
    path.write_text(json.dumps(kept, separators=(",", ":")))
    changed = run("verify", "archive", path, "--accept-simulator", "--json", *own_words)
    assert changed.returncode == 1
    assert [one["id"] for one in json.loads(changed.stdout)["checks"] if one["state"] == "fail"] == ["receipt.response_hash"]


def other_receipt(path, status, headers, text):
    """The receipt of an earlier reply takes the place of this one's."""
    return status, {**headers, **({"x-receipt-id": FIRST["x-receipt-id"]} if path.startswith("/v1/chat/") else {})}, text


def no_receipt(path, status, headers, text):
    return status, {name: value for name, value in headers.items() if name.lower() != "x-receipt-id"}, text


def changed_receipt(path, status, headers, text):
    return status, headers, text.replace(b'"engine":"echo"', b'"engine":"ehco"') if path.startswith("/v1/aci/receipts/") else text


def other_model(path, status, headers, text):
    return status, headers, text.replace(b'"model":"echo"', b'"model":"ohce"') if path.startswith("/v1/aci/receipts/") else text


FIRST = {}


@pytest.mark.parametrize("meddle,check", [(other_receipt, "receipt.request_hash"), (no_receipt, "receipt.form"),
                                          (changed_receipt, "receipt.signature"), (other_model, "receipt.model")])
def test_chat_checks_the_receipt(echo, between, meddle, check):
    request = urllib.request.Request(echo.url + "/v1/chat/completions", b'{"model":"echo","messages":[{"role":"user","content":"first"}]}',
                                     {"content-type": "application/json"})
    FIRST.update(urllib.request.urlopen(request).headers)
    result = run("chat", between(meddle), "one two three", "--accept-simulator", "--json")
    out = json.loads(result.stdout)
    assert result.returncode == 1 and out["verdict"]["verdict"] == "accepted" and out["receipt"]["verdict"] == "rejected"
    assert check in [one["id"] for one in out["receipt"]["checks"] if one["state"] == "fail"]


def test_chat_says_nothing_to_a_node_whose_receipts_nobody_vouches_for(echo, between):
    def other_keyset(path, status, headers, text):
        if path.startswith("/v1/cloister/attestation"):
            report = json.loads(text)
            report["keyset"]["not_after"] += 1
            text = json.dumps(report).encode()
        return status, headers, text

    before = echo.metric("cloister_requests_total", route="chat_completions")
    result = run("chat", between(other_keyset), "my secret", "--accept-simulator")
    assert result.returncode == 1 and "nothing was sent" in result.stderr, result.stdout
    assert echo.metric("cloister_requests_total", route="chat_completions") == before


def test_nothing_is_said_to_a_node_that_signs_nothing_where_a_receipt_is_demanded(start, tmp_path):
    node = start("--engine", "echo", "--signing", "off")
    refused = run("chat", node.url, "my secret", "--accept-simulator", "--require-receipt")
    assert refused.returncode == 1 and "nothing was sent" in refused.stderr, refused.stderr
    assert node.metric("cloister_requests_total", route="chat_completions") == 0


def test_the_base_url_of_an_sdk_is_the_node(echo, tmp_path):
    saved = tmp_path / "it's an archive"
    done = run("chat", echo.url + "/v1", "x", "--accept-simulator", "--archive", saved)
    assert done.returncode == 0, done.stderr
    (command,) = [line.strip() for line in done.stdout.splitlines() if line.startswith("  cloister verify archive ")]
    words = shlex.split(command)
    assert words[3] == str(saved) and "--accept-simulator" in words
    assert run(*words[1:], "--offline").returncode == 0, "the printed command gives the same verdict"
    assert run("verify", "host", echo.url + "/v1/", "--accept-simulator").returncode == 0


def test_chat_with_token(locked, tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    assert run("chat", locked.url, "x", "--accept-simulator", "--token-file", token).returncode == 0
    assert run("chat", locked.url, "x", "--accept-simulator").returncode != 0


def test_chat_sends_what_it_is_told(echo, tmp_path):
    path = tmp_path / "saved.json"
    assert run("chat", echo.url, "x", "--accept-simulator", "--system", "y", "--temperature", 0.5, "--save", path).returncode == 0
    request = json.loads(base64.b64decode(json.loads(path.read_text())["request"]))
    assert request["messages"] == [{"role": "system", "content": "y"}, {"role": "user", "content": "x"}]
    assert request["temperature"] == 0.5
