"""The real model computes replies once more from an archive. The tests' own key signs the receipts here, and nothing proves that it belongs
to a TEE. So the whole verdict is undetermined (3); the tests check the part about the replay."""

import json
import secrets

import pytest

from support.archive import archive
from support.node import run
from support.rawhttp import exchange

PROMPT = {"messages": [{"role": "user", "content": "Name three colours of the sky."}]}
ROUTES = {
    "/v1/chat/completions": {**PROMPT, "max_tokens": 40},
    "/v1/completions": {"prompt": "The sky is", "max_tokens": 40},
    "/v1/messages": {**PROMPT, "max_tokens": 40},
    "/v1/responses": {"input": "Name three colours of the sky.", "max_output_tokens": 40},
}


@pytest.fixture(scope="module")
def node(folder, model_file):
    from support.fixtures import session_node

    yield from session_node(folder, "replayed", "--model", model_file, "--parallel", 2, "--context", 512, "--threads", 2)


@pytest.fixture(scope="module")
def identity(node):
    return node.get_json("/v1/models")["data"][0]["identity"]


def ask(node, path, **members):
    request = json.dumps({"model": node.model(), **ROUTES[path], **members}).encode()
    status, _, response = node.post(path, request)
    assert status == 200, response
    return request, response


def replay(tmp_path, text, model_file, *arguments):
    file = tmp_path / "archive.json"
    file.write_text(text)
    done = run("audit", "replay", file, "--model", model_file, "--json", *arguments, timeout=120)
    assert done.returncode in (0, 1, 3), done.stderr
    verdict = json.loads(done.stdout)
    return done.returncode, {check["id"]: check for check in verdict["checks"]}, verdict["facts"].get("replay")


def states(checks):
    return {name: checks[name]["state"] for name in checks if name.startswith("replay.")}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("members", [{"temperature": 0}, {"temperature": 1, "seed": 7, "stream": True}, {"seed": 8}])
def test_what_the_model_said_it_says_again(node, identity, model_file, tmp_path, path, members):
    request, response = ask(node, path, **members)
    status, checks, facts = replay(tmp_path, archive(path, request, response, identity), model_file)
    assert states(checks) == {name: "pass" for name in ("replay.request", "replay.model", "replay.text", "replay.finish")} | {
        "replay.tokens": checks["replay.tokens"]["state"]
    }
    # A stream gives its counts only when the request asks for them.
    assert checks["replay.tokens"]["state"] == ("skipped" if members.get("stream") and "completions" in path else "pass")
    assert facts["reproduced"] is True and facts["tokens"] > 5
    assert status == 3, "nobody vouches for the key of this receipt"
    assert checks["receipt.signature"]["state"] == "pass" and checks["receipt.keyset_attested"]["state"] == "skipped"


def test_the_seed_in_the_receipt_stands_for_one_that_was_not_asked_for(node, identity, model_file, tmp_path):
    request, response = ask(node, "/v1/completions", seed=1234, temperature=1)
    unseeded = json.dumps({name: value for name, value in json.loads(request).items() if name != "seed"}).encode()
    text = archive("/v1/completions", unseeded, response, identity, sampling={"seed": 1234})
    assert states(replay(tmp_path, text, model_file)[1])["replay.text"] == "pass"
    text = archive("/v1/completions", unseeded, response, identity, sampling={"seed": 1235})
    status, checks, _ = replay(tmp_path, text, model_file)
    assert checks["replay.text"]["state"] == "fail" and status == 1
    text = archive("/v1/completions", unseeded, response, identity)
    status, checks, facts = replay(tmp_path, text, model_file)
    assert status == 3 and checks["replay.request"]["state"] == "skipped" and "seed" in checks["replay.request"]["detail"] and facts is None


def test_what_it_did_not_say_differs_at_a_token(node, identity, model_file, tmp_path):
    request, response = ask(node, "/v1/chat/completions", temperature=0)
    reply = json.loads(response)
    said = reply["choices"][0]["message"]["content"]
    for put, at_most in ((said + " And green.", 60), ("Purple" + said, 2)):
        reply["choices"][0]["message"]["content"] = put
        status, checks, facts = replay(tmp_path, archive("/v1/chat/completions", request, json.dumps(reply).encode(), identity), model_file)
        assert status == 1 and checks["replay.text"]["state"] == "fail", put
        assert facts["reproduced"] is False and 0 <= facts["differs_at_token"] <= at_most
    reply["choices"][0]["message"]["content"] = said
    reply["choices"][0]["finish_reason"] = "tool_calls"
    reply["usage"]["completion_tokens"] += 1
    _, checks, _ = replay(tmp_path, archive("/v1/chat/completions", request, json.dumps(reply).encode(), identity), model_file)
    assert states(checks) | {"replay.text": "pass", "replay.finish": "fail", "replay.tokens": "fail"} == states(checks)


def test_another_model_is_no_model_to_ask(node, identity, model_file, tmp_path):
    request, response = ask(node, "/v1/completions", temperature=0)
    text = archive("/v1/completions", request, response, identity)
    template = tmp_path / "template.jinja"
    template.write_text("{{ messages[0].content }}")
    status, checks, facts = replay(tmp_path, text, model_file, "--chat-template", template)
    assert status == 3 and facts is None and "model.chat_template" in checks["replay.model"]["detail"]
    altered = tmp_path / model_file.name
    data = bytearray(model_file.read_bytes())
    data[-5] ^= 1
    altered.write_bytes(data)
    status, checks, facts = replay(tmp_path, text, altered)
    assert status == 3 and facts is None and "model.weights" in checks["replay.model"]["detail"]
    # The receipt does not name this identity.
    status, checks, _ = replay(tmp_path, archive("/v1/completions", request, response, identity, model_manifest=json.dumps({**identity, "id": "x"})), model_file)
    assert status == 3 and checks["replay.request"]["state"] == "skipped"


