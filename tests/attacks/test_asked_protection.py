"""A requested protection that the node does not know must not be ignored in silence. The request is refused before its body is read, in the
words of the protocol that it uses."""

import json
import re

import pytest

from support.node import run
from support.rawhttp import Connection, exchange
from support.receipts import check_receipt, events

pytestmark = pytest.mark.fast

CHAT = "/v1/chat/completions"
ROUTES = [CHAT, "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/tokenize"]
KEY = "04" + "ab" * 64
# Each entry maps a name to (headers, status, type of the error). The names cover ACI's E2EE v2 (section 9: the service does not terminate
# v2), its predecessors of the dstack family, NEAR's and Venice's protocols, Tinfoil's EHBP, and headers of protocols that this node does
# not know.
ENCRYPTED = {
    "aci v2": ({"X-E2EE-Version": "2", "X-Client-Pub-Key": KEY, "X-Model-Pub-Key": KEY, "X-E2EE-Nonce": "ab" * 32,
                "X-E2EE-Timestamp": "1790000000"}, 400, "e2ee_invalid_version"),
    "aci v2, a header missing": ({"X-E2EE-Version": "2"}, 400, "e2ee_invalid_version"),
    "aci v9": ({"x-e2ee-version": "9"}, 400, "e2ee_invalid_version"),
    "dstack v1": ({"X-Signing-Algo": "ecdsa", "X-Client-Pub-Key": KEY, "X-Model-Pub-Key": KEY}, 400, "e2ee_invalid_version"),
    "the key alone": ({"X-Client-Pub-Key": KEY}, 400, "e2ee_invalid_version"),
    "near": ({"X-Encryption-Version": "2", "X-Signing-Algo": "ed25519", "X-Client-Pub-Key": KEY}, 400, "bad_request"),
    "near, all fields": ({"X-Encrypt-All-Fields": "true"}, 400, "bad_request"),
    "venice": ({"X-Venice-TEE-Client-Pub-Key": KEY, "X-Venice-TEE-Model-Pub-Key": KEY, "X-Venice-TEE-Signing-Algo": "ecdsa"},
               400, "e2ee_invalid_version"),
    "ehbp": ({"Ehbp-Encapsulated-Key": "ab" * 32}, 422, "urn:ietf:params:ehbp:error:key-config"),
    "ehbp of before": ({"Ehbp-Client-Public-Key": "ab" * 32}, 422, "urn:ietf:params:ehbp:error:key-config"),
    "chutes": ({"X-E2E-Nonce": "1"}, 400, "e2ee_invalid_version"),
    "a word of tomorrow": ({"X-New-Encrypted-Body": "1"}, 400, "e2ee_invalid_version"),
    "another word of tomorrow": ({"New-HPKE-Suite": "1"}, 400, "e2ee_invalid_version"),
    "underscores": ({"X_Client_Pub_Key": KEY}, 400, "e2ee_invalid_version"),
    "a hyphen less": ({"X-Client-PubKey": KEY}, 400, "e2ee_invalid_version"),
    "no hyphen at all": ({"XE2EEVersion": "2"}, 400, "e2ee_invalid_version"),
    "near, with underscores": ({"X_Encryption_Version": "2"}, 400, "bad_request"),
    "ehbp, with underscores": ({"Ehbp_Encapsulated_Key": "ab" * 32}, 422, "urn:ietf:params:ehbp:error:key-config"),
    "a receipt, with an underscore": ({"X_Receipt": "inline"}, 400, "invalid_request_error"),
    "upstream verification": ({"X-Upstream-Verification": "required"}, 400, "invalid_request_error"),
    "a receipt in another way": ({"X-Receipt": "trailer"}, 400, "invalid_request_error"),
}


def error_type(reply):
    body = reply.json()
    return body["error"]["type"] if "error" in body else body["type"]


