"""Lines of an export of receipts (docs/spec/receipt-export.md). The tests' keys sign them as a node does."""

import functools
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account
from eth_account.messages import encode_defunct

from support.spec import canonical, digest

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
LEGACY_KEY = Account.from_key(b"\x08" * 32)
REQUEST, RESPONSE = "1" * 64, "2" * 64
ZEROS = "sha256:" + "0" * 64


def public_key(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def keyset_of(key=KEY, **changes):
    legacy = LEGACY_KEY._key_obj.public_key.to_hex().removeprefix("0x")
    keys = [{"key_id": "k", "algo": "ed25519", "public_key": public_key(key)}, {"key_id": "l", "algo": "cloister.legacy.ecdsa", "public_key": legacy}]
    return {"subject": None, "not_after": 2_000_000_000, "receipt_signing_keys": keys, "e2ee_public_keys": [], "tls_public_keys": []} | changes


KEYSET = keyset_of()
KEYSET_DIGEST = digest(canonical(KEYSET))


def document_line(kind, key, made, text):
    return {"form": "cloister.document.v1", "kind": kind, "key": key, "made": made, "text": text}


def keyset_line(made, keyset=None):
    text = canonical(keyset or KEYSET)
    return document_line("keyset", digest(text), made, text.decode())


def report_line(made, **changes):
    """Returns a report in the node's own form, with the members that an import reads."""
    return document_line("report.native", KEYSET_DIGEST, made, json.dumps({"keyset": KEYSET, "quote": "00"} | changes))


def policy_line(made, policy):
    text = canonical(policy)
    return document_line("policy", digest(text), made, text.decode())


@functools.cache
def legacy():
    signed = LEGACY_KEY.sign_message(encode_defunct(text=f"{REQUEST}:{RESPONSE}"))
    return {"request_sha256": REQUEST, "response_sha256": RESPONSE, "ecdsa": signed.signature.hex().removeprefix("0x")}


def sign(document, key=KEY):
    """Returns the text of a receipt as it is served."""
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    return canonical(unsigned | {"signature": key.sign(canonical(unsigned)).hex()}).decode()


def receipt_document(number, served_at, **changes):
    log = [{"type": "request.received", "body_hash": "sha256:" + REQUEST}, {"type": "response.returned", "body_hash": "sha256:" + RESPONSE}]
    if number % 4 == 0:
        log.append({"type": "response.events", "count": 1, "root": ZEROS, "tree": "cloister.events.v2"})
    return {"api_version": "aci/1", "receipt_id": f"rcpt-{number:08}", "chat_id": f"chatcmpl-{number}", "model": "m", "workload_keyset_digest": KEYSET_DIGEST,
            "endpoint": "/v1/chat/completions", "method": "POST", "served_at": served_at, "event_log": log, "key_id": "k"} | changes


def signed_receipt(number, served_at, **changes):
    document = receipt_document(number, served_at, **changes)
    line = {"form": "cloister.receipt.v2", "receipt_id": document["receipt_id"], "reply_ids": [f"chatcmpl-{number}"], "owner": f"{number % 3:02x}" * 16,
            "served_at": document["served_at"], "receipt": sign(document)}
    if number % 2 == 0:
        line["legacy"] = legacy()
    if number % 4 == 0:
        line["event_hashes"] = "A" * 42 + "A="  # 32 zero bytes
    return line
