"""The CPU TEEs behind `cloister serve --tee`: the dstack guest agent over its socket, and the kernel's configfs-tsm. The official client
tests the simulated agent."""

import contextlib
import hashlib
import json
import secrets
import threading
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from dstack_sdk import AsyncDstackClient, DstackClient, TappdClient
from eth_keys import keys
from eth_utils import keccak

from support.agent import Agent, ask, http_reply, scripted_agent
from support.evidence import Quote, replay
from support.node import own_seed, run, wait_until
from support.rawhttp import exchange
from support.tsm import FakeTsm

pytestmark = pytest.mark.fast

ECHO = ("--engine", "echo")


@pytest.fixture
def own_agent():
    agent = Agent()
    yield agent
    agent.close()


@pytest.fixture
def client(agent):
    return DstackClient(str(agent.socket), timeout=30)


def dstack(socket):
    return (*ECHO, "--tee", "dstack", "--tee-socket", socket)


def get_report(node, **query):
    nonce = secrets.token_hex(32)
    text = "&".join(f"{name}={value}" for name, value in {"nonce": nonce, **query}.items())
    return nonce, node.get_json(f"/v1/attestation/report?{text}")


def prompt(node):
    return {"model": node.model(), "messages": [{"role": "user", "content": "hello"}]}


def quote_of(report):
    return Quote(bytes.fromhex(report["quote"]))


# --- the official clients


def test_official_client_takes_a_quote(client):
    data = secrets.token_bytes(64)
    answer = client.get_quote(data)
    quote = Quote(answer.decode_quote())
    quote.verify()
    assert quote.report_data == data and answer.report_data == data.hex()
    assert [answer.replay_rtmrs()[i] for i in range(4)] == [rtmr.hex() for rtmr in quote.rtmr]
    assert all(event.event for event in answer.decode_event_log() if event.imr == 3)
    assert json.loads(answer.vm_config)["insecure_simulator"] is True


def test_official_client_reads_info(client):
    info = client.info()
    quote = Quote(client.get_quote(b"x").decode_quote())
    assert quote.report_data == b"x".ljust(64, b"\0")
    assert info.tcb_info.mrtd == quote.mr_td.hex() and info.tcb_info.rtmr3 == quote.rtmr[3].hex()
    assert info.compose_hash == hashlib.sha256(info.tcb_info.app_compose.encode()).hexdigest()
    assert info.app_id == info.compose_hash[:40] and info.app_name == "cloister"
    assert json.loads(info.key_provider_info)["name"] == "insecure-simulator"
    assert client.version().rev == "insecure-simulator" and client.is_reachable()


def recovered(message, signature):
    return keys.Signature(signature).recover_public_key_from_msg_hash(keccak(message)).to_compressed_bytes()


@pytest.mark.parametrize("algorithm", ["secp256k1", "ed25519"])
def test_official_client_derives_keys_with_their_chain(client, algorithm):
    answer = client.get_key("one/path", "signing", algorithm)
    assert client.get_key("one/path", "other", algorithm).decode_key() == answer.decode_key()
    assert client.get_key("another/path", "signing", algorithm).decode_key() != answer.decode_key()
    if algorithm == "secp256k1":
        public = keys.PrivateKey(answer.decode_key()).public_key.to_compressed_bytes()
    else:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.from_private_bytes(answer.decode_key())
        public = private.public_key().public_bytes_raw()
    own, root = answer.decode_signature_chain()
    app_key = recovered(b"signing:" + public.hex().encode(), own)
    root_key = recovered(b"dstack-kms-issued:" + bytes.fromhex(client.info().app_id) + app_key, root)
    # Every key's chain leads to one application under one root.
    again = client.get_key("third", "x").decode_signature_chain()
    third = keys.PrivateKey(client.get_key("third", "x").decode_key()).public_key.to_compressed_bytes()
    assert recovered(b"x:" + third.hex().encode(), again[0]) == app_key
    assert recovered(b"dstack-kms-issued:" + bytes.fromhex(client.info().app_id) + app_key, again[1]) == root_key


