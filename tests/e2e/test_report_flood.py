"""A flood of reports with a nonce delays neither streams nor other callers."""

import json
import secrets
import threading

import pytest

from support.fake_driver import LIBRARY, FakeDriver
from support.node import reports_at_rest, wait_until
from support.rawhttp import exchange

pytestmark = pytest.mark.fast

BURST = 5


def ask(node, headers=(), nonce=True):
    query = f"?nonce={secrets.token_hex(32)}" if nonce else ""
    return exchange(node, "GET", "/v1/attestation/report" + query, headers=headers)


def in_parallel(count, work):
    results = [None] * count

    def one(number):
        results[number] = work(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def refused(reply, code):
    assert reply.status == 503 and reply.json()["error"]["code"] == code, (reply.status, reply.body)
    assert int(reply.header("retry-after")) >= 1


def test_one_caller_cannot_take_what_others_need(start, tmp_path):
    tokens = {name: f"token-of-the-{name}-0123456789" for name in ("attacker", "streamer", "asker")}
    (tmp_path / "tokens").write_text("".join(token + "\n" for token in tokens.values()))
    bearer = {name: [("Authorization", f"Bearer {token}")] for name, token in tokens.items()}
    node = start("--engine", "echo", "--api-key-file", tmp_path / "tokens", "--report-rate", 6, "--report-burst", BURST,
                 "--echo-token-gap-ms", 10, "--echo-tokens", 100)
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x"}], "stream": True}).encode()
    streams, streamed = in_parallel(
        4, lambda _: exchange(node, "POST", "/v1/chat/completions", body, bearer["streamer"]))
    attack, attacked = in_parallel(6, lambda _: [ask(node, bearer["attacker"]) for _ in range(25)])
    asked = [ask(node, bearer["asker"]) for _ in range(BURST)]
    cached = [ask(node, nonce=False) for _ in range(20)]
    for thread in streams + attack:
        thread.join()

    assert all(reply.complete and reply.body.endswith(b"data: [DONE]\n\n") for reply in streamed)
    assert [reply.status for reply in asked + cached] == [200] * (BURST + 20)
    replies = [reply for each in attacked for reply in each]
    refusals = [reply for reply in replies if reply.status != 200]
    for reply in refusals:
        refused(reply, "report.rate_limited")
    # Ten seconds allow one more report. A slow machine may take some minutes for all of this.
    assert len(replies) - len(refusals) <= BURST + 20
    metric = node.metric("cloister_report_refusals_total", dict(bearer["asker"]), reason="client_rate")
    assert metric == len(refusals) > 100


def test_callers_of_this_machine_have_a_rate_too(start):
    node = start("--engine", "echo", "--report-rate", 1, "--report-burst", 1, "--report-rate-local", BURST)
    replies = [ask(node) for _ in range(BURST + 10)]
    assert [reply.status for reply in replies[:BURST]] == [200] * BURST, "theirs is not the rate of others"
    refusals = [reply for reply in replies if reply.status != 200]
    for reply in refusals:
        refused(reply, "report.rate_limited")
    assert node.metric("cloister_report_refusals_total", reason="client_rate") == len(refusals) > 0
    assert ask(node, nonce=False).status == 200


def test_the_queue_is_bounded_and_says_when_to_come_back(start, tmp_path, monkeypatch):
    driver = FakeDriver(tmp_path / "driver")
    monkeypatch.setenv("CLOISTER_FAKE_DRIVER", str(driver.folder))
    node = start("--tee", "insecure-simulator", "--engine", "echo", "--gpu", "nvml", "--nvml-library", LIBRARY,
                 "--report-rate-local", 0, simulated=False)
    made = reports_at_rest(node)
    driver.set(hold=1)
    threads, replies = in_parallel(80, lambda _: ask(node))
    # One report is being made, 64 requests wait, and the rest is refused.
    wait_until(lambda: node.metric("cloister_report_refusals_total", reason="queue_full") == 15, 20, "the queue is full")
    assert node.metric("cloister_reports_waiting") == 64
    assert node.post("/v1/chat/completions", {"model": "echo", "messages": [{"role": "user", "content": "x"}]})[0] == 200
    driver.set()
    for thread in threads:
        thread.join()
    assert sorted({reply.status for reply in replies}) == [200, 503]
    for reply in replies:
        if reply.status == 503:
            refused(reply, "busy")
    assert sum(reply.status == 200 for reply in replies) == 65
    assert node.metric("cloister_reports_waiting") == 0
    assert node.metric("cloister_report_seconds_count") == made + 65


def test_without_a_nonce_nobody_waits_twice(start):
    node = start("--engine", "echo")
    reports_at_rest(node)
    made = node.metric("cloister_quotes_total")
    threads, replies = in_parallel(20, lambda _: ask(node, nonce=False))
    for thread in threads:
        thread.join()
    assert len({reply.body for reply in replies}) == 1
    assert node.metric("cloister_quotes_total") == made + 1
    assert node.metric("cloister_report_age_seconds") >= 0
