"""The events of a streamed reply, their salts and tree, and proofs of its beginning."""

import hmac
import json

from documents.canonical import canonical, digest
from documents.events import (check_prefix, event_seed, first_seeds, leaf, leaves_of, merkle_root, prefix_proof, read_prefix_proof, response_events,
                              split_events)
from documents.receipt import check_receipt, read_receipt, sign

from . import must_refuse, replaced, secret
from .keyset import AT, KEYSET, RECEIPT_KEY, TEXT as KEYSET_TEXT
from .receipt import receipt

RECEIPT_ID = "rcpt-019969e52c0100112233445566778899"
REPLY_KEY = secret("secrets of replies")
SECRET = hmac.digest(REPLY_KEY, RECEIPT_ID.encode(), "sha256")
REQUEST = '{"model":"echo","messages":[{"role":"user","content":"Count"}],"stream":true}'
# The events have each kind of line end, and one of them is only an empty line.
EVENTS = [": a comment\r\n\r\n", "\n", "event: x\rdata: 2\r\r", "data: 3\r\n\n", "data: 4\n\r\n"]
EVENTS += [f'data: {{"choices":[{{"delta":{{"content":"{number}"}}}}]}}\n\n' for number in range(5, 19)] + ["data: [DONE]\n\n"]
BYTES = [event.encode() for event in EVENTS]
RESPONSE = "".join(EVENTS)
RECEIPT = sign(receipt(REQUEST, response_events(BYTES, SECRET), response=RESPONSE, receipt_id=RECEIPT_ID), RECEIPT_KEY)
COUNTS = (1, 3, 16, 17, len(EVENTS))
OTHER_SEED = secret("another seed").hex()

SPLIT = [
    ("each line end", "data: a\n\ndata: b\r\n\r\ndata: c\r\r"),
    ("two kinds of line ends in one event", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n"),
    ("a line feed after a carriage return belongs to the same line end", "data: a\r\ndata: b\r\n\r\n"),
    ("empty lines alone", "\n\r\n\r"),
    ("an event that is broken off", "data: a\n\ndata: b\n"),
    ("a separator of lines that is no line end", "data: a\u2028\u2028data: b\u0085\u0085\n\n"),
]


def proof_text(count):
    return canonical(prefix_proof(RECEIPT_ID, BYTES, SECRET, count)).decode()


def check(text, beginning):
    check_prefix(RECEIPT, read_prefix_proof(text.encode()), beginning.encode())


def accepted(count):
    text, beginning = proof_text(count), "".join(EVENTS[:count])
    check(text, beginning)
    return {"name": f"the first {count} events", "text": text, "events": count}


THREE = json.loads(proof_text(3))
STEPS, SALTS = THREE["consistency"], THREE["salts"]
UNSALTED = {name: value for name, value in THREE.items() if name != "salts"} | {"proof": "cloister.prefix.v1"}

# Each entry: its name, which proof it changes, and what differs.
REFUSED = [
    ("a member that the form does not have", 3, {"replace": ['"events":3', '"events":3,"note":1']}),
    ("no events", 3, {"replace": ['"events":3', '"events":0'], "events": 0}),
    ("more events than there are", 3, {"replace": ['"total":20', '"total":2']}),
    ("another length of the reply", 3, {"replace": ['"total":20', '"total":21']}),
    ("another receipt", 3, {"replace": [RECEIPT_ID, RECEIPT_ID[:-1] + "8"]}),
    ("version 1, for a receipt whose events have salts", 3, {"text": canonical(UNSALTED).decode()}),
    ("another salt", 3, {"replace": [SALTS[1], OTHER_SEED]}),
    ("a salt too few", 3, {"replace": [f'"{SALTS[0]}",', ""]}),
    ("a salt too many", 3, {"replace": [SALTS[0], f'{OTHER_SEED}","{SALTS[0]}']}),
    ("the salts in another order", 3, {"replace": [f'"{SALTS[0]}","{SALTS[1]}"', f'"{SALTS[1]}","{SALTS[0]}"']}),
    ("another step of the consistency proof", 3, {"replace": [STEPS[1], OTHER_SEED]}),
    ("a step too few", 3, {"replace": [f',"{STEPS[-1]}"', ""]}),
    ("a step too many", 3, {"replace": [STEPS[-1], f'{STEPS[-1]}","{OTHER_SEED}']}),
    ("a step that is not 64 hex digits", 3, {"replace": [STEPS[0], STEPS[0][:-2]]}),
    ("an event fewer than the proof is for", 3, {"events": 2}),
    ("an event more than the proof is for", 3, {"events": 4}),
    ("a changed event", 3, {"beginning": RESPONSE[: len("".join(EVENTS[:3]))].replace("data: 2", "data: 9")}),
    ("two events in one", 3, {"beginning": "".join(EVENTS[:3]).replace("\r\n\r\n", "\r\n", 1)}),
    ("the proof of all events with a step", 20, {"replace": ['"consistency":[]', f'"consistency":["{OTHER_SEED}"]']}),
    ("the beginning of another event after the proven ones", 3, {"beginning": "".join(EVENTS[:3]) + "data: "}),
]


def refused(name, of, case):
    text = replaced(proof_text(of), *case["replace"]) if "replace" in case else case.get("text", proof_text(of))
    must_refuse("receipt.prefix", check, text, case.get("beginning", "".join(EVENTS[: case.get("events", of)])))
    return {"name": name, "check": "receipt.prefix", "of": f"the first {of} events", **case}


def split(name, text):
    events, rest = split_events(text.encode())
    return {"name": name, "text": text, "events": [event.decode() for event in events], "rest": rest.decode()}


def vectors():
    text = canonical(RECEIPT).decode()
    check_receipt(read_receipt(text.encode()), KEYSET, AT, REQUEST.encode(), RESPONSE.encode())
    leaves = leaves_of(BYTES, SECRET)
    assert "sha256:" + merkle_root(leaves).hex() == RECEIPT["event_log"][-1]["root"] and digest(RESPONSE.encode()) in text
    assert leaves[0] == leaf(BYTES[0], event_seed(SECRET, 0))
    return {
        "specification": "docs/spec/receipt.md#the-first-events-of-a-stream",
        "split": [split(*case) for case in SPLIT],
        "public_test_key": REPLY_KEY.hex(),
        "secret": SECRET.hex(),
        "seeds": [{"event": number, "seed": event_seed(SECRET, number).hex()} for number in (0, 15, 16, 255, 256, 65536, 262143)],
        "first_seeds": [{"events": count, "seeds": [seed.hex() for seed in first_seeds(SECRET, count)]} for count in (1, 16, 0x121, 1 << 18)],
        "roots": [{"leaves": count, "root": merkle_root(leaves[:count]).hex()} for count in range(9)],
        "keyset": KEYSET_TEXT,
        "at": AT,
        "request": REQUEST,
        "events": EVENTS,
        "leaves": [one.hex() for one in leaves],
        "receipt": text,
        "accepted": [accepted(count) for count in COUNTS],
        "refused": [refused(*case) for case in REFUSED],
    }
