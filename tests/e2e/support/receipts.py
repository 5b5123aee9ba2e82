"""Verifies receipts with code that shares nothing with the program (support/spec.py)."""

import time

from support import spec
from support.rawhttp import exchange
from support.spec import canonical, check_signature, digest, leaf, leaves_of, merkle_root, split_events  # noqa: F401
from support.spec import event_seed as seed_of  # noqa: F401


def receipt_text(node, reply_id, headers=()):
    """Returns the text of the receipt that the node shows."""
    found = exchange(node, "GET", f"/v1/aci/receipts/{reply_id}", None, headers)
    assert found.status == 200, found.body
    return found.body


def receipt_of(node, reply_id, headers=()):
    return spec.read_receipt(receipt_text(node, reply_id, headers))


def keyset_of(node):
    return spec.read_keyset(node.get_json("/v1/aci/attestation")["attestation"]["workload_keyset"])


def events(receipt):
    """Returns the events by type. Each type occurs at most once."""
    out = {event["type"]: event for event in receipt["event_log"]}
    assert len(out) == len(receipt["event_log"])
    return out


def sse_events(body):
    """Returns the complete events of a stream with their framing."""
    return split_events(body)[0]


def leaves(found, secret):
    """Returns the leaves of the events of a stream, in order. `secret` is in the form of the header x-receipt-secret."""
    return leaves_of(found, bytes.fromhex(secret))


def client(reply):
    """Returns the headers with which the client of a reply is given proofs of its events."""
    return [("X-Receipt-Secret", reply.header("x-receipt-secret"))]


def check_receipt(node, request, reply, headers=(), keyset=None):
    """Checks that the receipt of this reply is signed and is about exactly these bytes. Returns the receipt."""
    text = receipt_text(node, reply.header("x-receipt-id"), headers)
    receipt = spec.read_receipt(text)
    assert text == canonical(receipt)
    spec.check_receipt(receipt, keyset or keyset_of(node), time.time(), request, reply.body)
    assert receipt["receipt_id"] == reply.header("x-receipt-id")
    assert receipt["workload_keyset_digest"] == reply.header("x-aci-keyset-digest")
    log = events(receipt)
    if (reply.header("content-type") or "").startswith("text/event-stream"):
        assert log["response.events"] == spec.response_events(sse_events(reply.body), bytes.fromhex(reply.header("x-receipt-secret")))
    else:
        assert "response.events" not in log
    return receipt
