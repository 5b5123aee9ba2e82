#!/usr/bin/env python3
"""Judges a file with libcloister_verify through ctypes: no compiler, no package.

    examples/python/verify.py report report.json --hex nonce=5a5a... --hex tls_spki_sha256=0f1e... --collateral bundle.json --policy policy.toml
    examples/python/verify.py report report.json --hex nonce=5a5a... --as-document
    examples/python/verify.py quote quote.bin --file event_log=log.json --file app_compose=compose.json
    examples/python/verify.py receipt receipt.json --file report=report.json --file response=reply.bin --text model=demo

The kinds and the names are those of include/cloister/cloister.h: a structure cloister_KIND_input and its members. Exit status as
`cloister verify`: 0 accepted, 1 rejected, 2 unreadable or wrong usage, 3 undetermined. The library is looked for where CLOISTER_LIBRARY
says, in build/release of this repository, and where the system looks.

A program of one's own takes the classes Verifier and Verdict from here. For the signature of a reply it judges the report first, and gives an address
of that verdict (Verdict.signing_addresses) to the second judgement: an address in the report or beside the signature is only what somebody wrote there.
"""

import argparse
import ctypes
import os
import pathlib
import sys

ABI_VERSION = 3
OK = 0
ERROR_NOT_FOUND = 9
ACCEPTED, REJECTED, UNREADABLE, UNDETERMINED = 70000, 70001, 70002, 70003
STATES = {80001: "fail", 80002: "skipped", 80003: "n/a", 80004: "pass"}
REPORT_AS_DOCUMENT = 1
FILE_BEGINNING = 1

# The members of each input behind struct_size and flags, in their order. The first is what is judged.
FILE_MEMBERS = ["file", "nonce", "request", "response", "id", "model", "address", "report_data", "model_manifest"]
MEMBERS = {
    "report": ["report", "nonce", "tls_spki_sha256", "tls_host", "instances", "model", "model_manifest"],
    "quote": ["quote", "report_data", "event_log", "ccel", "app_compose", "vm_config"],
    "gpu": ["evidence", "chain", "nonce"],
    "snp": ["report", "report_data"],
    "receipt": ["receipt", "report", "nonce", "keyset", "session", "prefix_proof", "request", "response", "id", "model", "model_manifest"],
    "session": ["session", "id", "receipt", "model_manifest"],
    "signature": ["signature", "request", "response", "address"],
    "proof": FILE_MEMBERS,
    "archive": FILE_MEMBERS,
    "bundle": FILE_MEMBERS,
}


class Bytes(ctypes.Structure):
    """cloister_bytes: NULL is absent; an empty value that is present has an address."""

    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Text(ctypes.Structure):
    """cloister_text. The address is no c_char_p: ctypes would end the text at the first zero in it."""

    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]

    def __str__(self):
        return ctypes.string_at(self.data, self.size).decode(errors="replace")


class CheckStruct(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("required", ctypes.c_uint32), ("state", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                *((name, Text) for name in ("id", "detail", "expected", "found", "meaning", "without"))]


def input_class(kind):
    members = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32), *((name, Bytes) for name in MEMBERS[kind])]
    return type(f"{kind}_input", (ctypes.Structure,), {"_fields_": members})


INPUTS = {kind: input_class(kind) for kind in MEMBERS}


