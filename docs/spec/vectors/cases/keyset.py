"""Keysets under public test keys."""

import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_keys.datatypes import PrivateKey

from documents.canonical import canonical, sha256
from documents.keyset import check_keyset, keyset_digest, read_keyset

from . import must_refuse, replaced, secret

NOT_AFTER = 1800000000
AT = 1790000000

RECEIPT_KEY = Ed25519PrivateKey.from_private_bytes(secret("receipt-1"))
LEGACY_ED25519 = Ed25519PrivateKey.from_private_bytes(secret("legacy-ed25519-1"))
LEGACY_ECDSA = secret("legacy-ecdsa-1")
TLS_SPKI = Ed25519PrivateKey.from_private_bytes(secret("tls-1")).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def point(key):
    """Returns x and y of the public key on secp256k1, 128 hex digits."""
    return PrivateKey(key).public_key.to_bytes().hex()


LEGACY_ADDRESS = PrivateKey(LEGACY_ECDSA).public_key.to_checksum_address()
PUBLIC = {
    "receipt-1": ("ed25519", raw(RECEIPT_KEY)),
    "legacy-ecdsa-1": ("cloister.legacy.ecdsa", point(LEGACY_ECDSA)),
    "legacy-ed25519-1": ("cloister.legacy.ed25519", raw(LEGACY_ED25519)),
    "e2ee-x25519-1": ("x25519-aes-256-gcm-hkdf-sha256", raw(X25519PrivateKey.from_private_bytes(secret("e2ee-x25519-1")))),
    "e2ee-secp256k1-1": ("secp256k1-aes-256-gcm-hkdf-sha256", "04" + point(secret("e2ee-secp256k1-1"))),
}


def entry(key_id):
    algo, public_key = PUBLIC[key_id]
    return {"key_id": key_id, "algo": algo, "public_key": public_key}


KEYSET = {
    "subject": None,
    "not_after": NOT_AFTER,
    "receipt_signing_keys": [entry("receipt-1"), entry("legacy-ecdsa-1"), entry("legacy-ed25519-1")],
    "e2ee_public_keys": [entry("e2ee-x25519-1"), entry("e2ee-secp256k1-1"),
                         {"key_id": "tls-1", "algo": "cloister.tls.born", "public_key": sha256(TLS_SPKI).hex()}],
    "tls_public_keys": [{"spki_sha256": sha256(TLS_SPKI).hex()}],
}
TEXT = canonical(KEYSET).decode()
SMALL = {
    "subject": "Gr\u00fc\u00dfe, \U0001f600",
    "not_after": NOT_AFTER,
    "receipt_signing_keys": [entry("receipt-1")],
    "e2ee_public_keys": [],
    "tls_public_keys": [{"domain": "node.example", "spki_sha256": sha256(TLS_SPKI).hex()}],
}


def accepted(name, text):
    keyset = read_keyset(text.encode())
    check_keyset(keyset, AT)
    form = canonical(keyset)
    return {"name": name, "text": text, "canonical": form.decode(), "canonical_hex": form.hex(), "digest": keyset_digest(keyset)}


RECEIPT, X25519 = PUBLIC["receipt-1"][1], PUBLIC["e2ee-x25519-1"][1]
REFUSED = [
    ("keyset.form", "a member that the form does not have", '{"e2ee', '{"note":1,"e2ee'),
    ("keyset.form", "a key with a member that the form does not have", '"key_id":"receipt-1"', '"key_id":"receipt-1","note":1'),
    ("keyset.form", "a key without its id", '"key_id":"receipt-1",', ""),
    ("keyset.form", "a member twice", '"not_after":1800000000', '"not_after":1800000000,"not_after":1900000000'),
    ("keyset.form", "a number with a fraction", "1800000000", "1800000000.0"),
    ("keyset.form", "a number as text", "1800000000", '"1800000000"'),
    ("keyset.form", "a number below zero", "1800000000", "-1"),
    ("keyset.form", "a list that is missing", f',"tls_public_keys":[{{"spki_sha256":"{sha256(TLS_SPKI).hex()}"}}]', ""),
    ("keyset.form", "a hash in upper case", f'"spki_sha256":"{sha256(TLS_SPKI).hex()}"', f'"spki_sha256":"{sha256(TLS_SPKI).hex().upper()}"'),
    ("keyset.roles", "two keys of one role with one id", '"key_id":"legacy-ecdsa-1"', '"key_id":"receipt-1"'),
    ("keyset.roles", "one key in two roles", X25519, RECEIPT),
    ("keyset.roles", "one key in two roles, in another case", X25519, RECEIPT.upper()),
    ("keyset.not_after", "an expired keyset", "1800000000", str(AT)),
]


def refused(check, name, old, new):
    def read(text):
        check_keyset(read_keyset(text.encode()), AT)

    must_refuse(check, read, replaced(TEXT, old, new))
    return {"name": name, "check": check, "replace": [old, new]}


def vectors():
    shuffled = json.dumps(dict(reversed(KEYSET.items())), indent=1).replace('"receipt-1"', '"\\u0072eceipt-1"')
    first = accepted("the keyset of a node", TEXT)
    second = accepted("the same keyset in another spelling", shuffled)
    assert first["digest"] == second["digest"]
    return {
        "specification": "docs/spec/native-report.md#keyset",
        "public_test_keys": [{"key_id": key_id, "algo": algo, "private_key": secret(key_id).hex(), "public_key": public} for key_id, (algo, public) in PUBLIC.items()],
        "legacy_address": LEGACY_ADDRESS,
        "tls_spki": TLS_SPKI.hex(),
        "at": AT,
        "accepted": [first, second, accepted("a subject, and a TLS key for one host", json.dumps(SMALL, ensure_ascii=False))],
        "refused": [refused(*case) for case in REFUSED],
    }
