"""The things that other projects' verifiers read before they verify a node: the list of models, the simulated platform's certificate, the
agent's socket."""

import json
import socket

import pytest
from cryptography import x509

from support.agent import Agent
from support.node import PATIENCE

pytestmark = [pytest.mark.fast]

INTEL = {"2.5.29.35", "2.5.29.31", "2.5.29.14", "2.5.29.15", "2.5.29.19", "1.2.840.113741.1.13.1"}


def recognised(model):
    """The rules are those of Redpill's JavaScript verifier (getPrimaryProvider) and Phala's Python verifier (RedpillVerifier.verify)."""
    providers, metadata = model.get("providers") or [], model.get("metadata") or {}
    javascript = "phala" in providers or bool(metadata.get("appid"))
    python = ("phala" in providers or not providers) and bool(metadata.get("appid"))
    return javascript and python


def test_the_list_of_models_names_the_application(echo):
    model = echo.get_json("/v1/models")["data"][0]
    report = echo.get_json("/v1/attestation/report")
    assert recognised(model), model
    assert model["metadata"]["appid"] == report["info"]["app_id"]
    assert echo.get_json("/v1/models/" + model["id"])["metadata"] == model["metadata"]


def test_a_node_without_a_tee_claims_nothing(start):
    model = start("--engine", "echo", "--tee", "none", simulated=False).get_json("/v1/models")["data"][0]
    assert "providers" not in model and "metadata" not in model


def test_the_simulated_certificate_has_the_extensions_of_intels(echo):
    quote = bytes.fromhex(echo.get_json("/v1/attestation/report")["intel_quote"])
    chain = x509.load_pem_x509_certificates(quote[quote.index(b"-----BEGIN CERTIFICATE-----"):].rstrip(b"\0"))
    assert len(chain) == 3
    assert {extension.oid.dotted_string for extension in chain[0].extensions} == INTEL
    assert len(list(chain[0].extensions)) == 6


def ask(agent, request):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20 * PATIENCE)
        connection.connect(str(agent.socket))
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < length_of(data):
            data += connection.recv(65536) or pytest.fail("the agent closed the connection early")
    return int(data.split(b" ", 2)[1]), json.loads(data.split(b"\r\n\r\n", 1)[1])


def length_of(data):
    head = data.split(b"\r\n\r\n", 1)[0].lower().split(b"\r\n")
    return next(int(line.split(b":")[1]) for line in head if line.startswith(b"content-length:"))


# The crate dstack-sdk 0.1 sends these requests through hyper: without Host, and with the target in absolute form.
@pytest.mark.parametrize("target", ["http://unix.socket/GetQuote", "/GetQuote"])
@pytest.mark.parametrize("host", [b"", b"host: dstack\r\n"])
@pytest.mark.no_tee
def test_the_agent_takes_what_the_rust_sdk_sends(target, host):
    agent = Agent()
    try:
        body = json.dumps({"report_data": "07" * 64}).encode()
        head = b"POST %s HTTP/1.1\r\n%scontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (target.encode(), host, len(body))
        status, answer = ask(agent, head + body)
        assert status == 200 and bytes.fromhex(answer["quote"])[568:632] == b"\7" * 64
    finally:
        agent.close()


@pytest.mark.no_tee
def test_an_event_is_answered_with_null(tmp_path):
    """The Rust SDK expects null here and does not accept an object."""
    agent = Agent()
    try:
        body = json.dumps({"event": "an-event", "payload": "00"}).encode()
        head = b"POST /EmitEvent HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        assert ask(agent, head + body) == (200, None)
    finally:
        agent.close()
