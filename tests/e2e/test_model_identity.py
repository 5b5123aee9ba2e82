"""The identity of a model (docs/spec/model-identity.md) is hashed by hand, measured and published, and the node closes when the model
changes."""

import json
import os
import shutil

import pytest

from support.agent import Agent
from support.node import DSTACK, run, wait_until
from support.spec import chat_template, digest, file_digest, model_digest as digest_of, read_model, tokenizer_digest, weights_digest

SMALL = ("--parallel", 1, "--context", 256, "--threads", 2)


def root_of(path):
    return file_digest(path.read_bytes())


def identity_of(node, model=None):
    """Returns the document and the digest that /v1/models shows. The digest must be that of the document."""
    found = node.get_json(f"/v1/models/{model}") if model else node.get_json("/v1/models")["data"][0]
    assert found["model_digest"] == digest_of(read_model(found["identity"]))
    return found["identity"], found["model_digest"]


def measured(node):
    """Returns the payloads of the `cloister-model` events that a report shows."""
    log = node.get_json("/v1/attestation/report")["event_log"]
    events = json.loads(log) if isinstance(log, str) else log
    return ["sha256:" + event["event_payload"] for event in events if event["event"] == "cloister-model"]


def manifest(*arguments):
    done = run("models", "manifest", *arguments)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert done.stderr.strip() == "model_digest " + digest_of(read_model(document))
    return document


def different(before, after):
    """Returns the members that differ and, for settings, their names."""
    names = {name for name in before if name != "settings" and before[name] != after[name]}
    return names | {name for name in before["settings"] if before["settings"][name] != after["settings"].get(name)}


@pytest.mark.fast
def test_the_echo_engine_has_an_identity_and_no_weights(echo):
    identity, model_digest = identity_of(echo)
    assert identity["schema"] == "cloister.model.v1" and identity["engine"]["name"] == "echo" and identity["weights"] is None
    if not DSTACK:
        assert measured(echo) == [model_digest]


@pytest.mark.fast
def test_a_restart_repeats_no_event_and_another_model_adds_one(start):
    agent = Agent()
    try:
        arguments = ("--engine", "echo", "--tee", "dstack", "--tee-socket", agent.socket)
        seen = []
        for model in ("first", "first", "second", "first"):
            node = start(*arguments, "--model-id", model, simulated=False)
            seen.append((identity_of(node)[1], measured(node)))
            node.stop()
        first, second = seen[0][0], seen[2][0]
        assert [events for _, events in seen] == [[first], [first], [first, second], [first, second, first]]
    finally:
        agent.close()


@pytest.mark.fast
def test_of_an_upstream_it_says_who_says_what(start, tmp_path):
    files = tmp_path / "weights"
    files.mkdir()
    (files / "model.safetensors").write_bytes(bytes(range(256)) * 5000)
    (files / "config.json").write_text("{}")
    upstream = start("--engine", "echo")
    node = start("--upstream", upstream.url, "--upstream-model-files", files)
    identity, model_digest = identity_of(node, "echo")
    assert [(file["name"], file["size"]) for file in identity["weights"]["files"]] == [("config.json", 2), ("model.safetensors", 1280000)]
    digests = [root_of(files / file["name"]) for file in identity["weights"]["files"]]
    assert [file["digest"] for file in identity["weights"]["files"]] == ["sha256:" + one.hex() for one in digests]
    assert identity["weights"]["digest"] == "sha256:" + weights_digest(digests).hex() and identity["weights"]["memory"] == "paged"
    assert {name: claim["source"] for name, claim in identity["claims"].items()} == {
        "model_id": "provider_asserted",
        "serving_software": "verifier_derived" if not DSTACK else identity["claims"]["serving_software"]["source"],
        "weights": "operator_asserted",
    }
    assert model_digest in measured(node)
    (files / "config.json").write_text("{ }")
    wait_until(lambda: node.get("/health")[0] == 503, 20, "the node takes no more prompts")
    assert "config.json" in node.log and "size" in node.log


@pytest.mark.fast
@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--engine", "echo", "--upstream-model-files", "/tmp"], "needs --upstream"),
        (["--upstream", "http://127.0.0.1:9", "--upstream-model-files", "/nowhere/at/all"], "no such file"),
    ],
)
def test_files_that_are_not_there_are_an_error(arguments, words, tmp_path):
    done = run("serve", "--listen", "127.0.0.1:0", "--state", tmp_path, "--tee", "none", *arguments)
    assert done.returncode != 0 and words in done.stderr


