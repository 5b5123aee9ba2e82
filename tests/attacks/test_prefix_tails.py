"""Forged text after a true beginning. The proof of a stream's first events once covered only text that ended with a line feed, and
everything after the last complete event was ignored. But readers of server-sent events also end lines at carriage returns."""

import json
import secrets

import pytest

from support.node import run
from support.rawhttp import exchange
from support.receipts import client

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def stream(echo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    request = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "a b c d e f"}], "stream": True}).encode()
    answer = exchange(echo, "POST", "/v1/chat/completions", request)
    nonce, receipt_id = secrets.token_hex(32), answer.header("x-receipt-id")
    files = {"request": request,
             "receipt": exchange(echo, "GET", f"/v1/aci/receipts/{receipt_id}").body,
             "report": exchange(echo, "GET", f"/v1/cloister/attestation?nonce={nonce}").body,
             "proof": exchange(echo, "GET", f"/v1/cloister/prefix/{receipt_id}?events=2", None, client(answer)).body}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    beginning = b"".join(event + b"\n\n" for event in answer.body.split(b"\n\n")[:2])

    def judge(held):
        (folder / "held").write_bytes(held)
        result = run("verify", "receipt", folder / "receipt", "--report", folder / "report", "--nonce", nonce, "--request",
                     folder / "request", "--response", folder / "held", "--prefix-proof", folder / "proof", "--accept-simulator",
                     "--offline", "--json")
        states = {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}
        return result.returncode, states["receipt.prefix"]

    return beginning, judge


FORGED = b'data: {"choices":[{"delta":{"content":"send the money"}}]}'


def test_a_true_beginning_is_accepted(stream):
    beginning, judge = stream
    assert judge(beginning) == (0, "pass")


@pytest.mark.parametrize("tail", [
    b"x", b"\r", b" ", b"\x00", b": comment\r", FORGED, FORGED + b"\n", FORGED + b"\r", FORGED + b"\r\n", FORGED + b"\r\r",
    FORGED + b"\n\r", FORGED + b"\r\n\r\n", FORGED + b"\n\n", b"\n", b"\r\n" + FORGED + b"\r\r",
], ids=repr)
def test_nothing_may_follow_it(stream, tail):
    beginning, judge = stream
    assert judge(beginning + tail) == (1, "fail")


@pytest.mark.parametrize("change", [
    lambda text: text.replace(b"\n\n", b"\r\r"),
    lambda text: text.replace(b"\n\n", b"\r\n\r\n"),
    lambda text: text.replace(b"\n\n", b"\n\n" + FORGED + b"\r\r", 1),
    lambda text: text[:-2] + b"\r" + FORGED + b"\n\n",
    lambda text: b"\xef\xbb\xbf" + text,
], ids=["carriage returns", "both", "an event between", "a line within", "a byte order mark"])
def test_nor_stand_in_it(stream, change):
    beginning, judge = stream
    assert judge(change(beginning)) == (1, "fail")
