"""The events of a streamed reply, their Merkle tree and proofs of its beginning (docs/spec/receipt.md, "The first events of a stream")."""

import re

from .canonical import HEX, Members, read_json, require, sha256
from .receipt import event

TREE, PROOF = "cloister.events.v2", "cloister.prefix.v2"
CHECK = "receipt.prefix"
MOST_EVENTS = 1 << 18


def split_events(data):
    """Returns (complete events with their framing, bytes after the last of them)."""
    found, start = [], 0
    for line in re.finditer(rb"[^\r\n]*(?:\r\n|\r|\n)", data):
        if line.group() in (b"\r\n", b"\r", b"\n"):
            found.append(data[start : line.end()])
            start = line.end()
    return found, data[start:]


# --- salts


def child(seed, number):
    return sha256(bytes([2, number]) + seed)


def hex_digits(number):
    return [number >> shift & 15 for shift in (16, 12, 8, 4, 0)]


def event_seed(secret, number):
    """Returns the seed of this event, counted from 0."""
    for digit in hex_digits(number):
        secret = child(secret, digit)
    return secret


def first_seeds(secret, count):
    """Returns the fewest seeds from which the seeds of the first `count` events follow."""
    out = []
    for digit in hex_digits(count):
        out += [child(secret, number) for number in range(digit)]
        secret = child(secret, digit)
    return out


def expand_seeds(seeds, count):
    """Returns the seeds of the first `count` events, from what first_seeds() gives."""
    require(count <= MOST_EVENTS and len(seeds) == sum(hex_digits(count)), CHECK, "another number of salts is needed")
    rest, out = list(seeds), []
    for level, digit in enumerate(hex_digits(count), 1):
        for _ in range(digit):
            subtree = [rest.pop(0)]
            for _ in range(5 - level):
                subtree = [child(seed, number) for seed in subtree for number in range(16)]
            out += subtree
    return out


def leaf(event, seed):
    return sha256(b"\0" + seed[:16] + sha256(event))


def leaves_of(events, secret):
    return [leaf(event, event_seed(secret, number)) for number, event in enumerate(events)]


# --- RFC 9162, section 2.1


def node(left, right):
    return sha256(b"\1" + left + right)


def _split(count):
    """Returns the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def merkle_root(leaves):
    """Returns the root over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    k = _split(len(leaves))
    return node(merkle_root(leaves[:k]), merkle_root(leaves[k:]))


def consistency_proof(leaves, first, whole=True):
    """Section 2.1.4.1: SUBPROOF(first, leaves, whole)."""
    if first == len(leaves):
        return [] if whole else [merkle_root(leaves)]
    k = _split(len(leaves))
    if first <= k:
        return consistency_proof(leaves[:k], first, whole) + [merkle_root(leaves[k:])]
    return consistency_proof(leaves[k:], first - k, False) + [merkle_root(leaves[:k])]


def check_consistency(first, first_root, total, total_root, proof):
    """Section 2.1.4.2."""
    if first == total:
        require(not proof and first_root == total_root, CHECK, "the events have another root")
        return
    require(proof, CHECK, "the consistency proof is empty")
    path = ([first_root] if first & (first - 1) == 0 else []) + proof
    fn, sn = first - 1, total - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    left = right = path[0]
    for step in path[1:]:
        require(sn, CHECK, "the consistency proof is too long")
        if fn & 1 or fn == sn:
            left, right = node(step, left), node(step, right)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            right = node(right, step)
        fn, sn = fn >> 1, sn >> 1
    require(sn == 0, CHECK, "the consistency proof is too short")
    require(left == first_root, CHECK, "the proof is about other events")
    require(right == total_root, CHECK, "the proof leads to another root")


# --- the event of the receipt, and the proof


def response_events(events, secret):
    """Returns the event `response.events` of a receipt."""
    return {"type": "response.events", "count": len(events), "root": "sha256:" + merkle_root(leaves_of(events, secret)).hex(), "tree": TREE}


def prefix_proof(receipt_id, events, secret, count):
    proof = consistency_proof(leaves_of(events, secret), count)
    return {
        "proof": PROOF,
        "receipt_id": receipt_id,
        "events": count,
        "total": len(events),
        "salts": [seed.hex() for seed in first_seeds(secret, count)],
        "consistency": [step.hex() for step in proof],
    }


def _hashes(members, name, most):
    values = members.list(name, most)
    for value in values:
        require(isinstance(value, str) and len(value) == 64 and HEX.fullmatch(value.lower()), CHECK, f"{name} has an element that is not 64 hex digits")
    return [bytes.fromhex(value) for value in values]


def read_prefix_proof(text):
    """Returns the proof, given as the bytes of its text, after a check of its form."""
    proof = read_json(text, CHECK, 64 << 10, 4)
    members = Members(proof, CHECK, ("proof", "receipt_id", "events", "total", "salts", "consistency"))
    require(members.text("proof") == PROOF, CHECK, f"the version is not {PROOF}")
    members.text("receipt_id")
    require(1 <= members.whole("events") <= members.whole("total"), CHECK, "events is not 1 to total")
    return proof | {"salts": _hashes(members, "salts", 75), "consistency": _hashes(members, "consistency", 64)}


def check_prefix(receipt, proof, beginning):
    """Refuses bytes that are not the first events of the reply that this receipt is about."""
    tree = event(receipt, "response.events")
    require(tree, CHECK, "the receipt names no events")
    members = Members(tree, CHECK, ("count", "root", "tree"), tuple(tree))
    require(members.text("tree") == TREE, CHECK, "another version of the tree")
    require(proof["receipt_id"] == receipt["receipt_id"], CHECK, "the proof is about another receipt")
    require(proof["total"] == members.whole("count"), CHECK, "the proof is about a reply of another length")
    events, rest = split_events(beginning)
    require(not rest, CHECK, "bytes follow the last complete event")
    require(len(events) == proof["events"], CHECK, "the proof is for another number of events")
    leaves = [leaf(one, seed) for one, seed in zip(events, expand_seeds(proof["salts"], len(events)))]
    check_consistency(len(leaves), merkle_root(leaves), proof["total"], bytes.fromhex(members.digest("root")[7:]), proof["consistency"])
