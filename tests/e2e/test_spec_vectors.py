"""The public vectors (docs/spec/vectors) are what their script writes, the program gives each of them the stated verdict, and the
implementation that made them verifies a reply of a real node. src/evidence/spec_vectors_test.cc compares their bytes."""

import base64
import json
import secrets
import subprocess
import sys
import time

import pytest

from support import spec
from support.agent import Agent, ask
from support.evidence import Quote
from support.node import run
from support.rawhttp import exchange

pytestmark = pytest.mark.fast

CHAT = "/v1/chat/completions"


def cases(name):
    """Returns (case, whether it is accepted) for each case of a file."""
    file = spec.vectors(name)
    listed = [(case, True) for case in file["accepted"]] + [(case, False) for case in file["refused"]]
    return [pytest.param(file, case, accepted, id=f"{'accepted' if accepted else 'refused'}: {case['name']}") for case, accepted in listed]


def text_of(case, base):
    if "replace" not in case:
        return case.get("text", base)
    old, new = case["replace"]
    assert base.count(old) == 1
    return base.replace(old, new)


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def judge(tmp_path, command, document, *arguments):
    """Returns the state of each check, or None where the program cannot read the document and gives no verdict."""
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    result = run("verify", command, path, "--accept-simulator", "--offline", "--json", *arguments)
    if result.returncode == 2:
        return None
    assert result.returncode in (0, 1, 3), result.stderr
    return {check["id"]: check["state"] for check in json.loads(result.stdout)["checks"]}


def failing(states):
    return {name for name, state in states.items() if state == "fail"}


def archive(file, receipt, request, response, **more):
    """Returns an archive without a report: nobody can make a genuine quote for the keys of a vector."""
    body = lambda text: base64.b64encode(text.encode()).decode()
    return {"archive": "cloister.archive.v1", "judged_at": at(file["at"]), "receipt": receipt, "keyset": file["keyset"],
            "request": body(request), "response": body(response), **more}


