"""Wrong replies that are served and signed. An engine that computes wrongly, from its start or later, must give no reply to a user."""

import contextlib
import json
import re
import shutil

import pytest

from support import gguf
from support.known_answers import AnsweringServer, document
from support.node import run, wait_until

SETTINGS = ("--parallel", 8, "--context", 1024)
QUESTION = {"messages": [{"role": "user", "content": "What is the capital of France?"}], "max_tokens": 8, "temperature": 0}
REFUSED = (500, 502, 503)


def ask(node, **members):
    status, _, body = node.post("/v1/chat/completions", {**QUESTION, "model": node.tested_model, **members})
    return status, json.loads(body) if body else {}


def gives_no_reply(node, condition, what):
    """Asks again and again until the condition holds. No reply may come before that or after it."""

    def refused():
        if node.process.poll() is None:
            with contextlib.suppress(OSError):
                assert ask(node)[0] in REFUSED
        return condition()

    wait_until(refused, 60, what)
    if node.process.poll() is None:
        assert ask(node)[0] in REFUSED


def has_ended(node):
    return node.process.poll() is not None


def state_of(node):
    (state,) = json.loads(node.get("/health")[2])["known_answers"]
    return state


def write(path, answers):
    path.write_text(json.dumps(answers))
    return path


@pytest.fixture(scope="module")
def recorded(model_file, tmp_path_factory):
    """Returns (file, document) of the real model."""
    path = tmp_path_factory.mktemp("answers") / "answers.json"
    done = run("models", "manifest", model_file, *SETTINGS, "--known-answers", path)
    assert done.returncode == 0, done.stderr
    found = re.search(r"known_answers sha256:[0-9a-f]{64} cases=4 tokens=(\d+) deviation=(0\.\d{6}) tolerance=0\.050000", done.stderr)
    assert found and int(found[1]) >= 20 and float(found[2]) <= 0.025, done.stderr   # half of the tolerance
    return path, json.loads(path.read_text())


@pytest.fixture
def serve(start):
    def serve_model(model, *arguments, **options):
        node = start("--model", model, *SETTINGS, *arguments, **options)
        node.tested_model = model.name.removesuffix(".gguf")
        return node

    return serve_model


def damaged(model_file, folder, damage):
    path = folder / model_file.name
    shutil.copyfile(model_file, path)
    data = bytearray(path.read_bytes())
    damage(data, gguf.tensors(data))
    path.write_bytes(data)
    return path


def of_these_weights(answers, model, folder):
    """The answers are the same and claim to belong to the damaged weights, so the digest of the weights does not reveal the damage."""
    done = run("models", "manifest", model, *SETTINGS)
    assert done.returncode == 0, done.stderr
    answers = json.loads(json.dumps(answers))
    answers["model"]["weights_digest"] = json.loads(done.stdout)["weights"]["digest"]
    return write(folder / "of-these-weights.json", answers)


