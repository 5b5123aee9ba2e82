"""ACI documents from files: the keyset, receipt and session of the specification's test vectors (api_version aci/1). The program verifies
them, keeps them in bundles and verifies them again."""

import json

import pytest

from support.node import run

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]
KEYSET = {
    "subject": "dstack-app://example-app", "not_after": 1800000000,
    "receipt_signing_keys": [{"key_id": "receipt-1", "algo": "ed25519",
                              "public_key": "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"}],
    "e2ee_public_keys": [{"key_id": "e2ee-1", "algo": "x25519-aes-256-gcm-hkdf-sha256",
                          "public_key": "5dfedd3b6bd47f6fa28ee15d969d5bb0ea53774d488bdaf9df1c6e0124b3ef22"}],
    "tls_public_keys": [{"spki_sha256": "c0" * 32, "domain": "api.example.com"}],
}
UNKNOWN = {"status": "unknown"}
SESSION = {
    "api_version": "aci/1", "upstream_name": "demo-upstream", "verifier_id": "example/1", "established_at": 1750000000,
    "expires_at": 1750003600, "endpoint": "https://upstream.example.com",
    "channel_binding": [{"type": "tls_spki_sha256", "origin": "https://upstream.example.com", "spki_sha256": "d1" * 32}],
    "claims": {"extra": {"gpu_arch": "HOPPER", "tcb_status": "UpToDate"}, "gpu_attested": UNKNOWN, "model_weights_provenance": UNKNOWN,
               "os_known_good": UNKNOWN, "serving_software_known_good": UNKNOWN, "tcb_up_to_date": UNKNOWN,
               "tee_attested": {"reason": "example quote verified", "source": "hardware_proven", "status": "asserted"}},
    "evidence": {"data": "data:text/plain;base64,ZXhhbXBsZS1ldmlkZW5jZQ==",
                 "digest": "sha256:80d70e44d0ae1e829fd5f37c3ee4a60dfbea8d3aa18407ea3f34cf7ec91da34d"},
}
REQUEST = '{"messages":[{"content":"hi","role":"user"}],"model":"demo-model"}'
RESPONSE = '{"choices":[],"id":"chatcmpl-123"}'
JUDGED_AT = ["--at", "2025-06-15T16:00:00Z", "--offline", "--json"]


@pytest.fixture
def files(vectors_folder, tmp_path):
    receipt = json.loads((vectors_folder / "signatures/aci_receipt_ed25519.json").read_text())
    document = receipt["document"] | {"signature": receipt["signature"]}
    for name, content in {"keyset": json.dumps(KEYSET), "session": json.dumps(SESSION), "receipt": json.dumps(document),
                          "request": REQUEST, "response": RESPONSE}.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def judge(*arguments):
    result = run("verify", *arguments, *JUDGED_AT)
    verdict = json.loads(result.stdout) if result.stdout.startswith("{") else {"checks": []}
    return result.returncode, {check["id"]: check["state"] for check in verdict["checks"]}, verdict


def without_time(verdict):
    """Returns the checks of a bundle without the check that only bundles have."""
    return [check for check in verdict["checks"] if check["id"] != "file.time"]


def receipt_arguments(files, **changes):
    options = {"keyset": files / "keyset", "request": files / "request", "response": files / "response", "id": "chatcmpl-123",
               "model": "demo-model"} | changes
    return ["receipt", files / "receipt", *(part for name, value in options.items() for part in (f"--{name}", value))]


def test_the_receipt(files):
    status, states, verdict = judge(*receipt_arguments(files))
    assert status == 3, "no report shows that a TEE vouched for the keyset"
    for check in ("form", "events", "keyset", "key", "signature", "served_at", "id", "model", "request_hash", "response_hash", "rewrite"):
        assert states[f"receipt.{check}"] == "pass", (check, verdict)
    assert states["receipt.keyset_attested"] == states["receipt.upstream"] == "skipped"


@pytest.mark.parametrize("name, value, check", [("id", "chatcmpl-124", "id"), ("model", "other", "model"), ("request", "x", "request_hash"),
                                                ("response", "x", "response_hash")])
def test_the_receipt_of_another_reply(files, name, value, check):
    if value == "x":
        value = files / "other"
        value.write_text("x")
    status, states, _ = judge(*receipt_arguments(files, **{name: value}))
    assert status == 1 and states[f"receipt.{check}"] == "fail"


def test_a_bundle_of_the_receipt(files):
    saved = files / "saved"
    first = judge(*receipt_arguments(files), "--bundle", saved)
    for name in ("keyset", "request", "response", "receipt"):
        (files / name).unlink()
    # A person says which reply and which model were asked for. The names in the file are only the file's statement.
    again = judge("bundle", saved, "--id", "chatcmpl-123", "--model", "demo-model")
    assert again[0] == first[0] == 3 and without_time(again[2]) == first[2]["checks"]
    assert judge("bundle", saved)[1]["receipt.id"] == "skipped"


def test_the_session_that_the_receipt_names(files):
    status, states, verdict = judge("session", files / "session", "--receipt", files / "receipt")
    assert status == 3 and verdict["facts"]["session_id"] == "95ad1cb4dd25445808c2e9d116caf420b05703730b506395e8fc1ca6faeae28f"
    assert {states[f"session.{check}"] for check in ("form", "id", "window", "evidence_digest")} == {"pass"}
    # The evidence of this session is a text of eighteen letters.
    assert states["session.evidence"] == states["session.channel"] == "skipped"
    saved = files / "saved"
    judge("session", files / "session", "--receipt", files / "receipt", "--bundle", saved)
    (files / "receipt").unlink()
    assert without_time(judge("bundle", saved)[2]) == verdict["checks"]


def test_receipt_and_session_together(files):
    status, states, verdict = judge(*receipt_arguments(files, session=files / "session"))
    assert status == 3 and states["session.id"] == states["receipt.signature"] == "pass"
    assert verdict["facts"]["session"]["upstream_name"] == "demo-upstream"
    (files / "session").write_text(json.dumps(SESSION | {"upstream_name": "another"}))
    status, states, _ = judge(*receipt_arguments(files, session=files / "session"))
    assert status == 1 and states["session.id"] == "fail"


def test_a_session_that_the_receipt_does_not_name(files):
    (files / "session").write_text(json.dumps(SESSION | {"upstream_name": "another"}))
    status, states, _ = judge("session", files / "session", "--receipt", files / "receipt")
    assert status == 1 and states["session.id"] == "fail"


def test_a_bare_signature_in_a_bundle(vectors_folder, files):
    vector = next(one for one in json.loads((vectors_folder / "signatures/eip191_chat.json").read_text()) if one["verdict"] == "accept")
    path, saved = files / "signature", files / "saved"
    path.write_text(json.dumps({name: vector[name] for name in ("text", "signature", "signing_address")} | {"signing_algo": "ecdsa"}))
    bodies = ["--request", files / "request", "--response", files / "response", "--address", vector["signing_address"]]
    status, states, verdict = judge("signature", path, *bodies, "--bundle", saved)
    assert status == 0 and states["signature.signer_attested"] == "pass", verdict
    for name in ("signature", "request", "response"):
        (files / name).unlink()
    again = judge("bundle", saved, "--address", vector["signing_address"])
    assert again[0] == 0 and without_time(again[2]) == verdict["checks"]
    assert judge("bundle", saved)[0] == 3, "who should have signed, a person says and not the file"