def test_what_is_served_is_what_the_manifest_says(start, model_file):
    node = start("--model", model_file, *SMALL, "--share-prompt-cache")
    served, model_digest = identity_of(node)
    published = manifest(model_file, *SMALL, "--share-prompt-cache")
    # Where the machine lets no process lock this much memory, only this member differs.
    published["weights"]["memory"] = served["weights"]["memory"]
    assert served == published
    (file,) = served["weights"]["files"]
    root = root_of(model_file)
    assert file == {"name": model_file.name, "size": model_file.stat().st_size, "digest": "sha256:" + root.hex()}
    assert served["weights"]["digest"] == "sha256:" + weights_digest([root]).hex()
    assert served["tokenizer_digest"] == tokenizer_digest(model_file.read_bytes())
    assert served["chat_template_digest"] == digest(chat_template(model_file.read_bytes()))
    assert (served["context_length"], served["settings"]["parallel"], served["settings"]["threads"]) == (256, 1, 2)
    if not DSTACK:
        assert measured(node) == [model_digest]
    assert node.get_json("/health")["status"] == "ok"


def test_each_change_is_another_digest_and_has_its_own_member(model_file, tmp_path):
    before = manifest(model_file, *SMALL)
    altered = tmp_path / model_file.name
    shutil.copyfile(model_file, altered)
    with open(altered, "r+b") as file:
        file.seek(-5, os.SEEK_END)
        byte = file.read(1)
        file.seek(-5, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    template = tmp_path / "template.jinja"
    template.write_text("{% for message in messages %}{{ message.content }}{% endfor %}")
    link = tmp_path / "renamed.gguf"
    link.symlink_to(model_file)
    assert different(before, manifest(altered, *SMALL)) == {"weights"}
    assert different(before, manifest(model_file, *SMALL, "--chat-template", template)) == {"chat_template_digest"}
    with_template = manifest(model_file, *SMALL, "--chat-template", template)
    assert with_template["chat_template_digest"] == digest(template.read_bytes())
    assert different(before, manifest(model_file, "--parallel", 1, "--context", 512, "--threads", 2)) == {"context_length"}
    assert different(before, manifest(model_file, "--parallel", 2, "--context", 256, "--threads", 2)) == {"parallel"}
    assert different(before, manifest(model_file, "--parallel", 1, "--context", 256, "--threads", 1)) == {"threads", "batch_threads"}
    assert different(before, manifest(model_file, *SMALL, "--share-prompt-cache")) == {"share_prompt_cache", "prompt_cache_mib"}
    assert different(before, manifest(model_file, *SMALL, "--model-id", "other")) == {"id"}
    renamed = manifest(link, *SMALL)
    assert different(before, renamed) == {"id", "weights"} and renamed["weights"]["digest"] == before["weights"]["digest"]


def test_a_template_in_the_place_of_the_models_own_is_used(start, model_file, tmp_path):
    template = tmp_path / "template.jinja"
    template.write_text("{% for message in messages %}{{ message.content }}{% endfor %}")
    node = start("--model", model_file, *SMALL, "--chat-template", template)
    identity, _ = identity_of(node)
    assert identity["chat_template_digest"] == digest(template.read_bytes())
    body = {"model": node.model(), "messages": [{"role": "user", "content": "Hello"}]}
    _, _, bare = node.post("/v1/tokenize", {"model": node.model(), "prompt": "Hello"})
    _, _, chat = node.post("/v1/tokenize", body)
    assert json.loads(chat)["tokens"] == json.loads(bare)["tokens"]


def test_a_template_that_cannot_be_read_is_an_error(model_file, tmp_path):
    template = tmp_path / "template.jinja"
    template.write_text("{% for message in messages %}")
    done = run("serve", "--model", model_file, "--listen", "127.0.0.1:0", "--state", tmp_path, "--tee", "none", "--chat-template", template)
    assert done.returncode == 2 and "--chat-template" in done.stderr
    template.write_text("")
    done = run("models", "manifest", model_file, "--chat-template", template)
    assert done.returncode == 2 and "empty" in done.stderr


@pytest.mark.parametrize("change", ["written", "truncated", "replaced"])
def test_a_file_that_changes_after_it_was_measured_closes_the_node(start, model_file, tmp_path, change):
    copy = tmp_path / "copy.gguf"
    shutil.copyfile(model_file, copy)
    # The file is not locked, and its mapping does not cover the part that is cut off. A truncated mapping would end the process.
    node = start("--model", copy, *SMALL)
    assert identity_of(node)
    if change == "written":
        with open(copy, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"x")
    elif change == "truncated":
        os.truncate(copy, copy.stat().st_size - 1)
    else:
        other = tmp_path / "other.gguf"
        shutil.copyfile(model_file, other)
        os.replace(other, copy)
    wait_until(lambda: node.get("/health")[0] == 503, 20, "the node takes no more prompts")
    status, _, body = node.get("/health")
    health = json.loads(body)
    assert health["status"] == "failed" and "copy.gguf" in health["reason"] and str(tmp_path) not in health["reason"]
    status, _, body = node.post("/v1/chat/completions", {"model": "copy", "messages": [{"role": "user", "content": "Hello"}]})
    assert status == 500 and "changed" in json.loads(body)["error"]["message"]
    assert "identity" not in node.get_json("/v1/models")["data"][0]
    assert "closed for prompts" in node.log and node.alive()
    assert node.stop() == 0


def test_a_reply_that_runs_while_the_file_changes_ends_with_an_error(start, model_file, tmp_path):
    copy = tmp_path / "copy.gguf"
    shutil.copyfile(model_file, copy)
    node = start("--model", copy, "--parallel", 1, "--context", 8192, "--threads", 1)
    from support.rawhttp import Connection, head

    body = json.dumps({"model": "copy", "prompt": "One two three", "max_tokens": 8000, "stream": True, "ignore_eos": True, "seed": 1}).encode()
    with Connection(node) as connection:
        connection.send(head(node, "POST", "/v1/completions", body) + body)
        while connection.pending.count(b"data: ") < 3:
            assert connection._more()
        os.utime(copy)
        reply = connection.reply()
    assert b"error" in reply.body and b"changed" in reply.body and b'"finish_reason":"stop"' not in reply.body


def test_a_part_of_a_model_that_is_missing_is_named(model_file, tmp_path):
    """The header states the number of parts of the model. This header states three, and there is one."""
    import struct

    def text(value):
        return struct.pack("<Q", len(value)) + value

    first = tmp_path / "m-00001-of-00003.gguf"
    first.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(b"split.count") + struct.pack("<IH", 2, 3) + bytes(32))
    done = run("models", "manifest", first)
    assert done.returncode == 2 and "m-00002-of-00003.gguf" in done.stderr and "no such file" in done.stderr
    other = tmp_path / "model.gguf"
    other.write_bytes(first.read_bytes())
    done = run("models", "manifest", other)
    assert done.returncode == 2 and "one of 3 parts" in done.stderr


