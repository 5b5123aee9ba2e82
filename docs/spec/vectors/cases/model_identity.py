"""Identities of models, digests of files, and the digest of a tokenizer."""

import json
import struct

from documents.canonical import canonical, digest
from documents.gguf import header, tokenizer_digest, tokenizer_entries
from documents.model import CHUNK, file_digest, model_digest, plain, read_model, weights_digest

from . import must_refuse, replaced

PATTERN = bytes(range(256))
SIZES = (0, 1, CHUNK, CHUNK + 1, 5 * CHUNK // 2)


def file_of(size):
    return (PATTERN * (size // 256 + 1))[:size]


ROOTS = {size: file_digest(file_of(size)) for size in SIZES}


def weights(*sizes):
    files = [{"name": f"part-{number:05}-of-{len(sizes):05}.gguf", "size": size, "digest": "sha256:" + ROOTS[size].hex()} for number, size in enumerate(sizes, 1)]
    return {"tree": "sha256-rfc9162-1mib", "digest": "sha256:" + weights_digest([ROOTS[size] for size in sizes]).hex(), "files": files, "memory": "locked"}


LLAMA = {
    "schema": "cloister.model.v1",
    "id": "small",
    "engine": {"name": "llama.cpp", "commit": "0123456789abcdef0123456789abcdef01234567", "backend": "cpu", "instructions": "x86-64-v3", "cloister": "0.1.0"},
    "weights": weights(5 * CHUNK // 2, CHUNK + 1, 1),
    "tokenizer_digest": digest(b"the entries of the tokenizer"),
    "chat_template_digest": digest(b"{% for message in messages %}{{ message.content }}{% endfor %}"),
    "architecture": "llama",
    "quantization": "Q4_1",
    "parameters": 134515008,
    "context_length": 4096,
    "settings": {"threads": 2, "flash_attention": False, "cache_type_k": "f16"},
}
ECHO = {name: None for name in LLAMA} | {
    "schema": "cloister.model.v1",
    "id": "echo",
    "engine": {"name": "echo", "commit": None, "backend": None, "instructions": None, "cloister": "0.1.0"},
    "settings": {},
}
UPSTREAM = ECHO | {
    "id": plain("Gr\u00fc\u00dfe 100%"),
    "engine": ECHO["engine"] | {"name": "upstream"},
    "claims": {"model_id": {"status": "asserted", "source": "provider_asserted", "reason": "the server lists this name", "digest": None}},
}


def string(text):
    return struct.pack("<Q", len(text)) + text


# These entries are not in the order of their keys, and some of them do not belong to the tokenizer.
ENTRIES = [
    (b"tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + string(b"<s>") + string("\u00fc".encode()) + string(b"a\0b")),
    (b"general.architecture", 8, string(b"llama")),
    (b"tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 1)),
    (b"tokenizer.chat_template", 8, string(b"{{ messages }}")),
    (b"tokenizer.chat_template.tool_use", 8, string(b"{{ tools }}")),
    (b"tokenizer.ggml.add_bos_token", 7, b"\1"),
    (b"tokenizer.ggml.scores", 9, struct.pack("<IQ3f", 6, 3, 0.0, -1.0, 0.5)),
    (b"tokenizer.ggml.model", 8, string(b"gpt2\0and the rest")),
    (b"tokenizer.ggml.Upper", 12, struct.pack("<d", 0.25)),
    (b"tokenizer.ggml.added_tokens", 9, struct.pack("<IQ", 8, 0)),
    (b"tokenizer_class", 8, string(b"llama")),
]
GGUF = struct.pack("<4sIQQ", b"GGUF", 3, 0, len(ENTRIES)) + b"".join(string(key) + struct.pack("<I", kind) + value for key, kind, value in ENTRIES)
GGUF += bytes(-len(GGUF) % 32)
NAMES = ["Gr\u00fc\u00dfe 100%", "\u0000\t~\u007f\U0001f600", "x" * 300, "x" * 254 + "\u00fc"]
TEXT = canonical(LLAMA).decode()
ROOT = LLAMA["weights"]["digest"]

REFUSED = [
    ("a member that the form does not have", '"id":"small"', '"id":"small","note":1'),
    ("a member that is missing, where null is allowed", '"architecture":"llama",', ""),
    ("another schema", "cloister.model.v1", "cloister.model.v2"),
    ("text outside ASCII", '"id":"small"', '"id":"sm\u00e5ll"'),
    ("a control character", '"id":"small"', '"id":"small\\n"'),
    ("an empty text", '"id":"small"', '"id":""'),
    ("257 characters", '"id":"small"', f'"id":"{"x" * 257}"'),
    ("a number with a fraction", "134515008", "134515008.0"),
    ("a number above 2^53", "134515008", "9007199254740994"),
    ("a digest in upper case", ROOT, ROOT[:7] + ROOT[7:].upper()),
    ("a digest that is not that of the files", ROOT, digest(b"")),
    ("another tree", "sha256-rfc9162-1mib", "sha256-rfc9162-4mib"),
    ("another word for the memory", '"memory":"locked"', '"memory":"safe"'),
    ("a setting with a fraction", '"threads":2', '"threads":2.5'),
    ("a setting that is an object", '"threads":2', '"threads":{}'),
    ("a setting with an upper-case name", '"threads":2', '"Threads":2'),
    ("claims without a claim", '"context_length":4096', '"claims":{},"context_length":4096'),
    ("a claim by an unknown source", '"context_length":4096',
     '"claims":{"weights":{"digest":null,"reason":"x","source":"hearsay","status":"asserted"}},"context_length":4096'),
]


def accepted(name, model, text=None):
    text = text or json.dumps(model, indent=1)
    form = canonical(read_model(text.encode()))
    return {"name": name, "text": text, "canonical": form.decode(), "canonical_hex": form.hex(), "digest": model_digest(model)}


def refused(name, old, new):
    must_refuse("model.document", read_model, replaced(TEXT, old, new).encode())
    return {"name": name, "check": "model.document", "replace": [old, new]}


def vectors():
    return {
        "specification": "docs/spec/model-identity.md",
        "file_pattern": PATTERN.hex(),
        "files": [{"size": size, "digest": "sha256:" + root.hex()} for size, root in ROOTS.items()],
        "tokenizer": {"gguf_hex": GGUF.hex(), "entries_hex": tokenizer_entries(header(GGUF)).hex(), "digest": tokenizer_digest(GGUF)},
        "texts": [{"text": name, "written": plain(name)} for name in NAMES],
        "accepted": [accepted("weights in three files", LLAMA, TEXT), accepted("no weights", ECHO), accepted("a claim, and a name outside ASCII", UPSTREAM)],
        "refused": [refused(*case) for case in REFUSED],
    }