def test_official_client_gets_tls_keys_and_signs(client):
    key = client.get_tls_key("example.com", ["example.com"])
    leaf = x509.load_pem_x509_certificate(key.certificate_chain[0].encode())
    authority = x509.load_pem_x509_certificate(key.certificate_chain[1].encode())
    leaf.verify_directly_issued_by(authority)
    private = serialization.load_pem_private_key(key.key.encode(), None)
    assert private.public_key() == leaf.public_key()
    assert "INSECURE SIMULATOR" in leaf.subject.rfc4514_string()
    for algorithm, data in (("ed25519", b"m"), ("secp256k1", b"m"), ("secp256k1_prehashed", hashlib.sha256(b"m").digest())):
        signed = client.sign(algorithm, data)
        verify = (signed.decode_signature(), signed.decode_public_key())
        assert client.verify(algorithm, data, *verify).valid
        assert not client.verify(algorithm, hashlib.sha256(b"n").digest(), *verify).valid


def test_official_client_measures_an_event(own_agent):
    client = DstackClient(str(own_agent.socket), timeout=30)
    before = Quote(client.get_quote(b"a").decode_quote())
    client.emit_event("model", b"sha256:0011")
    answer = client.get_quote(b"b")
    after = Quote(answer.decode_quote())
    assert after.rtmr[3] != before.rtmr[3] and after.rtmr[:3] == before.rtmr[:3]
    assert replay(json.loads(answer.event_log), 3) == after.rtmr[3]
    event = answer.decode_event_log()[-1]
    assert (event.event, bytes.fromhex(event.event_payload)) == ("model", b"sha256:0011")
    digest = hashlib.sha384((0x08000001).to_bytes(4, "little") + b":model:sha256:0011").hexdigest()
    assert event.digest == digest


def test_older_official_client(agent):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = TappdClient(str(agent.socket), timeout=30)
        hashed = Quote(bytes.fromhex(client.tdx_quote(b"data", "sha512").quote))
        raw = Quote(bytes.fromhex(client.tdx_quote(b"r" * 64, "raw").quote))
        first, second = client.derive_key("a"), client.derive_key("a")
        info = client.info()
    assert hashed.report_data == hashlib.sha512(b"app-data:data").digest()
    assert raw.report_data == b"r" * 64
    assert first.key == second.key and info.app_name == "cloister"


def test_official_asynchronous_client(agent):
    import asyncio

    async def many():
        async with AsyncDstackClient(str(agent.socket), timeout=30) as client:
            return await asyncio.gather(*(client.get_quote(bytes([i + 1]) * 64) for i in range(20)))

    for i, answer in enumerate(asyncio.run(many())):
        assert Quote(answer.decode_quote()).report_data == bytes([i + 1]) * 64


# --- a node behind the socket


@own_seed
def test_the_socket_leads_to_the_same_machine(start, tmp_path):
    inside = start(*ECHO, state=tmp_path / "state")
    agent = Agent(seed_file=tmp_path / "state/insecure-simulator.seed")
    try:
        outside = start(*dstack(agent.socket), simulated=False)
        for algo in ("ecdsa", "ed25519"):
            nonce, report = get_report(outside, signing_algo=algo)
            same = inside.get_json(f"/v1/attestation/report?nonce={nonce}&signing_algo={algo}")
            assert report["signing_address"] == same["signing_address"]
            assert report["quote"] == same["quote"] and report["event_log"] == same["event_log"]
            assert report["info"]["tcb_info"] == same["info"]["tcb_info"]
    finally:
        agent.close()


def test_no_answer_of_the_node_calls_the_simulated_agent_real(dstack_echo):
    health = json.loads(dstack_echo.get("/health")[2])
    assert health["tee_type"] == health["gpu_evidence"] == "insecure_simulator"
    refused = run("verify", "host", dstack_echo.url)
    assert refused.returncode == 1 and "simulat" in refused.stdout.lower()
    assert "TEE chosen type=insecure_simulator" in dstack_echo.log and "--tee dstack: asked for" in dstack_echo.log


def test_auto_takes_the_named_socket_and_says_so(start, agent):
    node = start(*ECHO, "--tee", "auto", "--tee-socket", agent.socket, simulated=False)
    assert "--tee dstack: its socket was named" in node.log
    assert get_report(node)[1]["tee_type"] == "insecure_simulator"


