"""Texts of JSON, their canonical form (RFC 8785), and texts that a reader refuses."""

from documents.canonical import canonical, read_json, sha256

from . import must_refuse

ACCEPTED = [
    ("numbers in the forms of ECMAScript", b"[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001, 1e21, 1e20, 1e-6, 1e-7, -0.0, -0, 5e-324, 1.7976931348623157e308]"),
    ("integers around 2^53", b"[9007199254740991, 9007199254740992, -9007199254740992, 9007199254740994]"),
    ("an integer of 64 bits that a double holds is written with the digits of the double", b"[1152921504606846976, 1152921504606847000]"),
    ("an integer beyond 64 bits is rounded, like a number with a fraction", b"[18446744073709551617, 100000000000000000001]"),
    ("names in the order of their UTF-16 code units, not of their code points or bytes",
     '{"\u20ac": "Euro Sign", "\\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}'.encode()),
    ("names that are prefixes, of another case, or empty", b'{"b":1,"aa":2,"a":3,"A":4,"":5,"a ":6}'),
    ("only what JSON must escape is escaped, in the shortest form", rb'["\u0000\u0008\u0009\u000a\u000b\u000c\u000d\u001f\u0022\u005c\u002f\u007f\u2028\u00fC", "\/"]'),
    ("text is not normalised", '["\u00e9", "e\u0301", "\\ud83d\\ude00"]'.encode()),
    ("white space between tokens", b' {\t"b" :\r\n[ true , false,null ] , "a":{ } }\n'),
    ("64 levels", b"[" * 64 + b"]" * 64),
]

REFUSED = [
    ("an integer of 64 bits that no double holds", b"[9007199254740993]"),
    ("the largest integer of 64 bits", b"[18446744073709551615]"),
    ("a number beyond every double", b"[1e309]"),
    ("no number", b"[NaN]"),
    ("a leading zero", b"[01]"),
    ("two members of one name", b'{"a":1,"a":1}'),
    ("two members of one name in two spellings", rb'{"a":1,"\u0061":2}'),
    ("half of a surrogate pair", rb'["\ud83d"]'),
    ("the halves of a surrogate pair in the wrong order", rb'["\ude00\ud83d"]'),
    ("UTF-8 in an overlong form", b'["\xc0\xaf"]'),
    ("a surrogate in UTF-8", b'["\xed\xa0\xbd"]'),
    ("a line feed in a string", b'["\n"]'),
    ("a byte order mark", b"\xef\xbb\xbf[]"),
    ("bytes after the end", b"[] []"),
    ("a comma before the end", b"[1,]"),
    ("a comment", b"[/* */]"),
    ("65 levels", b"[" * 65 + b"]" * 65),
    ("nothing", b""),
]


def vectors():
    accepted = []
    for name, text in ACCEPTED:
        form = canonical(read_json(text))
        assert canonical(read_json(form)) == form, name
        accepted.append({"name": name, "text_hex": text.hex(), "canonical": form.decode(), "canonical_hex": form.hex(), "sha256": sha256(form).hex()})
    for _, text in REFUSED:
        must_refuse("json", lambda: canonical(read_json(text)))
    return {
        "specification": "docs/spec/canonical-json.md",
        "accepted": accepted,
        "refused": [{"name": name, "check": "json", "text_hex": text.hex()} for name, text in REFUSED],
    }
