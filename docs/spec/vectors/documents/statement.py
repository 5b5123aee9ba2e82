"""The statement that report data binds (docs/spec/native-report.md, "Statement" and "GPU nonce")."""

from .canonical import Members, canonical, digest, read_json, require, sha256
from .keyset import keyset_digest, read_keyset

PURPOSE = "cloister.report_data.v1"
NULLABLE = ("gpu_evidence_digest", "model_digest", "policy_digest")


def statement(keyset, nonce, nvidia_payload=None, model=None, policy=None):
    """Returns the statement that binds these documents. The nonce is 32 bytes, the payload text or None."""
    of = lambda document: None if document is None else digest(canonical(document))
    return {
        "gpu_evidence_digest": None if nvidia_payload is None else digest(nvidia_payload.encode()),
        "keyset_digest": keyset_digest(keyset),
        "model_digest": of(model),
        "nonce": nonce.hex(),
        "policy_digest": of(policy),
        "purpose": PURPOSE,
    }


def report_data(statement):
    """Returns the 64 bytes that the quote binds."""
    return sha256(canonical(statement)) + bytes(32)


def gpu_nonce(keyset_digest, nonce):
    return sha256(b"cloister.gpu_nonce.v1" + bytes.fromhex(keyset_digest.removeprefix("sha256:")) + nonce)


def read_statement(value):
    """Returns the statement with all of its six members."""
    members = Members(value, "report.form", ("keyset_digest", "nonce", "purpose"), NULLABLE)
    require(members.text("purpose") == PURPOSE, "report.form", f"the purpose is not {PURPOSE}")
    members.digest("keyset_digest")
    members.hex("nonce", 32)
    return value | {name: members.digest(name, null=True) for name in NULLABLE}


def check_report(report, quoted, nonce=None):
    """Checks everything that the report data `quoted` of a genuine quote binds. Returns the statement."""
    if isinstance(report, bytes):
        report = read_json(report, "report.form")
    require(isinstance(report, dict) and report.get("api_version") == "cloister/1", "report.form", "it is no report of cloister/1")
    said = read_statement(report.get("statement"))
    keyset = read_keyset(report.get("keyset"))
    require(nonce is None or said["nonce"] == nonce.hex(), "report.nonce", "the statement has another nonce")
    require(quoted[:32] == report_data(said)[:32], "report_data.identity", "the quote binds another statement")
    require(quoted[32:] == bytes(32), "report_data.padding", "report data does not end with 32 zero bytes")
    require(said["keyset_digest"] == keyset_digest(keyset), "keyset.digest", "the statement names another keyset")
    payload = report.get("nvidia_payload")
    require(said["gpu_evidence_digest"] == (None if payload is None else digest(payload.encode())),
            "report.gpu_evidence_digest", "the statement names other GPU evidence")
    for name in ("model", "policy"):
        shown, named = report.get(name), f"{name}_digest"
        require(shown is None or said[named] == digest(canonical(shown)), f"report.{named}", f"the statement names another {name}")
    return said
