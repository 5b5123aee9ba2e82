"""Archives made by hand. Each holds a receipt that is signed with the tests' own key, over a reply that a node really gave."""

import base64
import json
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.spec import canonical, digest, keyset_digest, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def keyset():
    public = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    return {
        "subject": None,
        "not_after": int(time.time()) + 86400,
        "receipt_signing_keys": [{"key_id": "receipt-1", "algo": "ed25519", "public_key": public}],
        "e2ee_public_keys": [],
        "tls_public_keys": [],
    }


def receipt(keys, path, request, response, identity, sampling=None):
    served = {"type": "model.served", "model_id": identity["id"], "model_digest": digest(canonical(identity)), "engine": "llama.cpp"}
    if sampling is not None:
        served.update(sampling)
    document = {
        "api_version": "aci/1",
        "receipt_id": "rcpt-1",
        "chat_id": None,
        "model": identity["id"],
        "workload_keyset_digest": keyset_digest(keys),
        "endpoint": path,
        "method": "POST",
        "served_at": int(time.time()),
        "event_log": [
            {"type": "request.received", "body_hash": digest(request)},
            {"type": "request.forwarded", "body_hash": digest(request)},
            served,
            {"type": "response.returned", "body_hash": digest(response)},
        ],
        "key_id": "receipt-1",
    }
    return sign(document, KEY)


def archive(path, request, response, identity, sampling=None, **changes):
    """Returns the text of an archive without a report. The verifier then knows the keyset, but nothing proves that it belongs to a TEE."""
    keys = keyset()
    document = {
        "archive": "cloister.archive.v1",
        "judged_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "receipt": json.dumps(receipt(keys, path, request, response, identity, sampling)),
        "keyset": json.dumps(keys),
        "request": base64.b64encode(request).decode(),
        "response": base64.b64encode(response).decode(),
        "model_manifest": json.dumps(identity),
        **changes,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None}, separators=(",", ":"))
