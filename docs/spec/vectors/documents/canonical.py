"""JSON as docs/spec/canonical-json.md has it: the strict reader, the canonical form (RFC 8785) and digests."""

import hashlib
import json
import math
import re
from decimal import Decimal

HEX = re.compile(r"[0-9a-f]*")
MOST_WHOLE = 2**53


class Refused(ValueError):
    """A document, or its claim, is not accepted. `check` is the id of the check that fails."""

    def __init__(self, check, reason):
        super().__init__(f"{check}: {reason}")
        self.check = check


def require(condition, check, reason):
    if not condition:
        raise Refused(check, reason)


# --- reading


def _object(members):
    value = dict(members)
    if len(value) != len(members):
        raise ValueError("an object has two members of the same name")
    return value


def _constant(name):
    raise ValueError(f"{name} is not JSON")


def _check_value(value, levels):
    if isinstance(value, str):
        value.encode("utf-8")  # raises an error for half of a surrogate pair
    elif isinstance(value, (int, float)):
        try:
            finite = math.isfinite(value)
        except OverflowError:
            finite = False
        if not finite:
            raise ValueError("a number beyond every double")
    elif isinstance(value, (dict, list)):
        if levels == 0:
            raise ValueError("the text is nested too deeply")
        for part in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_value(part, levels - 1)


def read_json(data, check="json", most_bytes=16 << 20, most_levels=64):
    """Returns the value of this text, given as bytes."""
    require(len(data) <= most_bytes, check, f"the text has more than {most_bytes} bytes")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
        _check_value(value, most_levels)
    except (ValueError, RecursionError) as error:
        raise Refused(check, str(error)) from error
    return value


# --- writing


def _number(value):
    """Number::toString of ECMAScript, which RFC 8785 prescribes."""
    double = float(value)
    if double == 0:
        return "0"
    _, digits, exponent = Decimal(repr(abs(double))).normalize().as_tuple()
    digits = "".join(map(str, digits))
    count, point = len(digits), len(digits) + exponent  # the value is 0.DIGITS * 10^point
    if count <= point <= 21:
        text = digits + "0" * (point - count)
    elif 0 < point <= 21:
        text = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if count > 1 else "") + f"e{point - 1:+d}"
    # An integer of 64 bits that no double holds would silently become another number.
    if isinstance(value, int) and -(2**63) <= value < 2**64 and int(double) != value and text.lstrip("-") != str(abs(value)):
        raise Refused("json", "an integer that no double holds")
    return ("-" if double < 0 else "") + text


def _text(value):
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(_text(name) + ":" + _text(value[name]) for name in names) + "}"


def canonical(value):
    """Returns the form of RFC 8785, as bytes."""
    return _text(value).encode("utf-8")


def sha256(data):
    return hashlib.sha256(data).digest()


def digest(data):
    """Returns the text by which documents name the hash of these bytes."""
    return "sha256:" + sha256(data).hex()


# --- members


class Members:
    """The members of one object. Each method returns the member of this name, or refuses the document."""

    def __init__(self, value, check, names, optional=()):
        require(isinstance(value, dict), check, "it is no object")
        self.value, self.check = value, check
        unknown, missing = set(value) - set(names) - set(optional), set(names) - set(value)
        require(not unknown, check, f"unknown members: {sorted(unknown)}")
        require(not missing, check, f"missing members: {sorted(missing)}")

    def _take(self, name, kind, what, null):
        value = self.value.get(name)
        if null and value is None:
            return None
        require(isinstance(value, kind) and not (kind is int and isinstance(value, bool)), self.check, f"{name} is not {what}")
        return value

    def text(self, name, null=False):
        return self._take(name, str, "text", null)

    def whole(self, name, null=False):
        value = self._take(name, int, "a whole number", null)
        require(value is None or 0 <= value <= MOST_WHOLE, self.check, f"{name} is not 0 to 2^53")
        return value

    def list(self, name, most):
        value = self._take(name, list, "a list", False)
        require(len(value) <= most, self.check, f"{name} has more than {most} elements")
        return value

    def hex(self, name, size):
        """Lower-case hex of so many bytes."""
        value = self.text(name)
        require(len(value) == 2 * size and HEX.fullmatch(value), self.check, f"{name} is not {2 * size} lower-case hex digits")
        return bytes.fromhex(value)

    def digest(self, name, null=False):
        value = self.text(name, null)
        if value is None:
            return None
        good = value.startswith("sha256:") and len(value) == 71 and HEX.fullmatch(value[7:])
        require(good, self.check, f"{name} is not sha256: and 64 lower-case hex digits")
        return value
