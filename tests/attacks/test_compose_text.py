"""A compose text that a container runtime and the verifier read differently. An image without a digest stands where a line-by-line reading
sees a comment, or in a part of the file that starts code without an image. The machine is simulated, and its measurements are forged to
fit each text."""

import hashlib
import json
import struct

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from support.agent import Agent, ask
from support.node import run

pytestmark = pytest.mark.fast

GOOD = "good@sha256:" + "a" * 64
START = f"services:\n  good:\n    image: {GOOD}\n"
EVIL = {
    "a tag": "services:\n  good:\n    image: good:latest\n",
    "a quoted text over two lines": START + '  evil: {"command": "x\n    # ", "image": "evil:latest"}\n',
    "single quotes": START + "  evil: {command: 'x\n    # ', image: 'evil:latest'}\n",
    "an escaped key": START + '  evil:\n    "im\\\n      age": evil\n',
    "a provider": START + "  evil:\n    provider:\n      type: model\n",
    "models": START + "models:\n  m:\n    model: evil/latest\n",
    "a build": START + "  evil:\n    build: .\n",
    "an included file": "include: [evil.yml]\n" + START,
    "another service's definition": START + "  evil:\n    extends: {file: evil.yml, service: x}\n",
    "a merged image": "x-e: &e {image: evil}\n" + START + "  evil:\n    <<: *e\n",
    "a tagged key": START + "  evil:\n    ? !!str image\n    : evil\n",
    "a variable": START + "  evil:\n    image: ${X}evil@sha256:" + "a" * 64 + "\n",
    "a second document": START + "---\nservices:\n  evil:\n    image: evil\n",
    "a volume of another machine": START + "volumes: {a: {driver_opts: {type: nfs, o: addr=203.0.113.5, device: ':/x'}}}\n",
    "a volume by a driver": START + "volumes: {a: {driver: 'vieux/sshfs:latest'}}\n",
    "volumes of a container": START + "    volumes_from: ['container:evil']\n",
    "a volume": START + "    volumes: [{type: image, source: evil, target: /bin}]\n",
}
HONEST = {
    "one image": START,
    "a merged service": "x-c: &c\n  restart: always\n" + START + "    <<: *c\n",
    "quotes and comments": START + '    command: "echo # image: x"  # build: .\n',
}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HEADER = 48   # bytes of a quote before the TD report
MR_CONFIG_ID, RTMR3 = 184, 472


def attestation_key(seed):
    """The host knows the seed of a simulated machine, so it can derive the attestation key."""
    wide = HKDF(hashes.SHA256(), 40, salt=None, info=b"cloister insecure simulator attestation key v1").derive(seed)
    return ec.derive_private_key(int.from_bytes(wide, "big") % (ORDER - 1) + 1, ec.SECP256R1())


def event_of(name, payload):
    digest = hashlib.sha384(struct.pack("<I", 0x08000001) + b":" + name.encode() + b":" + payload).hexdigest()
    return {"imr": 3, "event_type": 0x08000001, "digest": digest, "event": name, "event_payload": payload.hex()}


@pytest.fixture(scope="module")
def machine():
    """Returns (quote, log, key) of a simulated machine."""
    agent = Agent()
    answer = json.loads(ask(agent.socket, "/GetQuote", json.dumps({"report_data": "07" * 64}).encode())[1])
    seed = bytes.fromhex(agent.seed_file.read_text().strip())
    agent.close()
    yield bytes.fromhex(answer["quote"]), json.loads(answer["event_log"]), attestation_key(seed)


def judge(machine, folder, text):
    quote, log, key = machine
    compose = json.dumps({"manifest_version": 2, "name": "x", "runner": "docker-compose", "docker_compose_file": text})
    digest = hashlib.sha256(compose.encode()).digest()
    boot = [("system-preparing", b""), ("app-id", digest[:20]), ("compose-hash", digest), ("instance-id", bytes(20)), ("boot-mr-done", b""),
            ("os-image-hash", bytes(32)), ("system-ready", b"")]
    events = [event_of(*one) for one in boot]
    register = bytes(48)
    for event in events:
        register = hashlib.sha384(register + bytes.fromhex(event["digest"])).digest()
    forged = bytearray(quote)
    for offset, value in ((RTMR3, register), (MR_CONFIG_ID, b"\1" + digest + bytes(15))):
        forged[HEADER + offset : HEADER + offset + 48] = value
    r, s = decode_dss_signature(key.sign(bytes(forged[:632]), ec.ECDSA(hashes.SHA256())))
    forged[636:700] = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    files = {"quote": bytes(forged), "log": json.dumps([one for one in log if one["imr"] != 3] + events).encode(), "compose": compose.encode(),
             "policy": f'accept_simulator = true\n[boot]\nrequire_pinned_images = true\ncompose_hashes = ["{digest.hex()}"]\n'.encode()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    result = run("verify", "quote", folder / "quote", "--event-log", folder / "log", "--app-compose", folder / "compose", "--policy",
                 folder / "policy", "--report-data", "07" * 64, "--offline", "--json")
    verdict = json.loads(result.stdout)
    return result.returncode, next(check for check in verdict["checks"] if check["id"] == "boot.images"), verdict


@pytest.mark.parametrize("name", EVIL)
def test_an_image_that_nothing_pins(machine, tmp_path, name):
    status, check, _ = judge(machine, tmp_path, EVIL[name])
    assert status == 1 and check["state"] == "fail", check


@pytest.mark.parametrize("name", HONEST)
def test_what_pins_every_image_is_accepted(machine, tmp_path, name):
    status, check, verdict = judge(machine, tmp_path, HONEST[name])
    assert status == 0 and check["state"] == "pass", verdict
