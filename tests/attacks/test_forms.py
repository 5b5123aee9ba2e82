"""Documents of an unknown form once got a verdict, and forms with similar names were read as each other. An unknown form is now refused
with exit status 2 and named. A document with the marks of two forms is rejected."""

import json

import pytest

from support.node import run

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]


def judge(tmp_path, document, *arguments):
    file = tmp_path / "report.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return run("verify", "report", file, "--offline", *arguments)


@pytest.mark.parametrize(
    "document, said",
    [
        ({"hello": 1}, "no form of report that is known here"),
        ({}, "no form of report that is known here"),
        ([], "expected an object, found array"),
        (7, "expected an object, found number"),
        ({"attestation_type": "tinfoil", "all_attestations": []}, "attestation_type tinfoil"),
        ({"attestation_type": "oasis"}, "attestation_type oasis"),
        ({"format": "https://tinfoil.sh/predicate/attestation/v4"}, "format https://tinfoil.sh/predicate/attestation/v4"),
        ({"format": "https://tinfoil.sh/predicate/dummy/v2", "body": "00"}, "format https://tinfoil.sh/predicate/dummy/v2"),
        ({"version": 3, "tpm_quote": {}, "hcl_report": ""}, "virtual TPM on Azure: version 3"),
        ({"attestation": "0002"}, "evidence of this kind of machine"),
        ({"attestation": "81a776657273696f6e02"}, "version 2"),
        ({"evidence_list": []}, "cloister verify gpu"),
    ],
)
def test_a_form_that_is_not_known_is_named_and_gets_no_verdict(tmp_path, document, said):
    result = judge(tmp_path, document)
    assert result.returncode == 2 and not result.stdout, result.stdout
    assert said in result.stderr


def test_its_name_cannot_paint_the_terminal(tmp_path):
    result = judge(tmp_path, {"attestation_type": "x\x1b[2J\r\nverdict: accepted"})
    assert result.returncode == 2
    assert "\x1b" not in result.stderr and "\r" not in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"format": "https://tinfoil.sh/predicate/attestation/v3", "intel_quote": "00", "signing_address": "0x" + "11" * 20},
        {"attestation_type": "chutes", "statement": {}},
        {"evidence": [{"instance_id": "a", "quote": ""}], "gateway_attestation": {}},
        {"attestation": {}, "statement": {}},
    ],
)
def test_the_marks_of_two_forms_are_rejected(tmp_path, document):
    result = judge(tmp_path, document, "--json")
    assert result.returncode == 1
    failed = [check for check in json.loads(result.stdout)["checks"] if check["state"] == "fail"]
    assert [check["id"] for check in failed] == ["report.form"] and "two kinds of report" in failed[0]["detail"]