def load(path=None):
    """The library, with the types of its functions. Another version of its interface is an error."""
    built = pathlib.Path(__file__).resolve().parents[2] / f"build/release/libcloister_verify.so.{ABI_VERSION}"
    path = path or os.environ.get("CLOISTER_LIBRARY") or (built if built.exists() else f"libcloister_verify.so.{ABI_VERSION}")
    library = ctypes.CDLL(str(path))
    handle, text = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_size_t]

    def declare(name, result, *arguments):
        function = getattr(library, "cloister_" + name)
        function.restype, function.argtypes = result, arguments

    declare("abi_version", ctypes.c_uint32)
    if library.cloister_abi_version() != ABI_VERSION:
        raise OSError(f"{path}: version {library.cloister_abi_version()} of the interface, expected {ABI_VERSION}")
    declare("verifier_new", handle)
    declare("verifier_free", None, handle)
    declare("verifier_error", ctypes.c_char_p, handle)
    declare("verifier_follow_clock", ctypes.c_int, handle)
    declare("verifier_set_time", ctypes.c_int, handle, ctypes.c_int64)
    declare("verifier_set_policy", ctypes.c_int, handle, *text)
    declare("verifier_add_collateral", ctypes.c_int, handle, *text)
    declare("verifier_add_rim", ctypes.c_int, handle, ctypes.c_char_p, *text)
    declare("default_policy", ctypes.c_char_p)
    for kind in MEMBERS:
        declare("verify_" + kind, ctypes.c_int, handle, ctypes.POINTER(INPUTS[kind]), ctypes.POINTER(handle))
    declare("verdict_outcome", ctypes.c_int, handle)
    declare("verdict_refusal", ctypes.c_int, handle)
    declare("verdict_is_simulated", ctypes.c_int32, handle)
    declare("verdict_signing_address", ctypes.c_char_p, handle, ctypes.c_size_t)
    declare("verdict_check_count", ctypes.c_size_t, handle)
    declare("verdict_check", ctypes.c_int, handle, ctypes.c_size_t, ctypes.POINTER(CheckStruct))
    declare("verdict_find_check", ctypes.c_int, handle, ctypes.c_char_p, ctypes.POINTER(CheckStruct))
    declare("verdict_free", None, handle)
    for name in ("error", "json", "tree", "summary"):
        declare("verdict_" + name, Text, handle)
    return library


class Check:
    """One check of a verdict: id, state, required, detail, expected, found, meaning, without."""

    def __init__(self, struct):
        self.state, self.required = STATES[struct.state], struct.required == 1
        for name in ("id", "detail", "expected", "found", "meaning", "without"):
            setattr(self, name, str(getattr(struct, name)))


class Verdict:
    """What came of a judgement. `accepted` is the only yes."""

    def __init__(self, library, outcome, handle):
        self._library, self._handle, self.outcome = library, handle, outcome

    def __del__(self):
        self._library.cloister_verdict_free(self._handle)

    @property
    def accepted(self):
        return self.outcome == ACCEPTED

    @property
    def refusal(self):
        """Why nothing was judged (CLOISTER_ERROR_...); 0, which is no yes, where evidence was."""
        return self._library.cloister_verdict_refusal(self._handle)

    @property
    def is_simulated(self):
        """The evidence, or a part of it, is simulated: anybody can make it."""
        return self._library.cloister_verdict_is_simulated(self._handle) != 0

    @property
    def signing_addresses(self):
        """The addresses that an accepted verdict about a report attests; none for every other verdict."""
        out = []
        while address := self._library.cloister_verdict_signing_address(self._handle, len(out)):
            out.append(address.decode())
        return out

    def _text(self, name):
        return str(getattr(self._library, "cloister_verdict_" + name)(self._handle))

    error = property(lambda self: self._text("error"))
    json = property(lambda self: self._text("json"))
    tree = property(lambda self: self._text("tree"))
    summary = property(lambda self: self._text("summary"))

    def checks(self):
        out = []
        for index in range(self._library.cloister_verdict_check_count(self._handle)):
            struct = CheckStruct(struct_size=ctypes.sizeof(CheckStruct))
            if self._library.cloister_verdict_check(self._handle, index, ctypes.byref(struct)) == OK:
                out.append(Check(struct))
        return out

    def find(self, identity):
        """The check of this id, None where there is none."""
        struct = CheckStruct(struct_size=ctypes.sizeof(CheckStruct))
        status = self._library.cloister_verdict_find_check(self._handle, identity.encode(), ctypes.byref(struct))
        return Check(struct) if status == OK else None


