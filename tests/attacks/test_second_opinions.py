"""Second opinions whose keys come with them. A token of NVIDIA's attestation service and the key set that verifies it, in one file, prove
nothing: whoever forged the token also forged the key set."""

import base64
import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from support.node import run
from support.services import Nras

pytestmark = [pytest.mark.fast, pytest.mark.no_tee]

REQUIRED = "[nvidia]\nrequire_nras = true\nrequire_revocation = false\n"
CLAIMS = {f"nvidia.nras.{check}" for check in ("signature", "time", "nonce", "digests", "devices", "result")}


def judge(tmp_path, evidence, *arguments, nras=None, policy=REQUIRED):
    """Returns the exit status and the state of each check. `nras` becomes the member of a bundle."""
    (tmp_path / "policy.toml").write_text(policy)
    options = ["--policy", tmp_path / "policy.toml"]
    if nras is not None:
        (tmp_path / "bundle.json").write_text(json.dumps({"collateral": "cloister.collateral.v1", "nras": nras}))
        options += ["--collateral", tmp_path / "bundle.json"]
    result = run("verify", "gpu", evidence, "--offline", "--json", *options, *arguments)
    verdict = json.loads(result.stdout) if result.stdout.startswith("{") else {"checks": [], "facts": {}}
    return result.returncode, {check["id"]: check["state"] for check in verdict["checks"]}, verdict["facts"]


@pytest.fixture
def evidence(vectors_folder):
    return vectors_folder / "nvidia/evidence_hopper_1gpu.json"


def forged(evidence, **key_members):
    """Makes a token with the attacker's own key which says that all is well with the genuine device. Returns it with its key set."""
    entry = json.loads(evidence.read_text())[0]
    leaf = x509.load_pem_x509_certificates(base64.b64decode(entry["certificate"]))[0]
    nras = Nras()
    token = nras.answer(entry["nonce"], {"GPU-0": str(leaf.serial_number)})[2].decode()
    key = json.loads(nras.jwks()[2])["keys"][0] | key_members
    return entry["nonce"], nras, {"token": token, "jwks": json.dumps({"keys": [key]})}


def self_made_chain(nras):
    """The key is certified in the way that NVIDIA certifies its own, by an authority of the attacker with the same names."""
    names = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    signer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(names("NVIDIA Attestation Service GPU GH100"))
            .issuer_name(names("NVIDIA Attestation Service GPU Intermediate 004")).public_key(nras.key.public_key())
            .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
            .sign(signer, hashes.SHA256()))
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def test_a_key_set_beside_its_own_token(evidence, tmp_path):
    nonce, _, nras = forged(evidence)
    status, states, facts = judge(tmp_path, evidence, "--nonce", nonce, nras=nras)
    assert status == 3
    assert {states[check] for check in CLAIMS} == {"skipped"}
    assert facts["nras"]["keys"] == "none"
    # Where no opinion is required, the same token still does not count as one.
    status, states, _ = judge(tmp_path, evidence, "--nonce", nonce, nras=nras, policy="require_nonce = true\n")
    assert {states[check] for check in CLAIMS} == {"skipped"}


def test_a_file_cannot_say_that_its_keys_were_fetched(evidence, tmp_path):
    nonce, _, nras = forged(evidence)
    for member in ("live", "jwks_live", "nras_jwks_live", "fetched"):
        status, states, _ = judge(tmp_path, evidence, "--nonce", nonce, nras=nras | {member: True})
        assert status == 2 and not states, member


def test_certificates_of_the_attackers_own(evidence, tmp_path, vectors_folder):
    genuine = json.loads((vectors_folder / "reports/live/near_direct_20260610.bundle.json").read_text())["nras"]["jwks"]
    borrowed = json.loads(genuine)["keys"][0]["x5c"]
    nonce, nras, bundle = forged(evidence)
    own = self_made_chain(nras)
    for chain in ([own], [own, borrowed[1]], borrowed, borrowed[1:], []):
        key = json.loads(bundle["jwks"])["keys"][0] | {"x5c": chain}
        status, states, facts = judge(tmp_path, evidence, "--nonce", nonce, nras=bundle | {"jwks": json.dumps({"keys": [key]})})
        assert status == 3 and states["nvidia.nras.signature"] == "skipped" and facts["nras"]["keys"] == "none"


def test_keys_of_the_policy_are_believed(evidence, tmp_path):
    nonce, nras, bundle = forged(evidence)
    numbers = nras.key.public_key().public_numbers()
    policy = REQUIRED + f'nras_keys = ["p384:{numbers.x:096x}{numbers.y:096x}"]\n'
    _, states, facts = judge(tmp_path, evidence, "--nonce", nonce, nras=bundle, policy=policy)
    assert {states[check] for check in CLAIMS} == {"pass"} and facts["nras"]["keys"] == "policy"
    # Without any key set the policy's key is enough. Another key is not.
    _, states, _ = judge(tmp_path, evidence, "--nonce", nonce, nras={"token": bundle["token"]}, policy=policy)
    assert states["nvidia.nras.signature"] == "pass"
    policy = REQUIRED + f'nras_keys = ["p384:{numbers.y:096x}{numbers.x:096x}"]\n'
    _, states, _ = judge(tmp_path, evidence, "--nonce", nonce, nras=bundle, policy=policy)
    assert states["nvidia.nras.signature"] == "skipped"


def test_a_genuine_key_set_is_believed_by_its_pinned_authority(tmp_path, vectors_folder):
    """NEAR's eight GPUs, with NVIDIA's token and key set of the same minute. The keys are certified, so the set may come with the token.
    The same token under a key set with another point proves nothing."""
    folder = vectors_folder / "reports/live"
    payload = json.loads((folder / "near_direct_20260610.json").read_text())
    evidence = tmp_path / "evidence.json"
    evidence.write_text(json.dumps(find_payload(payload)))
    genuine = json.loads((folder / "near_direct_20260610.bundle.json").read_text())["nras"]
    call = ["--nonce", "e1acc835c324635d087549f55702d334ba5e8dd7ef64e9c52a312eded2709223", "--at", "2026-06-10T01:54:00Z"]
    status, states, facts = judge(tmp_path, evidence, *call, nras=genuine)
    assert status == 3 and {states[check] for check in CLAIMS} == {"pass"} and facts["nras"]["keys"] == "pinned"
    changed = json.loads(genuine["jwks"])
    for key in changed["keys"]:
        key["x"], key["y"] = key["y"], key["x"]
    _, states, _ = judge(tmp_path, evidence, *call, nras=genuine | {"jwks": json.dumps(changed)})
    assert states["nvidia.nras.signature"] == "skipped"
    # A changed token under a trusted key is a forgery.
    token = json.loads(genuine["token"])
    token[0][1] = token[0][1][:-8] + ("AAAAAAAA" if token[0][1][-8:] != "AAAAAAAA" else "BBBBBBBB")
    status, states, _ = judge(tmp_path, evidence, *call, nras=genuine | {"token": json.dumps(token)})
    assert status == 1 and states["nvidia.nras.signature"] == "fail"


def find_payload(value):
    """Returns the first nvidia_payload in a report, wherever it stands."""
    if isinstance(value, dict):
        if "nvidia_payload" in value:
            text = value["nvidia_payload"]
            return json.loads(text) if isinstance(text, str) else text
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            if (found := find_payload(item)) is not None:
                return found
    return None
