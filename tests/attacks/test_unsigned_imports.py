"""Receipts without a valid signature enter a store through an export. An audit of the store would notice that years later, or never."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support import node
from support.exports import KEYSET, KEYSET_DIGEST, document_line, keyset_line, keyset_of, policy_line, receipt_document, report_line, sign, signed_receipt
from support.node import own_seed
from support.rawhttp import exchange
from support.spec import canonical, digest

pytestmark = pytest.mark.fast

START = 1_800_000_000
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)


@pytest.fixture
def run(tmp_path):
    """Imports these lines and returns (status, message, ids in the store)."""
    (tmp_path / "key").write_text("5e" * 32)
    keys = ["--store", tmp_path / "receipts.db", "--key-file", tmp_path / "key"]

    def imported(lines, *more):
        (tmp_path / "in").write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = node.run("receipts", "import", tmp_path / "in", *keys, *more)
        listed = node.run("receipts", "list", "--json", *keys).stdout.splitlines()
        return done.returncode, done.stderr, [json.loads(line)["receipt_id"] for line in listed]

    imported.keys = keys
    return imported


def receipt(number, **changes):
    return signed_receipt(number, START + number, **changes)


def with_text(line, text):
    return line | {"receipt": text}


def changed(number, **changes):
    """The receipt is signed and changed afterwards."""
    before, line = receipt_document(number, START + number), receipt(number)
    signature = json.loads(line["receipt"])["signature"]
    return with_text(line, canonical(before | changes | {"signature": signature}).decode())


def other_log(number):
    return [{"type": "request.received", "body_hash": "sha256:" + "e" * 64}, {"type": "response.returned", "body_hash": "sha256:" + "2" * 64}]


WRONG = {
    "no signature": (lambda: with_text(receipt(3), canonical(receipt_document(3, START + 3) | {"signature": "0" * 128}).decode()), "is not signed by"),
    "another model": (lambda: changed(3, model="DeepSeek-R1-671B"), "is not signed by"),
    "other bodies": (lambda: changed(3, event_log=other_log(3)), "is not signed by"),
    "a key of somebody's own": (lambda: with_text(receipt(3), sign(receipt_document(3, START + 3), OTHER_KEY)), "is not signed by"),
    "a key of another role": (lambda: receipt(3, key_id="l"), "no key for receipts"),
    "no such key": (lambda: receipt(3, key_id="x"), "no key for receipts"),
    "a keyset that nobody has": (lambda: receipt(3, workload_keyset_digest="sha256:" + "e" * 64), "--keyset"),
    "written otherwise": (lambda: with_text(receipt(3), json.dumps(json.loads(receipt(3)["receipt"]), indent=1)), "canonical form"),
    "a legacy signature of other bodies": (lambda: receipt(2, event_log=other_log(2)), "other bodies"),
    "a legacy signature of nobody": (lambda: receipt(2) | {"legacy": receipt(2)["legacy"] | {"ecdsa": "3" * 130}}, "legacy: is not signed by"),
    "leaves of another stream": (lambda: receipt(4) | {"event_hashes": "AAAA" * 10 + "AAE="}, "not the leaves"),
    "leaves of no stream": (lambda: receipt(3) | {"event_hashes": "A" * 42 + "A="}, "not the leaves"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_nobody_signed_stops_the_import(run, name):
    make, complaint = WRONG[name]
    status, said, there = run([keyset_line(START), receipt(0), receipt(1), make(), receipt(5)])
    assert status == 1 and "in, line 4: " in said and complaint in said, said
    assert there == ["rcpt-00000000", "rcpt-00000001"], "those before it are in, and nothing of it"
    # Without that line all the others are imported.
    status, said, there = run([keyset_line(START), receipt(0), receipt(1), receipt(5)])
    assert status == 0 and said == "imported 1 receipts and 0 documents; 2 receipts and 1 documents were there already\n", said


@pytest.mark.parametrize("line", [keyset_line(START, keyset_of(OTHER_KEY)) | {"key": KEYSET_DIGEST}, keyset_line(START) | {"text": "{}"}])
def test_a_keyset_under_the_digest_of_another(run, line):
    """Such a line would make its maker's receipts those of the node, and would leave the node's own receipts without an owner."""
    status, said, there = run([keyset_line(START), receipt(0), line, with_text(receipt(3), sign(receipt_document(3, START + 3), OTHER_KEY))])
    assert status == 1 and "in, line 3: " in said and there == ["rcpt-00000000"], said
    assert run([receipt(1)])[0] == 0, "that of the store is as it was"


def test_a_keyset_that_is_not_in_the_export(run, tmp_path):
    """Earlier exports have no keyset. The caller names it in a file, and the import stores it, so that the next export has it."""
    status, said, there = run([receipt(0)])
    assert status == 1 and "line 1: " in said and KEYSET_DIGEST in said and there == []
    (tmp_path / "other").write_bytes(canonical(keyset_of(OTHER_KEY)))
    assert run([receipt(0)], "--keyset", tmp_path / "other")[0] == 1
    (tmp_path / "none").write_text("{}")
    assert run([receipt(0)], "--keyset", tmp_path / "none")[0] == 2
    (tmp_path / "keyset").write_bytes(canonical(KEYSET) + b"\n")
    assert run([receipt(0)], "--keyset", tmp_path / "other", "--keyset", tmp_path / "keyset") [0] == 0
    assert run([receipt(1)])[0] == 0
    exported = node.run("receipts", "export", "--plain", *run.keys).stdout.splitlines()
    assert [json.loads(line).get("kind") for line in exported] == ["keyset", None, None]


POLICY = policy_line(START, {"a": 1})
OTHER_KIND = document_line("other", KEYSET_DIGEST, START, "[1]")
DOCUMENTS = {"keyset": keyset_line(START), "policy": POLICY, "report.native": report_line(START), "other": OTHER_KIND,
             "report.aci": report_line(START) | {"kind": "report.aci", "text": json.dumps({"attestation": {"workload_keyset": KEYSET}})}}
NAMES_POLICY = [*receipt_document(1, START)["event_log"], {"type": "policy", "digest": POLICY["key"]}]


def stored_documents(run):
    exported = node.run("receipts", "export", "--plain", *run.keys)
    assert exported.returncode == 0, exported.stderr
    lines = [json.loads(line) for line in exported.stdout.splitlines()]
    return {line["kind"]: line for line in lines if line["form"] == "cloister.document.v1"}


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("text", ["{}", "", json.dumps({"keyset": keyset_of(OTHER_KEY)})])
def test_a_document_in_the_place_of_another(run, kind, text):
    """The report of a former keyset is the only proof of who owned the keyset."""
    assert run([*DOCUMENTS.values(), receipt(1, event_log=NAMES_POLICY)])[0] == 0
    status, said, there = run([receipt(3), DOCUMENTS[kind] | {"text": text, "made": START + 1}, receipt(5)])
    assert status == 1 and "in, line 2: " in said and there == ["rcpt-00000001", "rcpt-00000003"], said
    assert stored_documents(run) == DOCUMENTS
    # A report under another key is no evidence either.
    if kind != "other":
        assert run([DOCUMENTS[kind] | {"key": "sha256:" + "e" * 64}])[0] == 1


def test_a_report_beside_that_of_a_node(run):
    """Nodes renew their reports twice a day. So a second report does not stop the import, and the first one stays."""
    assert run([report_line(START), receipt(0)])[0] == 0
    status, said, there = run([report_line(START, quote="11"), receipt(1)])
    assert status == 0 and "line 1: another report.native of " + KEYSET_DIGEST in said and len(there) == 2, said
    assert stored_documents(run)["report.native"] == report_line(START)


def test_a_receipt_whose_legacy_signature_was_left_out(run):
    """Nothing shows that the line had a legacy signature. The genuine line is refused afterwards, and the signed receipt is there."""
    line = receipt(2)
    assert run([keyset_line(START), {name: line[name] for name in line if name != "legacy"}])[0] == 0
    status, said, there = run([line])
    assert status == 1 and "line 1: " in said and "another content" in said and there == ["rcpt-00000002"], said


@own_seed
def test_the_receipts_of_a_node_bring_their_keyset(start, tmp_path):
    running = start("--engine", "echo")
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x"}]}).encode()
    for stream in (False, True):
        sent = body[:-1] + b',"stream":%s}' % json.dumps(stream).encode()
        assert exchange(running, "POST", "/v1/chat/completions", sent).status == 200
    tee = ["--tee", "insecure-simulator", "--state", running.state]
    exported = node.run("receipts", "export", "--plain", "--store", running.state / "receipts.db", *tee)
    assert exported.returncode == 0 and exported.stderr.startswith("exported 2 receipts and "), exported.stderr
    lines = [json.loads(line) for line in exported.stdout.splitlines()]
    receipts = [line for line in lines if line["form"] == "cloister.receipt.v2"]
    keyset = next(line for line in lines if line.get("kind") == "keyset")
    assert keyset["key"] == digest(keyset["text"].encode()) == running.get_json("/v1/aci/attestation")["workload_keyset_digest"]
    (tmp_path / "key").write_text("5e" * 32)
    there = ["--store", tmp_path / "elsewhere.db", "--key-file", tmp_path / "key"]
    imported = node.run("receipts", "import", "-", *there, input=exported.stdout)
    assert imported.returncode == 0 and imported.stderr.startswith("imported 2 receipts and "), imported.stderr
    again = node.run("receipts", "import", "-", *there, input=exported.stdout)
    known = f"imported 0 receipts and 0 documents; 2 receipts and {len(lines) - 2} documents were there already\n"
    assert again.returncode == 0 and again.stderr == known, again.stderr
    listed = node.run("receipts", "export", "--plain", *there).stdout  # receipts of one second have no order
    assert sorted(listed.splitlines()) == sorted(exported.stdout.splitlines())
    # One byte of one receipt is changed.
    receipts[1]["receipt"] = receipts[1]["receipt"].replace('"model":"echo"', '"model":"ecHo"', 1)
    lines = "".join(json.dumps(line) + "\n" for line in [keyset, *receipts])
    refused = node.run("receipts", "import", "-", "--store", tmp_path / "third.db", "--key-file", tmp_path / "key", input=lines)
    assert refused.returncode == 1 and "standard input, line 3: receipt: is not signed by" in refused.stderr, refused.stderr


@own_seed
def test_a_later_export_of_the_same_node(tmp_path):
    """The node has renewed its reports, and no receipt is lost because of that."""
    there = ["--store", tmp_path / "elsewhere.db", "--key-file", tmp_path / "key"]
    (tmp_path / "key").write_text("5e" * 32)
    state, kinds, reports = tmp_path / "state", {"keyset", "policy", "report.aci", "report.native"}, []
    for before, name in enumerate(("first", "second")):
        running = node.Node(tmp_path / name, "--engine", "echo", state=state)
        try:
            body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": name}]}).encode()
            assert exchange(running, "POST", "/v1/chat/completions", body).status == 200
            assert all(exchange(running, "GET", path).status == 200 for path in ("/v1/cloister/attestation", "/v1/aci/attestation"))
        finally:
            assert running.stop() == 0
        exported = node.run("receipts", "export", "--plain", "--store", state / "receipts.db", "--tee", "insecure-simulator", "--state", state)
        lines = [json.loads(line) for line in exported.stdout.splitlines()]
        assert {line.get("kind") for line in lines} == kinds | {None}
        reports.append({line["key"]: line["text"] for line in lines if line.get("kind") == "report.native"})
        imported = node.run("receipts", "import", "-", *there, input=exported.stdout)
        assert imported.returncode == 0 and imported.stderr.splitlines()[-1].startswith("imported 1 receipts and "), imported.stderr
        assert imported.stderr.count(": another report.native of ") == before, imported.stderr
    assert reports[0].keys() == reports[1].keys() and reports[0] != reports[1]
    stored = [json.loads(line) for line in node.run("receipts", "export", "--plain", *there).stdout.splitlines()]
    assert {line["key"]: line["text"] for line in stored if line.get("kind") == "report.native"} == reports[0]
