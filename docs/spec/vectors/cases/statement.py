"""Statements, their report data and the nonce for GPUs."""

import copy

from documents.canonical import canonical, digest, sha256
from documents.keyset import keyset_digest
from documents.statement import check_report, gpu_nonce, read_statement, report_data, statement

from . import must_refuse
from .keyset import KEYSET, SMALL
from .model_identity import ECHO

NONCE = bytes(range(32))
GPU_NONCE = gpu_nonce(keyset_digest(KEYSET), NONCE)
PAYLOAD = f'{{"nonce": "{GPU_NONCE.hex()}", "evidence_list": [], "arch": "HOPPER"}}'
POLICY = {"schema": "cloister.policy.v1", "tee": "insecure_simulator"}


def report(keyset, payload=None, model=None, policy=None):
    """Returns the members of a report that report data binds. The quote is missing: no public key of a CPU's maker signs one for a test."""
    shown = {"api_version": "cloister/1", "tee_type": "insecure_simulator", "statement": statement(keyset, NONCE, payload, model, policy),
             "keyset": keyset, "nvidia_payload": payload, "model": model, "policy": policy}
    return {name: value for name, value in shown.items() if value is not None or name == "nvidia_payload"}


FULL = report(KEYSET, PAYLOAD, ECHO, POLICY)
BARE = report(SMALL)
ABSENT = copy.deepcopy(BARE)
for member in ("gpu_evidence_digest", "model_digest", "policy_digest"):
    del ABSENT["statement"][member]


def accepted(name, shown):
    said = read_statement(shown["statement"])
    form, bound = canonical(said), report_data(said)
    check_report(shown, bound, NONCE)
    return {"name": name, "report": shown, "nonce": NONCE.hex(), "canonical": form.decode(), "canonical_hex": form.hex(),
            "report_data": bound.hex(), "gpu_nonce": gpu_nonce(said["keyset_digest"], NONCE).hex()}


def in_statement(member, value):
    """Returns another statement, and its report data, as if a TEE had quoted it."""
    said = {**FULL["statement"], member: value}
    return {"statement": said}, report_data(said)


BOUND = report_data(FULL["statement"])
WITHOUT_KEYSET = {name: value for name, value in FULL["statement"].items() if name != "keyset_digest"}
# Each entry: the check, its name, the members of the report that differ, and the report data of the quote.
REFUSED = [
    ("report.form", "another purpose", *in_statement("purpose", "aci.report_data.v1")),
    ("report.form", "a member that the form does not have", *in_statement("note", 1)),
    ("report.form", "a nonce in upper case", *in_statement("nonce", NONCE.hex().upper())),
    ("report.form", "a digest without its algorithm", *in_statement("keyset_digest", keyset_digest(KEYSET)[7:])),
    ("report.form", "a statement without the digest of the keyset", {"statement": WITHOUT_KEYSET}, report_data(WITHOUT_KEYSET)),
    ("report.nonce", "the statement of another nonce", *in_statement("nonce", bytes(32).hex())),
    ("keyset.digest", "the digest of another keyset", *in_statement("keyset_digest", keyset_digest(SMALL))),
    ("report.gpu_evidence_digest", "the digest of the payload without its white space", *in_statement("gpu_evidence_digest", digest(PAYLOAD.replace(" ", "").encode()))),
    ("report.gpu_evidence_digest", "GPU evidence that the statement does not name", *in_statement("gpu_evidence_digest", None)),
    ("report.model_digest", "another model than the statement names", {"model": {**ECHO, "id": "other"}}, BOUND),
    ("report.policy_digest", "another configuration than the statement names", {"policy": {**POLICY, "tee": "tdx"}}, BOUND),
    ("report_data.identity", "the hash of a statement with a blank", {}, sha256(canonical(FULL["statement"]).replace(b":", b": ", 1)) + bytes(32)),
    ("report_data.identity", "the hash of another statement", {}, report_data(BARE["statement"])),
    ("report_data.padding", "report data that ends with the nonce in place of zeros", {}, BOUND[:32] + NONCE),
]


def refused(check, name, members, bound):
    must_refuse(check, check_report, FULL | members, bound, NONCE)
    return {"name": name, "check": check, "set": members, "report_data": bound.hex()}


def vectors():
    return {
        "specification": "docs/spec/native-report.md#statement",
        "accepted": [accepted("everything", FULL), accepted("only a keyset", BARE), accepted("members that are absent in place of null", ABSENT)],
        "refused": [refused(*case) for case in REFUSED],
    }
