"""The tokenizer's digest, from the header of a GGUF file (docs/spec/model-identity.md, "Tokenizer")."""

import struct

from .canonical import sha256

STRING, ARRAY = 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def _string(data, at):
    """Returns (bytes of the string, offset after it)."""
    (size,) = struct.unpack_from("<Q", data, at)
    return data[at + 8 : at + 8 + size], at + 8 + size


def _value(data, at, kind):
    """Returns (the value as the digest encodes it, offset after it)."""
    if kind == STRING:
        text, end = _string(data, at)
        return encoded_string(text), end
    if kind != ARRAY:
        return data[at : at + SIZES[kind]], at + SIZES[kind]
    element, count = struct.unpack_from("<IQ", data, at)
    parts, end = [data[at : at + 12]], at + 12
    for _ in range(count):
        part, end = _value(data, end, element)
        parts.append(part)
    return b"".join(parts), end


def encoded_string(text):
    text = text.split(b"\0", 1)[0]
    return struct.pack("<Q", len(text)) + text


def header(data):
    """Returns {key: (type, value as the digest encodes it)} of a GGUF file of version 3."""
    magic, version, _, count = struct.unpack_from("<4sIQQ", data)
    if magic != b"GGUF" or version != 3:
        raise ValueError("expected GGUF version 3")
    found, at = {}, 24
    for _ in range(count):
        key, at = _string(data, at)
        (kind,) = struct.unpack_from("<I", data, at)
        value, at = _value(data, at + 4, kind)
        found[key] = (kind, value)
    return found


def tokenizer_entries(entries):
    """Returns the bytes that the digest is the hash of."""
    mine = {key: entry for key, entry in entries.items() if key.startswith(b"tokenizer.") and not key.startswith(b"tokenizer.chat_template")}
    return b"".join(encoded_string(key) + struct.pack("<I", kind) + value for key, (kind, value) in sorted(mine.items()))


def tokenizer_digest(data):
    """Returns the digest for the bytes of a GGUF file, of which only the header is read."""
    return "sha256:" + sha256(tokenizer_entries(header(data))).hex()


def chat_template(data):
    """Returns the bytes of the template that the file names for all conversations."""
    return header(data)[b"tokenizer.chat_template"][1][8:]