@pytest.mark.no_tee
def test_the_files_are_what_the_script_writes(tmp_path):
    done = subprocess.run([sys.executable, str(spec.VECTORS / "make.py"), "--check"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr
    made = {path.stem.replace("_", "-") for path in (spec.VECTORS / "cases").glob("*.py")} - {"--init--"}
    assert {path.stem for path in spec.VECTORS.glob("*.json")} == made


@pytest.mark.no_tee
def test_no_reader_of_the_pages_misses_the_vectors():
    for name in ("canonical-json", "native-report", "receipt", "model-identity"):
        assert "(vectors/README.md)" in (spec.VECTORS.parent / f"{name}.md").read_text(), name
    page = (spec.VECTORS / "README.md").read_text()
    assert all(f"| `{path.name}` |" in page for path in spec.VECTORS.glob("*.json"))


@pytest.mark.no_tee
@pytest.mark.parametrize("file, case, accepted", cases("receipt.json"))
def test_receipts(tmp_path, file, case, accepted):
    first = file["accepted"][0]
    bodies = (case.get(name, first[name]) for name in ("request", "response"))
    document = archive(file, text_of(case, first["text"]), *bodies) | {"keyset": case.get("keyset", file["keyset"])}
    states = judge(tmp_path, "archive", document)
    if not accepted:
        assert states is None and case["check"] == "receipt.form" or failing(states) == {case["check"]}
        return
    passed = {name for name, state in states.items() if state == "pass"}
    assert not failing(states) and passed >= {"receipt.form", "receipt.events", "receipt.keyset", "receipt.key", "receipt.signature",
                                              "receipt.served_at", "receipt.request_hash", "receipt.response_hash"}, states


@pytest.mark.no_tee
@pytest.mark.parametrize("file, case, accepted", cases("prefix-proof.json"))
def test_prefix_proofs(tmp_path, file, case, accepted):
    proofs = {each["name"]: each for each in file["accepted"]}
    of = case if accepted else proofs[case["of"]]
    beginning = case.get("beginning", "".join(file["events"][: case.get("events", of["events"])]))
    document = archive(file, file["receipt"], file["request"], beginning, prefix_proof=text_of(case, of["text"]))
    states = judge(tmp_path, "archive", document, "--beginning")
    assert states["receipt.prefix"] == ("pass" if accepted else "fail") and failing(states) <= {"receipt.prefix"}, states


@pytest.mark.no_tee
@pytest.mark.parametrize("file, case, accepted", cases("keyset.json"))
def test_keysets(tmp_path, file, case, accepted):
    """Only a document that names a keyset is verified. Here it is a receipt, whose keyset may be another one."""
    receipts = spec.vectors("receipt.json")
    first = receipts["accepted"][0]
    document = archive(receipts, first["text"], first["request"], first["response"]) | {"keyset": text_of(case, file["accepted"][0]["text"])}
    states = judge(tmp_path, "archive", document)
    checks = {"keyset.digest", "keyset.roles", "keyset.not_after"}
    if accepted:
        assert {states[name] for name in checks} == {"pass"}, states
    else:
        # A keyset that cannot be read fails as one whose digest is unknown.
        assert failing(states) & checks == {case["check"].replace("keyset.form", "keyset.digest")}, states


@pytest.fixture(scope="module")
def quote():
    """quote(report_data) returns a quote of the simulated platform."""
    agent = Agent()
    yield lambda report_data: json.loads(ask(agent.socket, "/GetQuote", json.dumps({"report_data": report_data}).encode())[1])["quote"]
    agent.close()


@pytest.mark.no_tee
@pytest.mark.parametrize("file, case, accepted", cases("statement.json"))
def test_statements(tmp_path, file, case, accepted, quote):
    """The simulated platform quotes the report data of the vector, so that the program gives a verdict on the binding."""
    first = file["accepted"][0]
    report = case["report"] if accepted else first["report"] | case["set"]
    states = judge(tmp_path, "report", report | {"quote": quote(case["report_data"])}, "--nonce", first["nonce"])
    if accepted:
        checks = ("report.form", "report.nonce", "report_data.identity", "report_data.padding", "keyset.digest", "keyset.roles",
                  "report.gpu_evidence_digest")
        assert {states[name] for name in checks} == {"pass"}, states
        assert "fail" not in {states["report.model_digest"], states["report.policy_digest"]}, states
    else:
        assert states[case["check"]] == "fail", states


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_of_a_real_node(attested, stream):
    """Report, receipt, events and a proof of a beginning, with nothing but the documents that the node served."""
    nonce = secrets.token_bytes(32)
    report = exchange(attested, "GET", f"/v1/cloister/attestation?nonce={nonce.hex()}").body
    quoted = Quote(bytes.fromhex(spec.read_json(report)["quote"])).report_data
    spec.check_report(report, quoted, nonce)
    keyset = spec.read_keyset(spec.read_json(report)["keyset"])
    spec.check_keyset(keyset, time.time())

    request = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "Grüße 世界 🌍 " * 9}], "stream": stream}, ensure_ascii=False).encode()
    reply = exchange(attested, "POST", CHAT, request)
    receipt = spec.read_receipt(exchange(attested, "GET", f"/v1/aci/receipts/{reply.header('x-receipt-id')}").body)
    spec.check_receipt(receipt, keyset, time.time(), request, reply.body)
    with pytest.raises(spec.Refused, match="receipt.response_hash"):
        spec.check_receipt(receipt, keyset, time.time(), request, reply.body[:-1])
    served = spec.event(receipt, "model.served")["model_digest"]
    assert served == spec.model_digest(spec.read_model(spec.read_json(report)["model"]))
    if not stream:
        return
    secret = reply.header("x-receipt-secret")
    found, rest = spec.split_events(reply.body)
    assert len(found) > 17 and rest == b"" and spec.event(receipt, "response.events") == spec.response_events(found, bytes.fromhex(secret))
    for count in (1, 16, 17, len(found)):
        path = f"/v1/cloister/prefix/{receipt['receipt_id']}?events={count}"
        proof = spec.read_prefix_proof(exchange(attested, "GET", path, None, [("X-Receipt-Secret", secret)]).body)
        spec.check_prefix(receipt, proof, b"".join(found[:count]))
        with pytest.raises(spec.Refused, match="receipt.prefix"):
            spec.check_prefix(receipt, proof, b"".join(found[:count])[:-1])
