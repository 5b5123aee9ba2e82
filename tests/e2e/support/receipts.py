"""Verifies receipts with code that shares nothing with the program: JSON, SHA-256 and Ed25519."""

import hashlib
import json
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from support.rawhttp import exchange


def canonical(document):
    """Returns the form of RFC 8785, for documents of ASCII names and whole numbers."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def receipt_of(node, reply_id, headers=()):
    found = exchange(node, "GET", f"/v1/aci/receipts/{reply_id}", None, headers)
    assert found.status == 200, found.body
    return found.json()


def keyset_of(node):
    return node.get_json("/v1/aci/attestation")["attestation"]["workload_keyset"]


def check_signature(receipt, keyset):
    """Raises when the receipt is not signed by the receipt key of this keyset."""
    assert receipt["workload_keyset_digest"] == digest(canonical(keyset))
    key = next(key for key in keyset["receipt_signing_keys"] if key["key_id"] == receipt["key_id"])
    assert key["algo"] == "ed25519"
    unsigned = {name: value for name, value in receipt.items() if name != "signature"}
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["public_key"])).verify(
        bytes.fromhex(receipt["signature"]), canonical(unsigned)
    )


def events(receipt):
    """Returns the events by type. Each type occurs at most once."""
    out = {event["type"]: event for event in receipt["event_log"]}
    assert len(out) == len(receipt["event_log"])
    return out


def sse_events(body):
    """Returns the complete events of a stream with their framing. Each ends with an empty line."""
    out, event = [], b""
    for line in re.findall(rb"[^\n]*\n", body):
        event += line
        if line in (b"\n", b"\r\n"):
            out.append(event)
            event = b""
    return out


def merkle_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def seed_of(secret, event):
    """Returns the seed of this event below the secret of its reply (docs/spec/receipt.md)."""
    for shift in (16, 12, 8, 4, 0):
        secret = hashlib.sha256(bytes([2, event >> shift & 15]) + secret).digest()
    return secret


def leaf(event, seed):
    return hashlib.sha256(b"\0" + seed[:16] + hashlib.sha256(event).digest()).digest()


def leaves(found, secret):
    """Returns the leaves of the events of a stream, in order. `secret` is in the form of the header x-receipt-secret."""
    return [leaf(event, seed_of(bytes.fromhex(secret), number)) for number, event in enumerate(found)]


def client(reply):
    """Returns the headers with which the client of a reply is given proofs of its events."""
    return [("X-Receipt-Secret", reply.header("x-receipt-secret"))]


def check_receipt(node, request, reply, headers=(), keyset=None):
    """Checks that the receipt of this reply is signed and is about exactly these bytes. Returns the receipt."""
    receipt = receipt_of(node, reply.header("x-receipt-id"), headers)
    check_signature(receipt, keyset or keyset_of(node))
    assert receipt["receipt_id"] == reply.header("x-receipt-id")
    assert receipt["workload_keyset_digest"] == reply.header("x-aci-keyset-digest")
    log = events(receipt)
    assert receipt["event_log"][0]["type"] == "request.received"
    assert log["request.received"]["body_hash"] == digest(request)
    assert log["response.returned"]["body_hash"] == digest(reply.body)
    if (reply.header("content-type") or "").startswith("text/event-stream"):
        found = sse_events(reply.body)
        assert log["response.events"] == {
            "type": "response.events",
            "count": len(found),
            "root": "sha256:" + merkle_root(leaves(found, reply.header("x-receipt-secret"))).hex(),
            "tree": "cloister.events.v2",
        }
    else:
        assert "response.events" not in log
    return receipt