@pytest.mark.parametrize("name", ENCRYPTED)
def test_the_head_alone_is_refused(echo, name):
    """The refusal comes before any byte of the body has been sent."""
    headers, status, kind = ENCRYPTED[name]
    for route in ROUTES:
        with Connection(echo) as connection:
            lines = [f"POST {route} HTTP/1.1", f"Host: {echo.host}:{echo.port}", "Content-Type: application/json", "Content-Length: 40"]
            lines += [f"{header}: {value}" for header, value in headers.items()]
            connection.send(("\r\n".join(lines) + "\r\n\r\n").encode())
            reply = connection.reply()
        assert reply.status == status and error_type(reply) == kind, reply.body
        assert reply.header("x-receipt-id") is None
        if status == 422:
            assert reply.header("content-type") == "application/problem+json"


def test_ordinary_headers_are_no_such_thing(echo):
    headers = [("anthropic-version", "2023-06-01"), ("openai-organization", "x"), ("x-stainless-lang", "python"), ("x-receipt", "inline"),
               ("user-agent", "x"), ("accept-encoding", "gzip"), ("x-request-id", "1"), ("traceparent", "00-1-2-3"), ("x-request-hash", "ab" * 32)]
    assert exchange(echo, "POST", CHAT, chat(), headers).status == 200


def chat(**more):
    return json.dumps({"model": "echo", "messages": [{"role": "user", "content": "x"}], **more}).encode()


