"""Receipts signed by public test keys, and the legacy signatures of the same bodies."""

import json

from documents.canonical import canonical, digest, sha256
from documents.keyset import keyset_digest, read_keyset
from documents.model import model_digest
from documents.receipt import check_legacy_ecdsa, check_receipt, legacy_ecdsa, legacy_text, read_receipt, sign, signing_input

from . import must_refuse, replaced, secret
from .keyset import AT, KEYSET, LEGACY_ADDRESS, LEGACY_ECDSA, LEGACY_ED25519, RECEIPT_KEY, SMALL, TEXT as KEYSET_TEXT, Ed25519PrivateKey
from .model_identity import ECHO
from .statement import POLICY

REQUEST = '{"model":"echo","messages":[{"role":"user","content":"Gr\u00fc\u00dfe \U0001f600"}]}\n'
RESPONSE = '{"id":"chatcmpl-019969e52c0000112233445566778899","object":"chat.completion","model":"echo","choices":[{"index":0,"message":{"role":"assistant","content":"Gr\u00fc\u00dfe \U0001f600"},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}'


def receipt(request, *events, response, receipt_id="rcpt-019969e52c0000112233445566778899", **changes):
    document = {
        "api_version": "aci/1",
        "receipt_id": receipt_id,
        "chat_id": receipt_id.replace("rcpt-", "chatcmpl-"),
        "model": "echo",
        "workload_keyset_digest": keyset_digest(KEYSET),
        "endpoint": "/v1/chat/completions",
        "method": "POST",
        "served_at": AT,
        "event_log": [
            {"type": "request.received", "body_hash": digest(request.encode())},
            {"type": "policy.in_force", "policy_digest": digest(canonical(POLICY))},
            {"type": "request.forwarded", "body_hash": digest(request.encode())},
            {"type": "model.served", "engine": "echo", "model_id": "echo", "model_digest": model_digest(ECHO), "temperature": "0.7"},
            {"type": "usage.metered", "prompt_tokens": 2, "cached_tokens": 0, "completion_tokens": 2, "finish_reason": "stop"},
            {"type": "response.returned", "body_hash": digest(response.encode())},
            *events,
        ],
        "key_id": "receipt-1",
    }
    return document | changes


PLAIN = sign(receipt(REQUEST, response=RESPONSE), RECEIPT_KEY)
TEXT = canonical(PLAIN).decode()
# The members of this event are in the order of their UTF-16 code units, and its numbers are in the forms of ECMAScript.
HOSTILE = {"type": "example.hostile", "\ufb33": 1e21, "\U0001f600": 1e-7, "\u0080": 0.1, "a": -0.0, "A": 4.5, "": "\u0000\u001f\u007f\u2028\"\\/", "nested": [{"b": [], "a": None}]}
ODD = sign(receipt(REQUEST, HOSTILE, response=RESPONSE, chat_id=None), RECEIPT_KEY)
ODD_TEXT = json.dumps(dict(reversed(ODD.items())), indent=2).replace("1e+21", "1000000000000000000000").replace("1e-07", "0.00000010").replace("4.5", "45E-1")
SHORT = {name: value for name, value in receipt(REQUEST, response=RESPONSE).items() if name not in ("chat_id", "model")}


def accepted(name, text, request=REQUEST, response=RESPONSE):
    read = read_receipt(text.encode())
    check_receipt(read, KEYSET, AT, request.encode(), response.encode())
    signed = signing_input(read)
    return {"name": name, "text": text, "request": request, "response": response, "signing_input": signed.decode(), "signing_input_hex": signed.hex(),
            "signing_input_sha256": sha256(signed).hex(), "key_id": read["key_id"], "signature": read["signature"]}


def events_changed(change):
    """Returns the text of a receipt with a changed event log, which the receipt key signed again."""
    document = receipt(REQUEST, response=RESPONSE)
    document["event_log"] = change(list(document["event_log"]))
    return canonical(sign(document, RECEIPT_KEY)).decode()


def signed_again(key=RECEIPT_KEY, **changes):
    return canonical(sign(receipt(REQUEST, response=RESPONSE, **changes), key)).decode()


SIGNATURE, BODY = PLAIN["signature"], digest(REQUEST.encode())
ORDER = 2**252 + 27742317777372353535851937790883648493
LARGE_S = SIGNATURE[:64] + (int.from_bytes(bytes.fromhex(SIGNATURE[64:]), "little") + ORDER).to_bytes(32, "little").hex()
# With the neutral element as the key and as R, and S = 0, the equation of a signature is true for every receipt.
NEUTRAL = (1).to_bytes(32, "little").hex()
WEAK = {**KEYSET, "receipt_signing_keys": [{"key_id": "receipt-1", "algo": "ed25519", "public_key": NEUTRAL}]}
WEAK_TEXT = canonical(receipt(REQUEST, response=RESPONSE, workload_keyset_digest=keyset_digest(WEAK)) | {"signature": NEUTRAL + "0" * 64}).decode()
FIRST = '"type":"request.received"'
FLIPPED = f"{int(SIGNATURE[0], 16) ^ 1:x}{SIGNATURE[1:]}"

