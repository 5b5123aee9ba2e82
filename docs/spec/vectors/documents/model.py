"""The identity of a model (docs/spec/model-identity.md)."""

import re

from .canonical import Members, canonical, digest, read_json, require, sha256
from .events import merkle_root

FORM = "model.document"
TREE = "sha256-rfc9162-1mib"
CHUNK = 1 << 20
NAMES = ("schema", "id", "engine", "weights", "tokenizer_digest", "chat_template_digest", "architecture", "quantization", "parameters",
         "context_length", "settings")
PLAIN, NAME = re.compile(r"[ -~]+"), re.compile(r"[a-z0-9_]{1,64}")
STATUSES = ("asserted", "refuted", "unknown")
SOURCES = ("hardware_proven", "verifier_derived", "provider_asserted", "operator_asserted")


def file_digest(data):
    """Returns the root over the chunks of one file."""
    return merkle_root([sha256(b"\0" + data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)])


def weights_digest(files):
    """Returns the root over the digests of all files, 32 bytes each."""
    return merkle_root([sha256(b"\0" + file) for file in files])


def plain(text):
    """Returns the text as the document writes it: %XX for each byte outside printable ASCII, and for `%`. It is cut to 256 characters."""
    out = ""
    for byte in text.encode():
        written = chr(byte) if 32 <= byte < 127 and byte != 37 else f"%{byte:02X}"
        if len(out) + len(written) > 256:
            break
        out += written
    return out


def _plain(members, name, null=False, most=256):
    value = members.text(name, null)
    require(value is None or (len(value) <= most and PLAIN.fullmatch(value)), FORM, f"{name} is not 1 to {most} characters of printable ASCII")
    return value


def _weights(value):
    weights = Members(value, FORM, ("tree", "digest", "files", "memory"))
    require(weights.text("tree") == TREE, FORM, f"the tree is not {TREE}")
    require(weights.text("memory") in ("locked", "paged"), FORM, "memory is neither locked nor paged")
    require(weights.list("files", 4096), FORM, "there is no file")
    roots = []
    for entry in weights.list("files", 4096):
        file = Members(entry, FORM, ("name", "size", "digest"))
        _plain(file, "name")
        file.whole("size")
        roots.append(bytes.fromhex(file.digest("digest")[7:]))
    require(weights.digest("digest") == "sha256:" + weights_digest(roots).hex(), FORM, "weights.digest is not that of the files")


def _settings(settings):
    require(isinstance(settings, dict) and len(settings) <= 64, FORM, "settings is no object of at most 64 members")
    members = Members(settings, FORM, (), tuple(settings))
    for name, value in settings.items():
        require(NAME.fullmatch(name), FORM, "a name of a setting is not 1 to 64 of a-z, 0-9 and _")
        if isinstance(value, str):
            _plain(members, name)
        elif not isinstance(value, bool):
            members.whole(name)


def _claims(claims):
    require(isinstance(claims, dict) and 1 <= len(claims) <= 16, FORM, "claims is no object of 1 to 16 members")
    for name, value in claims.items():
        require(NAME.fullmatch(name), FORM, "a name of a claim is not 1 to 64 of a-z, 0-9 and _")
        claim = Members(value, FORM, ("status", "source", "reason", "digest"))
        require(claim.text("status") in STATUSES and claim.text("source") in SOURCES, FORM, "an unknown status or source")
        _plain(claim, "reason", most=512)
        claim.digest("digest", null=True)


def read_model(model):
    """Returns the document, given as the bytes of its text or as a value, after a check of its form."""
    if isinstance(model, bytes):
        model = read_json(model, FORM)
    members = Members(model, FORM, NAMES, ("claims",))
    require(members.text("schema") == "cloister.model.v1", FORM, "the schema is not cloister.model.v1")
    _plain(members, "id")
    engine = Members(model["engine"], FORM, ("name", "cloister", "commit", "backend", "instructions"))
    for name in ("name", "cloister"):
        _plain(engine, name)
    for name in ("commit", "backend", "instructions"):
        _plain(engine, name, null=True)
    if model["weights"] is not None:
        _weights(model["weights"])
    for name in ("tokenizer_digest", "chat_template_digest"):
        members.digest(name, null=True)
    for name in ("architecture", "quantization"):
        _plain(members, name, null=True)
    for name in ("parameters", "context_length"):
        members.whole(name, null=True)
    _settings(model["settings"])
    if "claims" in model:
        _claims(model["claims"])
    return model


def model_digest(model):
    return digest(canonical(model))
