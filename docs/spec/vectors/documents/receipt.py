"""Receipts (docs/spec/receipt.md) and the legacy signature over the same two bodies (docs/spec/legacy-proof.md)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account import Account
from eth_account.messages import encode_defunct

from .canonical import Members, canonical, digest, read_json, require, Refused, sha256
from .keyset import keyset_digest, receipt_key

FORM = "receipt.form"
NAMES = ("api_version", "receipt_id", "workload_keyset_digest", "endpoint", "method", "served_at", "event_log", "key_id", "signature")
HASHED = ("request.received", "request.forwarded", "response.returned")
CLOCK_SKEW = 300
# The prime of curve25519, and the y of its points of small order. Under such a key one signature may be valid for many messages.
PRIME = 2**255 - 19
ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL_ORDER = {0, 1, PRIME - 1, ORDER_8, PRIME - ORDER_8}


def read_receipt(text):
    """Returns the receipt, given as the bytes of its text, after a check of its form."""
    receipt = read_json(text, FORM, 1 << 20, 32)
    members = Members(receipt, FORM, NAMES, ("chat_id", "model"))
    require(members.text("api_version") == "aci/1", FORM, "the version is not aci/1")
    for name in ("receipt_id", "endpoint", "method", "key_id"):
        members.text(name)
    for name in ("chat_id", "model"):
        members.text(name, null=True)
    members.digest("workload_keyset_digest")
    members.whole("served_at")
    members.hex("signature", 64)
    for event in members.list("event_log", 1024):
        require(isinstance(event, dict) and isinstance(event.get("type"), str), FORM, "an event has no type")
        if event["type"] in HASHED:
            Members(event, FORM, ("body_hash",), tuple(event)).digest("body_hash")
    try:
        signing_input(receipt)
    except Refused as error:
        raise Refused(FORM, str(error)) from error
    return receipt


def signing_input(receipt):
    """Returns the bytes that the receipt's key signs."""
    return canonical({name: value for name, value in receipt.items() if name != "signature"})


def sign(receipt, key):
    """Returns the receipt with its signature by this Ed25519 key."""
    return receipt | {"signature": key.sign(signing_input(receipt)).hex()}


def event(receipt, kind):
    """Returns the only event of this type, or None."""
    found = [event for event in receipt["event_log"] if event["type"] == kind]
    require(len(found) < 2, "receipt.events", f"{kind} is there twice")
    return found[0] if found else None


def check_signature(receipt, keyset):
    require(receipt["workload_keyset_digest"] == keyset_digest(keyset), "receipt.keyset", "the receipt names another keyset")
    key = receipt_key(keyset, receipt["key_id"])
    y = int.from_bytes(key, "little") % 2**255
    require(y < PRIME and y not in SMALL_ORDER, "receipt.signature", "a public key of small order, or in a form that is not canonical")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(receipt["signature"]), signing_input(receipt))
    except InvalidSignature:
        raise Refused("receipt.signature", "the key did not sign this receipt") from None


def check_events(receipt):
    kinds = [event["type"] for event in receipt["event_log"]]
    require(kinds[:1] == ["request.received"], "receipt.events", "the first event is not the request")
    require(event(receipt, "response.returned"), "receipt.events", "the receipt names no response")
    for once in ("request.received", "request.forwarded", "model.served", "policy.in_force"):
        event(receipt, once)
    if "request.forwarded" in kinds:
        require(kinds.index("request.forwarded") < kinds.index("response.returned"), "receipt.events", "forwarded after the response")


def check_receipt(receipt, keyset, at, request=None, response=None):
    """Refuses the receipt unless a key of this keyset signed it and it is about these bodies."""
    check_signature(receipt, keyset)
    check_events(receipt)
    require(receipt["served_at"] <= at + CLOCK_SKEW, "receipt.served_at", "the receipt is of the future")
    require(receipt["served_at"] < keyset["not_after"], "receipt.served_at", "the keyset had expired")
    for check, kind, body in (("receipt.request_hash", "request.received", request), ("receipt.response_hash", "response.returned", response)):
        require(body is None or event(receipt, kind)["body_hash"] == digest(body), check, "the receipt is about other bytes")


# --- the legacy signature


def legacy_text(request, response):
    return f"{sha256(request).hex()}:{sha256(response).hex()}"


def legacy_ecdsa(secret, text):
    """Returns the EIP-191 signature r, s, v as hex with 0x. The nonce is that of RFC 6979."""
    return "0x" + Account.sign_message(encode_defunct(text=text), secret).signature.hex().removeprefix("0x")


def check_legacy_ecdsa(signature, text, address):
    try:
        signer = Account.recover_message(encode_defunct(text=text), signature=signature)
    except Exception as error:
        raise Refused("signature.valid", str(error)) from error
    require(signer.lower() == address.lower(), "signature.valid", "another key signed")