REFUSED = [
    ("receipt.form", "a member that the form does not have", {"replace": ['"method":"POST"', '"method":"POST","note":1']}),
    ("receipt.form", "a receipt without a signature", {"replace": [f',"signature":"{SIGNATURE}"', ""]}),
    ("receipt.form", "a member twice", {"replace": ['"model":"echo","receipt_id"', '"model":"other","model":"echo","receipt_id"']}),
    ("receipt.form", "another version", {"replace": ["aci/1", "aci/2"]}),
    ("receipt.form", "a time with a fraction", {"replace": [f'"served_at":{AT}', f'"served_at":{AT}.0']}),
    ("receipt.form", "a time below zero", {"replace": [f'"served_at":{AT}', '"served_at":-1']}),
    ("receipt.form", "the signature in upper case", {"replace": [SIGNATURE, SIGNATURE.upper()]}),
    ("receipt.form", "a digest in upper case", {"replace": [keyset_digest(KEYSET), "sha256:" + keyset_digest(KEYSET)[7:].upper()]}),
    ("receipt.form", "an event without its type", {"replace": [',"type":"request.received"', ""]}),
    ("receipt.form", "an event without the hash that its type has", {"replace": [f'"body_hash":"{BODY}",{FIRST}', FIRST]}),
    ("receipt.form", "half of a surrogate pair", {"replace": ['"model":"echo","receipt_id"', '"model":"\\ud83d","receipt_id"']}),
    ("receipt.form", "an integer that no double holds", {"replace": [FIRST, FIRST + ',"number":9007199254740993']}),
    ("receipt.events", "two requests", {"text": events_changed(lambda log: log[:1] + log)}),
    ("receipt.events", "no response", {"text": events_changed(lambda log: log[:-1])}),
    ("receipt.events", "an event before the request", {"text": events_changed(lambda log: [log[1], log[0], *log[2:]])}),
    ("receipt.events", "forwarded after the response", {"text": events_changed(lambda log: log[:2] + log[3:] + [log[2]])}),
    ("receipt.keyset", "the digest of another keyset", {"text": signed_again(workload_keyset_digest=keyset_digest(SMALL))}),
    ("receipt.key", "a key for legacy signatures", {"text": signed_again(LEGACY_ED25519, key_id="legacy-ed25519-1")}),
    ("receipt.key", "a key for encryption", {"text": signed_again(key_id="e2ee-x25519-1")}),
    ("receipt.key", "a key that the keyset does not have", {"text": signed_again(key_id="receipt-2")}),
    ("receipt.signature", "another key under the name of the receipt key", {"text": signed_again(Ed25519PrivateKey.from_private_bytes(secret("another")))}),
    ("receipt.signature", "a changed time", {"replace": [f'"served_at":{AT}', f'"served_at":{AT + 1}']}),
    ("receipt.signature", "a changed event", {"replace": ['"completion_tokens":2', '"completion_tokens":3']}),
    ("receipt.signature", "one changed bit of the signature", {"replace": [SIGNATURE, FLIPPED]}),
    ("receipt.signature", "S increased by the order of the group", {"replace": [SIGNATURE, LARGE_S]}),
    ("receipt.signature", "a public key of small order, under which one signature is valid for every receipt",
     {"keyset": canonical(WEAK).decode(), "text": WEAK_TEXT}),
    ("receipt.served_at", "the receipt is from ten minutes in the future", {"text": signed_again(served_at=AT + 600)}),
    ("receipt.request_hash", "the request without its last byte", {"request": REQUEST[:-1]}),
    ("receipt.response_hash", "the response with a line feed after it", {"response": RESPONSE + "\n"}),
]


def refused(check, name, case):
    text = replaced(TEXT, *case["replace"]) if "replace" in case else case.get("text", TEXT)
    request, response = case.get("request", REQUEST), case.get("response", RESPONSE)
    keyset = read_keyset(case.get("keyset", KEYSET_TEXT).encode())
    must_refuse(check, lambda: check_receipt(read_receipt(text.encode()), keyset, AT, request.encode(), response.encode()))
    return {"name": name, "check": check, **case}


def legacy():
    text = legacy_text(REQUEST.encode(), RESPONSE.encode())
    ecdsa = legacy_ecdsa(LEGACY_ECDSA, text)
    check_legacy_ecdsa(ecdsa, text, LEGACY_ADDRESS)
    return {"text": text, "ecdsa": {"signing_address": LEGACY_ADDRESS, "signature": ecdsa},
            "ed25519": {"signing_address": PUBLIC_LEGACY, "signature": LEGACY_ED25519.sign(text.encode()).hex()}}


PUBLIC_LEGACY = KEYSET["receipt_signing_keys"][2]["public_key"]


def vectors():
    return {
        "specification": "docs/spec/receipt.md",
        "public_test_keys": [{"key_id": key_id, "private_key": secret(key_id).hex()} for key_id in ("receipt-1", "legacy-ecdsa-1", "legacy-ed25519-1")],
        "keyset": KEYSET_TEXT,
        "at": AT,
        "accepted": [
            accepted("a buffered reply", TEXT),
            accepted("another spelling, and an event that no page describes", ODD_TEXT),
            accepted("members that are absent in place of null", canonical(sign(SHORT, RECEIPT_KEY)).decode()),
        ],
        "legacy_signatures": legacy(),
        "refused": [refused(*case) for case in REFUSED],
    }