def native_report(node, path):
    nonce = "5a" * 32
    status, _, body = node.get(f"/v1/cloister/attestation?nonce={nonce}")
    assert status == 200
    path.write_bytes(body)
    return nonce


def test_a_verifier_with_the_old_manifest_names_what_changed(start, model_file, tmp_path):
    published = tmp_path / "manifest.json"
    done = run("models", "manifest", model_file, *SMALL, "--share-prompt-cache", "--lock-model", "off", "--out", published)
    assert done.returncode == 0, done.stderr
    altered = tmp_path / model_file.name
    shutil.copyfile(model_file, altered)
    with open(altered, "r+b") as file:
        file.seek(-5, os.SEEK_END)
        file.write(b"\x5a")
    template = tmp_path / "template.jinja"
    template.write_text("{% for message in messages %}{{ message.content }}{% endfor %}")
    cases = [
        (("--model", model_file, *SMALL), set()),
        (("--model", altered, *SMALL), {"model.weights"}),
        (("--model", model_file, *SMALL, "--chat-template", template), {"model.chat_template"}),
        (("--model", model_file, "--parallel", 1, "--context", 512, "--threads", 2), {"model.context"}),
        (("--model", model_file, "--parallel", 2, "--context", 256, "--threads", 2), {"model.settings"}),
    ]
    for arguments, failing in cases:
        node = start(*arguments)
        report = tmp_path / "report.json"
        nonce = native_report(node, report)
        done = run("verify", "report", report, "--nonce", nonce, "--accept-simulator", "--offline", "--json", "--model-manifest", published)
        verdict = json.loads(done.stdout)
        assert {check["id"] for check in verdict["checks"] if check["state"] == "fail"} == failing, arguments
        assert done.returncode == (1 if failing else 0)
        node.stop()