class Verifier:
    """What evidence is judged with. The default policy, no collateral and no time, until they are set."""

    def __init__(self, library=None):
        self._library = library or load()
        self._handle = self._library.cloister_verifier_new()
        if not self._handle:
            raise MemoryError

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.cloister_verifier_free(self._handle)

    def _done(self, status):
        if status != OK:
            raise ValueError(self._library.cloister_verifier_error(self._handle).decode())

    def follow_clock(self):
        self._done(self._library.cloister_verifier_follow_clock(self._handle))

    def set_time(self, unix_seconds):
        self._done(self._library.cloister_verifier_set_time(self._handle, unix_seconds))

    def set_policy(self, toml):
        self._done(self._library.cloister_verifier_set_policy(self._handle, toml, len(toml)))

    def add_collateral(self, text):
        self._done(self._library.cloister_verifier_add_collateral(self._handle, text, len(text)))

    def add_rim(self, name, rim):
        self._done(self._library.cloister_verifier_add_rim(self._handle, name.encode(), rim, len(rim)))

    def judge(self, kind, evidence, flags=0, **beside):
        """`beside` gives the other members of the input by their names, as bytes."""
        given = {MEMBERS[kind][0]: evidence, **beside}
        struct = INPUTS[kind](struct_size=ctypes.sizeof(INPUTS[kind]), flags=flags)
        for name, value in given.items():
            if name not in MEMBERS[kind]:
                raise ValueError(f"a {kind} has no {name}")
            if value is not None:
                setattr(struct, name, Bytes(value, len(value)))
        handle = ctypes.c_void_p()
        outcome = getattr(self._library, "cloister_verify_" + kind)(self._handle, ctypes.byref(struct), ctypes.byref(handle))
        if not handle:
            raise MemoryError
        return Verdict(self._library, outcome, handle)


def read(path):
    return pathlib.Path(path).read_bytes()


def main():
    parser = argparse.ArgumentParser(description="judges a file with libcloister_verify")
    parser.add_argument("kind", choices=MEMBERS)
    parser.add_argument("path", metavar="FILE")
    parser.add_argument("--file", action="append", default=[], metavar="NAME=FILE", help="a member of the input, from a file")
    parser.add_argument("--text", action="append", default=[], metavar="NAME=TEXT", help="a member, as it is")
    parser.add_argument("--hex", action="append", default=[], metavar="NAME=HEX", help="a member, as hex")
    parser.add_argument("--collateral", action="append", default=[], metavar="FILE")
    parser.add_argument("--policy", metavar="FILE")
    parser.add_argument("--at", type=int, metavar="SECONDS", help="the time to judge at, since 1970; default: now, and for a file that holds everything its own")
    parser.add_argument("--as-document", action="store_true", help="a report: there is no connection whose TLS key could be compared")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.as_document and options.kind != "report":
        parser.error("--as-document is for a report")
    try:
        verifier = Verifier()
        if options.at is not None:
            verifier.set_time(options.at)
        elif options.kind not in ("proof", "archive", "bundle"):
            verifier.follow_clock()
        if options.policy:
            verifier.set_policy(read(options.policy))
        for path in options.collateral:
            verifier.add_collateral(read(path))
        beside = {}
        for given, value_of in ((options.file, read), (options.text, str.encode), (options.hex, bytes.fromhex)):
            for pair in given:
                name, _, value = pair.partition("=")
                beside[name] = value_of(value)
        flags = REPORT_AS_DOCUMENT if options.as_document else 0
        verdict = verifier.judge(options.kind, read(options.path), flags, **beside)
    except (OSError, ValueError) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    print(verdict.json if options.json else verdict.tree.rstrip("\n"))
    return verdict.outcome - ACCEPTED


if __name__ == "__main__":
    sys.exit(main())
