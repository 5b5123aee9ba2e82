"""The inputs of the vectors, one module for each file, and what the modules share."""

from documents.canonical import Refused, sha256


def secret(name):
    """Returns the 32 bytes of a public test key."""
    return sha256(b"Cloister public test key: " + name.encode())


def replaced(text, old, new):
    """Returns the text with `old`, which occurs in it exactly once, replaced by `new`."""
    assert text.count(old) == 1 and old != new, (text.count(old), old)
    return text.replace(old, new)


def must_refuse(check, reader, *arguments):
    """Fails unless the reader refuses the arguments for this check."""
    try:
        reader(*arguments)
    except Refused as refused:
        assert refused.check == check, (refused, check)
        return
    raise AssertionError(f"expected a refusal by {check}, found none")