def test_other_threads_are_allowed_and_said(node, identity, model_file, tmp_path):
    request, response = ask(node, "/v1/completions", temperature=0)
    _, checks, facts = replay(tmp_path, archive("/v1/completions", request, response, identity), model_file, "--threads", 1)
    assert checks["replay.model"]["state"] == "pass" and "1 threads instead of 2" in checks["replay.model"]["detail"]
    assert facts is not None


def test_a_changed_archive_is_not_replayed(node, identity, model_file, tmp_path):
    request, response = ask(node, "/v1/completions", temperature=0)
    document = json.loads(archive("/v1/completions", request, response, identity))
    import base64

    document["request"] = base64.b64encode(request + b" ").decode()
    status, checks, facts = replay(tmp_path, json.dumps(document, separators=(",", ":")), model_file)
    assert status == 1 and checks["receipt.request_hash"]["state"] == "fail" and facts is None
    del document["request"]
    status, checks, _ = replay(tmp_path, json.dumps(document, separators=(",", ":")), model_file)
    assert status == 3 and checks["replay.request"]["state"] == "skipped"


def test_words_and_statuses(node, identity, model_file, tmp_path):
    request, response = ask(node, "/v1/completions", temperature=0)
    file = tmp_path / "archive.json"
    file.write_text(archive("/v1/completions", request, response, identity))
    done = run("audit", "replay", file, "--model", model_file, timeout=120)
    assert done.stdout.startswith("reproduced: ") and done.returncode == 3
    done = run("verify", "archive", file)
    assert done.returncode == 3 and "[pass] receipt.signature" in done.stdout
    for bad in ("{}", "", '{"archive":"cloister.archive.v1"}'):
        file.write_text(bad)
        assert run("audit", "replay", file, "--model", model_file).returncode == 2
        assert run("verify", "archive", file).returncode == 2
    file.write_text(archive("/v1/completions", request, response, identity))
    assert run("audit", "replay", file, "--model", tmp_path / "missing.gguf").returncode == 2


def test_an_archive_made_of_files_is_judged_alone(node, identity, tmp_path):
    """The test goes from verify receipt --archive to a replay and back."""
    request, response = ask(node, "/v1/completions", temperature=0)
    made = json.loads(archive("/v1/completions", request, response, identity))
    for name in ("receipt", "keyset"):
        (tmp_path / name).write_text(made[name])
    (tmp_path / "request").write_bytes(request)
    (tmp_path / "response").write_bytes(response)
    out = tmp_path / "archive.json"
    arguments = ["verify", "receipt", tmp_path / "receipt", "--keyset", tmp_path / "keyset", "--request", tmp_path / "request"]
    arguments += ["--response", tmp_path / "response", "--offline", "--archive", out]
    done = run(*arguments, "--json")
    assert done.returncode == 3, done.stdout + done.stderr
    alone = run("verify", "archive", out, "--json")
    assert alone.returncode == 3
    ids = lambda text: [(check["id"], check["state"]) for check in json.loads(text)["checks"] if check["id"] != "file.time"]
    assert ids(alone.stdout) == ids(done.stdout)
    assert out.stat().st_mode & 0o777 == 0o600, "it holds the prompt"
    out.unlink()
    (tmp_path / "response").write_bytes(response + b" ")
    done = run(*arguments)
    assert done.returncode == 1 and not out.exists() and "no archive is made" in done.stderr


def test_from_the_reply_to_the_replay(node, model_file, tmp_path):
    """The test works as an auditor would. It takes reply, receipt and report from the node and makes an archive of them. The node is then
    gone, and the model is asked again."""
    request = json.dumps({"model": node.model(), **ROUTES["/v1/chat/completions"], "temperature": 0.8, "stream": True}).encode()
    reply = exchange(node, "POST", "/v1/chat/completions", request)
    nonce = secrets.token_hex(32)
    files = {
        "receipt": exchange(node, "GET", f"/v1/aci/receipts/{reply.header('x-receipt-id')}").body,
        "report": exchange(node, "GET", f"/v1/cloister/attestation?nonce={nonce}").body,
        "request": request,
        "response": reply.body,
    }
    paths = {name: tmp_path / name for name in files}
    for name, data in files.items():
        paths[name].write_bytes(data)
    kept = tmp_path / "kept.archive"
    made = run("verify", "receipt", paths["receipt"], "--report", paths["report"], "--nonce", nonce, "--request", paths["request"],
               "--response", paths["response"], "--accept-simulator", "--archive", kept)
    assert made.returncode == 0, made.stdout + made.stderr
    # The auditor was present, so time and nonce are the auditor's own and not those of the file.
    own_words = ["--nonce", nonce, "--at", json.loads(kept.read_text())["judged_at"]]
    assert run("verify", "archive", kept, "--accept-simulator", *own_words).returncode == 0
    done = run("audit", "replay", kept, "--model", model_file, "--accept-simulator", *own_words, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("reproduced: "), done.stdout + done.stderr
    # The engine chose the seed at random, because the request named none.
    assert "seed" not in json.loads(request) and b'"seed":' in files["receipt"]