def scaled(name, share, factor):
    """Damages the first `share` of the blocks of one tensor."""

    def damage(data, tensors):
        tensor = tensors[name]
        gguf.scale_blocks(data, tensor, 0, int(tensor.size // gguf.Q4_1_BYTES * share), factor)

    return damage


def coarser(mask):
    def damage(data, tensors):
        for tensor in tensors.values():
            if tensor.kind == gguf.Q4_1:
                gguf.coarsen(data, tensor, mask)

    return damage


# docs/guide/engines.md says that these damages are found.
DAMAGES = {
    "a quarter of the blocks of a matrix are zero": scaled("blk.0.ffn_down.weight", 0.25, 0.0),
    "a matrix of the middle is zero": scaled("blk.15.attn_output.weight", 1, 0.0),
    "the signs of a matrix are turned": scaled("blk.29.ffn_down.weight", 1, -1.0),
    "another, coarser quantisation": coarser(0xEE),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_changed_weights_give_no_reply(serve, model_file, recorded, tmp_path, name):
    model = damaged(model_file, tmp_path, DAMAGES[name])
    answers = of_these_weights(recorded[1], model, tmp_path)
    node = serve(model, "--known-answers", answers, wait=False)
    gives_no_reply(node, lambda: has_ended(node), "the node ends")
    assert node.process.returncode != 0 and "the known-answer test failed: " in node.log, node.log
    assert "France" not in node.log and "lighthouse" not in node.log


def test_another_template_gives_no_reply(serve, model_file, recorded, tmp_path):
    template = tmp_path / "template.jinja"
    template.write_text("{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:")
    node = serve(model_file, "--known-answers", recorded[0], "--chat-template", template, wait=False)
    gives_no_reply(node, lambda: has_ended(node), "the node ends")
    assert node.process.returncode != 0 and "recorded with another chat template" in node.log, node.log


def test_other_weights_than_those_of_the_answers_are_named(model_file, recorded, tmp_path):
    answers = json.loads(json.dumps(recorded[1]))
    measured, answers["model"]["weights_digest"] = answers["model"]["weights_digest"], "sha256:" + "07" * 32
    path = write(tmp_path / "answers.json", answers)
    done = run("serve", "--model", model_file, *SETTINGS, "--listen", "127.0.0.1:0", "--state", tmp_path, "--tee", "none", "--known-answers", path)
    assert done.returncode != 0 and measured in done.stderr and "sha256:" + "07" * 32 in done.stderr, done.stderr


def test_answers_beside_the_model_are_used(serve, model_file, recorded, tmp_path):
    model = tmp_path / "model.gguf"
    model.symlink_to(model_file)
    shutil.copyfile(recorded[0], tmp_path / "model.gguf.answers.json")
    node = serve(model)
    assert state_of(node)["state"] == "passed"
    assert "known_answers" not in json.loads(serve(model, "--known-answers", "none").get("/health")[2])


@pytest.mark.parametrize("threads", [1, 3])
def test_a_good_model_passes_with_other_threads(serve, model_file, recorded, threads):
    node = serve(model_file, "--known-answers", recorded[0], "--threads", threads)
    first = state_of(node)
    assert (first["state"], first["failures"]) == ("passed", 0) and float(first["deviation"]) < 0.02
    assert node.metric("cloister_known_answers_failures_total", model=node.tested_model) == 0
    assert node.metric("cloister_known_answers_passed_timestamp_seconds", model=node.tested_model) > 1.7e9


# ---- servers behind --upstream -----------------------------------------------------------------------------------------------


@pytest.fixture
def answers_file(tmp_path):
    return write(tmp_path / "answers.json", document("m"))


def random_tokens(reply, _):
    content = reply["choices"][0]["logprobs"]["content"] if "logprobs" in reply["choices"][0] else []
    for i, position in enumerate(content):
        position["token"] = position["top_logprobs"][0]["token"] = f" r{i}"
    reply["choices"][0]["message"]["content"] = "".join(f" r{i}" for i in range(len(content) or 8))
    return reply


def flat(reply, _):
    """The words are right, but they come from another distribution."""
    for position in reply["choices"][0].get("logprobs", {}).get("content", []):
        for one in position["top_logprobs"]:
            one["logprob"] = -2.3
        position["logprob"] = -2.3
    return reply


def no_number(reply, _):
    return json.dumps(reply).replace("-0.1", "NaN").encode()


def null(reply, _):
    return json.dumps(reply).replace("-0.1", "null").encode()


def without(reply, _):
    reply["choices"][0].pop("logprobs", None)
    return reply


def short(reply, _):
    reply["choices"][0].get("logprobs", {"content": [0]})["content"].pop()
    return reply


def garbage_text(reply, _):
    """The log probabilities fit, but the text does not."""
    reply["choices"][0]["message"]["content"] = "!!!!!!!!"
    return reply


FAULTS = [random_tokens, flat, no_number, null, without, short, garbage_text]


def upstream_node(start, answers_file, *servers, every=300, **options):
    urls = [word for server in servers for word in ("--upstream", server.url)]
    node = start(*urls, "--known-answers", answers_file, "--known-answers-every", every, **options)
    node.tested_model = "m"
    return node


@pytest.mark.fast
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_server_that_answers_otherwise_gives_no_reply(start, answers_file, fault):
    with AnsweringServer(fault) as server:
        node = upstream_node(start, answers_file, server, wait=False)
        gives_no_reply(node, lambda: state_of(node)["state"] == "failed", "the test fails")
        assert node.get("/health")[0] == 503 and not server.prompts
        state = state_of(node)
        assert state["state"] == "failed" and state["failures"] == 2 and state["reason"].startswith("case 1: ")
        # Requests without a model's name and on other routes are refused as well.
        assert node.post("/v1/chat/completions", QUESTION)[0] in REFUSED
        assert node.post("/v1/rerank", {"query": "x", "documents": ["y"]})[0] in REFUSED
        assert not server.prompts


@pytest.mark.fast
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_server_that_turns_bad_is_withdrawn(start, answers_file, fault):
    with AnsweringServer() as bad, AnsweringServer() as good:
        node = upstream_node(start, answers_file, bad, good, every=1)
        wait_until(lambda: node.get("/health")[2].count(b'"up":true') == 2, 20, "both are up")
        assert ask(node)[0] == 200
        bad.change = fault
        wait_until(lambda: node.get("/health")[2].count(b'"up":false') == 1, 20, "one of them is withdrawn")
        before = len(bad.prompts)
        assert [ask(node)[0] for _ in range(8)] == [200] * 8 and len(bad.prompts) == before
        # The server is not used again merely because it answers right again. It is used again after it was gone.
        bad.change = None
        states = [one["state"] for one in json.loads(node.get("/health")[2])["known_answers"]]
        assert sorted(states) == ["failed", "passed"]
        good.change = fault
        wait_until(lambda: node.get("/health")[0] == 503, 20, "nobody is left")
        status, body = ask(node)
        assert status == 500 and body["error"]["code"] == "engine.failed" and "known answers" in body["error"]["message"]
        assert len(bad.prompts) == before


@pytest.mark.fast
def test_a_withdrawn_server_is_used_again_when_it_was_started_anew(start, answers_file):
    with AnsweringServer(garbage_text) as server:
        port = server.port
        node = upstream_node(start, answers_file, server, wait=False)
        wait_until(lambda: state_of(node)["state"] == "failed", 20, "the test fails")
        server.change = None
        failed = node.log.count("known-answer test failed")
    wait_until(lambda: state_of(node)["state"] == "pending", 20, "it was seen to be gone")

    def again():
        with contextlib.suppress(OSError):
            return AnsweringServer(port=port)

    with wait_until(again, 20, "the port is free"):
        wait_until(lambda: node.get("/health")[0] == 200, 20, "it is used again")
        assert ask(node)[0] == 200 and node.log.count("known-answer test failed") == failed


@pytest.mark.fast
def test_a_busy_server_is_not_a_faulty_one(start, answers_file):
    busy = {"left": 3}

    class Busy(AnsweringServer):
        def _answer(self, connection, request):
            if json.loads(request[2]).get("logprobs") and busy["left"] > 0:
                busy["left"] -= 1
                return connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            super()._answer(connection, request)

    with Busy() as server:
        node = upstream_node(start, answers_file, server)
        assert state_of(node)["state"] == "passed" and state_of(node)["failures"] == 0 and busy["left"] == 0


@pytest.mark.fast
def test_answers_for_a_model_that_nobody_serves_are_an_error(tmp_path):
    answers = write(tmp_path / "answers.json", document("another"))
    with AnsweringServer() as server:
        done = run("serve", "--upstream", server.url, "--listen", "127.0.0.1:0", "--state", tmp_path, "--tee", "none", "--known-answers", answers)
        assert done.returncode != 0 and "another" in done.stderr and "no upstream lists it" in done.stderr
        assert not server.prompts


@pytest.mark.fast
@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--engine", "echo", "--known-answers", "{answers}"], "has no model"),
        (["--upstream", "http://127.0.0.1:9", "--known-answers", "{answers}", "--known-answers", "{answers}"], "given twice"),
        (["--upstream", "http://127.0.0.1:9", "--known-answers", "none", "--known-answers", "{answers}"], "excludes"),
        (["--upstream", "http://127.0.0.1:9", "--known-answers", "{garbage}"], "holds no known answers"),
        (["--upstream", "http://127.0.0.1:9", "--known-answers", "/nowhere"], "/nowhere"),
    ],
)
def test_answers_that_cannot_be_used_are_an_error(tmp_path, answers_file, arguments, words):
    garbage = tmp_path / "garbage.json"
    garbage.write_text("{}")
    arguments = [word.format(answers=answers_file, garbage=garbage) for word in arguments]
    done = run("serve", "--listen", "127.0.0.1:0", "--state", tmp_path, "--tee", "none", *arguments)
    assert done.returncode != 0 and words in done.stderr, done.stderr


@pytest.mark.fast
def test_answers_of_a_running_server_are_recorded(start, tmp_path):
    answers = tmp_path / "answers.json"
    with AnsweringServer() as server:
        done = run("models", "manifest", "--upstream", server.url, "--model", "m", "--known-answers", answers)
        assert done.returncode == 0, done.stderr
        document_ = json.loads(answers.read_text())
        assert document_["model"]["id"] == "m" and len(document_["cases"]) == 4
        node = upstream_node(start, answers, server)
        assert state_of(node)["state"] == "passed" and ask(node)[0] == 200
        for arguments, words in (
            (["--upstream", server.url, "--model", "n", "--known-answers", answers], "does not list"),
            (["--upstream", server.url, "--known-answers", answers], "--model"),
            (["--upstream", server.url], "--known-answers"),
            ([], "FILE is required"),
        ):
            done = run("models", "manifest", *arguments)
            assert done.returncode != 0 and words in done.stderr, done.stderr
        server.change = flat
        done = run("models", "manifest", "--upstream", server.url, "--model", "m", "--known-answers", tmp_path / "none.json")
        assert done.returncode != 0 and not (tmp_path / "none.json").exists()
