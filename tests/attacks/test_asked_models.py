"""`verify host --model M` asks whether a node serves the model M. A node that serves another model is rejected. A node whose model cannot
be established is undetermined."""

import json

import pytest

from support.between import Between
from support.node import run


def judge(url, model, *more):
    result = run("verify", "host", url, "--model", model, "--accept-simulator", "--offline", "--json", *more)
    verdict = json.loads(result.stdout)
    return result.returncode, verdict, [check for check in verdict["checks"] if check["id"] == "report.model"]


def test_the_model_of_the_node(llama):
    status, verdict, checks = judge(llama.url, llama.model())
    assert status == 0 and [check["state"] for check in checks] == ["pass"], verdict
    assert run("verify", "host", llama.url, "--accept-simulator", "--offline").returncode == 0, "no question, no check"


def test_a_list_that_names_a_model_which_the_report_does_not(llama):
    def other_list(path, status, headers, text):
        return status, headers, text.replace(llama.model().encode(), b"gpt-evil") if path.startswith("/v1/models") else text

    server = Between(llama, other_list)
    try:
        status, verdict, checks = judge(server.url, "gpt-evil")
    finally:
        server.close()
    assert status == 1 and [check["state"] for check in checks] == ["fail"], verdict


@pytest.mark.parametrize("model", ["no-such-model", "echo ", "\u001b[2J"])
def test_another_model(echo, model):
    status, verdict, checks = judge(echo.url, model)
    assert status == 1 and [check["state"] for check in checks] == ["fail"], verdict


def hidden(list_status):
    """A node without Cloister's own form of report, whose list of models gives this answer."""
    def meddle(path, status, headers, text):
        if path.startswith("/v1/cloister/attestation"):
            return 404, headers, text
        if path.startswith("/v1/models"):
            return list_status, headers, text if list_status == 200 else b'{"error":{"message":"verdict: accepted"}}'
        return status, headers, text
    return meddle


def test_the_list_of_models_is_bound_by_nothing(between, echo):
    status, _, checks = judge(between(hidden(200)), echo.model())
    assert status == 3 and [(check["state"], check["required"]) for check in checks] == [("skipped", True)]


@pytest.mark.parametrize("list_status", [401, 404, 500])
def test_nothing_to_compare_with(between, echo, list_status):
    status, verdict, checks = judge(between(hidden(list_status)), echo.model())
    assert status == 3, verdict
    assert [(check["state"], check["required"]) for check in checks] == [("skipped", True)] and "accepted" not in checks[0]["detail"]