def test_auto_without_anything_serves_without_attestation_and_says_where_it_looked(start):
    node = start(*ECHO, "--tee", "auto", simulated=False)
    assert "/var/run/dstack.sock" in node.log and "/dev/tdx_guest" in node.log and "without attestation" in node.log
    assert exchange(node, "GET", "/v1/attestation/report").status == 503


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (("--tee", "dstack", "--tee-socket", "{folder}/none"), (1, "no dstack guest agent is there")),
        (("--tee", "tsm", "--tsm-root", "{folder}/none"), (1, "{folder}/none is not there")),
        (("--tee", "tsm", "--tee-socket", "{folder}/none"), (2, "--tee-socket belongs to --tee dstack")),
        (("--tee", "none", "--tsm-root", "{folder}"), (2, "--tsm-root belongs to --tee tsm")),
        (("--tee", "auto", "--tsm-root", "a", "--tee-socket", "b"), (2, "exclude each other")),
        (("--tee", "tdx-guest"), (1, "/dev/tdx_guest")),
        (("--tee", "none", "--gpu", "insecure-simulator"), (2, "needs a simulated TEE")),
        (("--tee", "sgx"), (2, "--tee")),
    ],
)
def test_what_cannot_be_is_told(tmp_path, arguments, expected):
    here = [argument.format(folder=tmp_path) for argument in arguments]
    result = run("serve", "--listen", "127.0.0.1:0", "--state", tmp_path / "state", *ECHO, *here)
    status, text = expected
    assert (result.returncode, text.format(folder=tmp_path) in result.stderr) == (status, True), result.stderr


def test_simulator_usage(tmp_path):
    assert run("simulator").returncode == 2
    assert run("simulator", "--socket", "/tmp/" + "x" * 120, "--seed-file", tmp_path / "seed").returncode == 2
    (tmp_path / "file").write_text("mine")
    taken = run("simulator", "--socket", tmp_path / "file", "--seed-file", tmp_path / "seed")
    assert taken.returncode == 1 and (tmp_path / "file").read_text() == "mine"


# --- agents that misbehave


def agent_with(socket, **changes):
    """Answers as the agent at `socket` does, except for the given calls. Each of these is a function from its body to bytes, or None."""

    def answer(path, body):
        status, content = ask(socket, path, body)
        change = changes.get(path.rsplit("/", 1)[-1])
        return http_reply(content, f"{status} X") if change is None else change(content)

    return answer


def foreign_quote(agent):
    """Returns an answer with a quote for another caller's report data."""
    return lambda content: http_reply(ask(agent.socket, "/GetQuote", json.dumps({"report_data": "ff" * 64}).encode())[1])


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda agent: lambda content: http_reply(b"garbage"), "the dstack guest agent's answer"),
        (lambda agent: lambda content: b"SSH-2.0-x\r\n", "garbled GetQuote"),
        (lambda agent: lambda content: b"", "broke off or garbled GetQuote"),
        (lambda agent: lambda content: http_reply(content)[:-100], "broke off or garbled GetQuote"),
        (lambda agent: lambda content: http_reply(b'{"error":"no quote today"}', "500 X"), "no quote today"),
        (lambda agent: lambda content: http_reply(b'{"quote":"","event_log":""}'), "no TDX quote to give"),
        (foreign_quote, "another quote than the one asked for"),
    ],
    ids=["garbage", "no http", "closes", "dies", "refuses", "empty", "foreign"],
)
def test_an_agent_that_cannot_be_believed_is_told_and_the_node_does_not_start(agent, tmp_path, change, expected):
    path = agent.folder / f"scripted{secrets.token_hex(4)}.sock"
    with scripted_agent(path, agent_with(agent.socket, GetQuote=change(agent))):
        result = run("serve", "--listen", "127.0.0.1:0", "--state", tmp_path / "state", *dstack(path))
    assert result.returncode == 1 and expected in result.stderr, result.stderr


def test_a_node_outlives_an_agent_that_begins_to_lie(start, agent):
    path = agent.folder / "lying.sock"
    mood = {"change": None}

    def answer(call, body):
        status, content = ask(agent.socket, call, body)
        if call == "/GetQuote" and mood["change"]:
            return mood["change"](content)
        return http_reply(content, f"{status} X")

    with scripted_agent(path, answer):
        node = start(*dstack(path), simulated=False)
        lies = [lambda c: http_reply(b"garbage"), lambda c: http_reply(c)[:-50], lambda c: b"", foreign_quote(agent)]
        for lie in lies:
            mood["change"] = lie
            reply = exchange(node, "GET", "/v1/attestation/report?nonce=" + "ab" * 32)
            assert reply.status == 503 and reply.json()["error"]["type"] == "server_error", reply.body
            mood["change"] = None
            nonce, report = get_report(node)
            assert quote_of(report).report_data[32:].hex() == nonce
        assert node.alive()
        told = [line for line in node.log.splitlines() if "no quotes from the dstack guest agent" in line]
        assert len(told) == len(lies) == node.log.count("quotes come from the dstack guest agent"), node.log