# ACI, section 5.3: a direct service satisfies `aci_verified` and has no sessions. Members that it does not know are never ignored.
MEMBERS = {
    "verified": ({"provider": {"aci_verified": True}}, 200, None),
    "not verified": ({"provider": {"aci_verified": False, "order": ["a"]}}, 200, None),
    "no boolean": ({"provider": {"aci_verified": "yes"}}, 400, "invalid_request_error"),
    "a session": ({"provider": {"aci_session_ids": ["ab" * 32]}}, 412, "session_not_accepted"),
    "a constraint of tomorrow": ({"provider": {"aci_gpu": True}}, 400, "invalid_request_error"),
    "venice": ({"venice_parameters": {"enable_e2ee": True}}, 400, "e2ee_invalid_version"),
    "venice, a text": ({"venice_parameters": {"enable_e2ee": "true"}}, 400, "invalid_request_error"),
    "venice, a number": ({"venice_parameters": {"enable_e2ee": 1}}, 400, "invalid_request_error"),
    "venice, a list": ({"venice_parameters": [{"enable_e2ee": True}]}, 400, "invalid_request_error"),
    "venice, another spelling": ({"venice_parameters": {"enableE2EE": True}}, 400, "invalid_request_error"),
    "constraints in a list": ({"provider": [{"aci_verified": True}]}, 400, "invalid_request_error"),
    "constraints in a text": ({"provider": "aci_verified"}, 400, "invalid_request_error"),
    "a constraint, another spelling": ({"provider": {"aciVerified": True}}, 400, "invalid_request_error"),
    "a cache of its own": ({"cache_salt": "mine"}, 400, "invalid_request_error"),
    "no cache of its own": ({"cache_salt": None, "store": False, "venice_parameters": {"enable_e2ee": False}}, 200, None),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_members_of_the_body(echo, name):
    more, status, kind = MEMBERS[name]
    reply = exchange(echo, "POST", CHAT, chat(**more))
    assert reply.status == status, reply.body
    if status != 200:
        assert error_type(reply) == kind
        failed = events(check_receipt(echo, chat(**more), reply))
        assert failed["request.failed"]["status"] == status and "request.forwarded" not in failed


def test_an_aggregator_does_not_say_that_it_verified(start):
    from support.upstream import ScriptedServer, whole

    with ScriptedServer(lambda connection, _: connection.sendall(whole(b'{"id":"r-1","model":"m"}'))) as server:
        node = start("--upstream", server.url, "--serving", "aggregator")
        body = json.dumps({"model": "m", "messages": [], "provider": {"aci_verified": True}}).encode()
        reply = exchange(node, "POST", CHAT, body)
        assert reply.status == 503 and error_type(reply) == "upstream_verification_failed" and not server.requests
        assert exchange(node, "POST", CHAT, b'{"model":"m","messages":[]}').status == 200


@pytest.mark.parametrize("coding", ["gzip", "zstd", "br", "aes128gcm", "identity, gzip"])
def test_a_coded_body_is_not_read_as_it_stands(echo, coding):
    reply = exchange(echo, "POST", CHAT, chat(), [("Content-Encoding", coding)])
    assert reply.status == 415 and reply.header("accept-encoding") == "identity"


@pytest.mark.parametrize("codings", [["identity", "aes128gcm"], ["aes128gcm", "identity"], ["identity, identity", "br"]])
def test_no_line_of_a_repeated_header_is_left_out(echo, codings):
    reply = exchange(echo, "POST", CHAT, chat(), [("Content-Encoding", coding) for coding in codings])
    assert reply.status == 415
    reply = exchange(echo, "POST", CHAT, chat(), [("X-Receipt", "inline"), ("X-Receipt", codings[-1])])
    assert reply.status == 400
    assert exchange(echo, "POST", CHAT, chat(), [("Content-Encoding", "identity"), ("Content-Encoding", "identity")]).status == 200


def test_a_report_is_not_made_with_less_than_was_asked(echo, tls):
    legacy = "/v1/attestation/report"
    assert exchange(echo, "GET", legacy + "?nonce=").status == 400
    assert exchange(echo, "GET", legacy + "?nonce=" + "ab" * 16).status == 400
    assert exchange(echo, "GET", f"{legacy}?nonce={'ab' * 32}&nonce={'cd' * 32}").status == 400
    assert exchange(echo, "GET", legacy + "?signing_algo=rsa").status == 400
    assert exchange(echo, "GET", legacy + "?include_tls_fingerprint=perhaps").status == 400
    # Version 2 of the dstack family is the layout that contains the TLS key.
    assert exchange(echo, "GET", legacy + "?version=2").status == 400, "this node ends no TLS"
    assert exchange(echo, "GET", legacy + "?version=3").status == 400
    assert exchange(echo, "GET", legacy + "?version=1").status == 200
    assert tls.get_json(legacy + "?version=2")["tls_cert_fingerprint"] and "tls_cert_fingerprint" not in tls.get_json(legacy + "?version=1")


IDLE = {
    "salt": ["--engine", "echo", "--cache-salt", "on"],
    "lock": ["--engine", "echo", "--lock-model", "on"],
    "gate": ["--engine", "echo", "--require-gpu-tee", "off", "--gpu-policy", "FILE"],
    "gate, the other way": ["--engine", "echo", "--allow-non-cc-gpu", "--require-gpu-tee", "on"],
    "tokens": ["--engine", "echo", "--no-auth", "--api-key-file", "FILE"],
    "power": ["--engine", "echo", "--receipts", "memory", "--receipts-survive", "power"],
    "unknown": ["--engine", "echo", "--encrypt", "on"],
}


@pytest.mark.parametrize("name", IDLE)
def test_an_option_that_would_do_nothing_is_an_error(tmp_path, name):
    (tmp_path / "file").write_text("token-of-the-tests\n")
    options = [str(tmp_path / "file") if option == "FILE" else option for option in IDLE[name]]
    result = run("serve", "--tee", "insecure-simulator", "--gpu", "insecure-simulator", "--listen", "127.0.0.1:0", "--state", tmp_path / "state", *options)
    assert result.returncode == 2 and result.stderr, result.stderr


def numbers(command):
    """Returns the options of a command that take a number with a fraction, according to its help."""
    found = re.findall(r"(--[a-z-]+)[ ,A-Za-z:]* FLOAT", run(command, "--help").stdout)
    assert found, command
    return found


@pytest.mark.parametrize("value", ["nan", "NaN", "-nan", "inf", "-inf", "-1", "1e400", "1x", ""])
def test_a_bound_that_is_no_number_is_an_error(tmp_path, value):
    """With a rate of nan no request would ever exceed the limit."""
    for option in numbers("serve"):
        result = run("serve", "--engine", "echo", "--tee", "insecure-simulator", "--state", tmp_path / "state", f"{option}={value}")
        assert result.returncode == 2 and option in result.stderr, (option, result.stderr)
        config = tmp_path / "cloister.toml"
        config.write_text(f'[serve]\nengine = "echo"\n{option[2:]} = {value or chr(34) * 2}\n')
        result = run("serve", "--config", config, "--tee", "insecure-simulator", "--state", tmp_path / "state")
        assert result.returncode == 2 and result.stderr, (option, result.stderr)
    for option in numbers("chat"):
        result = run("chat", "http://127.0.0.1:9", f"{option}={value}", "hi")
        assert result.returncode == 2 and option in result.stderr, (option, result.stderr)


def bounded(command):
    """Returns (option, least, most, takes 0) of each option of a command that takes a number or a size, according to its help. Each has
    bounds."""
    text = run(command, "--help").stdout
    found = re.findall(r"(--[a-z-]+) (INT|UINT|FLOAT|TEXT):(0 or )?in \[(\S+) - (\S+)\]", text)
    without = set(re.findall(r"(--[a-z-]+) (?:U?INT|FLOAT)", text)) - {name for name, *_ in found}
    assert not without, without
    return [(name, least, most, bool(zero)) for name, _, zero, least, most in found]


def outside(least, most, zero):
    """Returns values beyond the bounds, and forms in which two parsers find different numbers."""
    if most.endswith("T"):
        return ["4", "0", "15M", "1025T", "-16M", "16m"]
    below = [] if float(least) == 0 else [str(int(float(least)) - 1) if float(least) >= 1 else "0.01"]
    if zero and "0" in below:
        below = []
    whole = "." not in least and "e" not in most
    return [*below, str(int(float(most)) + 1), "9" * 30, *(["017", "0x11", "1e1", "1.5"] if whole else ["1e300"])]


@pytest.mark.parametrize("way", ["command line", "configuration", "doctor"])
def test_a_bound_that_is_none_is_an_error(tmp_path, way):
    """With room for 4 bytes no receipt would outlast its reply, and 010 days would be read as 8."""
    options = bounded("serve")
    assert {"--receipt-bytes", "--receipt-days", "--max-body", "--context", "--parallel", "--report-rate"} <= {name for name, *_ in options}
    config = tmp_path / "cloister.toml"
    for name, least, most, zero in options:
        for value in outside(least, most, zero):
            if way == "command line":
                done = run("serve", "--engine", "echo", "--tee", "insecure-simulator", "--state", tmp_path / "state", f"{name}={value}", "--print-config")
                said = done.stderr
            else:
                # A value that is no TOML at all is refused before its bounds are checked.
                plain = re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", value) and len(value) < 19
                config.write_text(f'[serve]\nengine = "echo"\n{name[2:]} = {value if plain else chr(34) + value + chr(34)}\n')
                if way == "doctor":
                    done = run("doctor", "--config", config, "--no-gpu")
                    said = next((line for line in done.stdout.splitlines() if line.startswith("problem") and "config.file" in line), done.stdout)
                else:
                    done = run("serve", "--config", config, "--tee", "insecure-simulator", "--state", tmp_path / "state", "--print-config")
                    said = done.stderr
            assert done.returncode != 0 and name in said and f"[{least} - {most}]" in said, (name, value, said)


def test_what_lies_within_the_bounds_is_taken(tmp_path):
    for name, least, most, zero in bounded("serve"):
        for value in (least, most, *(["0"] if zero else [])):
            done = run("serve", "--engine", "echo", "--print-config", f"{name}={value}")
            assert done.returncode == 0 and f"{name[2:]}=" in done.stdout, (name, value, done.stderr)