def test_a_killed_agent_costs_no_wrong_answer_and_no_restart(start, own_agent):
    node = start(*dstack(own_agent.socket), simulated=False)
    stop = threading.Event()
    counts = {"right": 0, "refused": 0, "wrong": [], "replies": 0}
    lock = threading.Lock()

    def ask_reports():
        while not stop.is_set():
            nonce = secrets.token_hex(32)
            status, _, body = node.get(f"/v1/attestation/report?nonce={nonce}")
            with lock:
                if status == 200 and quote_of(json.loads(body)).report_data[32:].hex() == nonce:
                    counts["right"] += 1
                elif status in (503, 504):
                    counts["refused"] += 1
                else:
                    counts["wrong"].append((status, body[:200]))

    def ask_model():
        while not stop.is_set():
            status, _, body = node.post("/v1/chat/completions", prompt(node))
            with lock:
                if status == 200:
                    counts["replies"] += 1
                else:
                    counts["wrong"].append((status, body[:200]))

    threads = [threading.Thread(target=target) for target in (ask_reports, ask_reports, ask_model)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            for action, wanted in ((own_agent.kill, "refused"), (own_agent.start, "right")):
                before = counts[wanted]
                action()
                wait_until(lambda: counts[wanted] > before + 2, 20, f"more that are {wanted}")
            before = counts["replies"]
            wait_until(lambda: counts["replies"] > before, 20, "the model goes on")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not counts["wrong"] and node.alive()


def test_a_silent_agent_holds_nobody_but_reports(start, agent):
    path = agent.folder / "silent.sock"
    silent = threading.Event()

    def answer(call, body):
        if silent.is_set():
            return None
        status, content = ask(agent.socket, call, body)
        return http_reply(content, f"{status} X")

    with scripted_agent(path, answer):
        node = start(*dstack(path), simulated=False)
        silent.set()

        def wait_for_report():
            with contextlib.suppress(OSError):
                node.get("/v1/attestation/report?nonce=" + "cd" * 32)

        waiting = threading.Thread(target=wait_for_report)
        waiting.start()
        for _ in range(5):
            assert node.post("/v1/chat/completions", prompt(node))[0] == 200
        assert waiting.is_alive()
        node.kill()
        waiting.join(20)


# --- the kernel's interface


@pytest.fixture
def tsm(tmp_path, agent):
    """The kernel of a TDX guest whose module is the simulator."""

    def quote(report_data):
        body = json.dumps({"report_data": report_data.hex()}).encode()
        return bytes.fromhex(json.loads(ask(agent.socket, "/GetQuote", body)[1])["quote"])

    kernel = FakeTsm(tmp_path / "report", quote)
    yield kernel
    kernel.close()


def test_configfs_tsm_reports(start, tsm):
    node = start(*ECHO, "--tee", "tsm", "--tsm-root", tsm.root, simulated=False)
    nonce, report = get_report(node)
    quote = quote_of(report)
    quote.verify()
    assert quote.report_data[32:].hex() == nonce and report["tee_type"] == "insecure_simulator"
    assert "signing key is random" in node.log
    again = start(*ECHO, "--tee", "auto", "--tsm-root", tsm.root, simulated=False)
    assert get_report(again)[1]["signing_address"] != report["signing_address"], "nothing seals a key here"
    # This machine's firmware left no log. So the report has none, rather than an empty log that contradicts the registers.
    assert report["event_log"] is None
    verdict = json.loads(run("verify", "host", node.url, "--accept-simulator", "--json").stdout)
    states = {check["id"]: check["state"] for check in verdict["checks"]}
    assert states["tdx.quote.signature"] == states["report_data.identity"] == "pass"
    assert not {check for check, state in states.items() if state == "fail"}


def test_configfs_tsm_that_lies_is_not_believed(start, tsm, tmp_path):
    node = start(*ECHO, "--tee", "tsm", "--tsm-root", tsm.root, simulated=False)
    honest = tsm.quote
    for lie in (lambda data: honest(b"\0" * 64), lambda data: b"garbage"):
        tsm.quote = lie
        assert exchange(node, "GET", "/v1/attestation/report?nonce=" + "ab" * 32).status == 503
    tsm.quote = honest
    nonce, report = get_report(node)
    assert quote_of(report).report_data[32:].hex() == nonce
