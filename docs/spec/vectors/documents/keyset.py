"""The keyset (docs/spec/native-report.md, "Keyset")."""

from .canonical import HEX, Members, canonical, digest, read_json, require

LISTS = ("receipt_signing_keys", "e2ee_public_keys", "tls_public_keys")
MOST_KEYS = 64


def read_keyset(keyset):
    """Returns the keyset, given as the bytes of its text or as a value, after a check of its form."""
    if isinstance(keyset, bytes):
        keyset = read_json(keyset, "keyset.form")
    members = Members(keyset, "keyset.form", ("not_after", *LISTS), ("subject",))
    members.text("subject", null=True)
    members.whole("not_after")
    for role in LISTS[:2]:
        for entry in members.list(role, MOST_KEYS):
            key = Members(entry, "keyset.form", ("key_id", "algo", "public_key"))
            for name in ("key_id", "algo", "public_key"):
                key.text(name)
    for entry in members.list("tls_public_keys", MOST_KEYS):
        key = Members(entry, "keyset.form", ("spki_sha256",), ("domain",))
        key.hex("spki_sha256", 32)
        key.text("domain", null=True)
    return keyset


def keyset_digest(keyset):
    return digest(canonical(keyset))


def check_keyset(keyset, at):
    """Refuses a keyset that gives a key two roles, or that is not valid at this time (seconds since 1970)."""
    require(keyset["receipt_signing_keys"], "keyset.roles", "there is no key for receipts")
    keys = set()
    for role in LISTS[:2]:
        names = [entry["key_id"] for entry in keyset[role]]
        require(len(set(names)) == len(names), "keyset.roles", f"two keys of {role} have one key_id")
        for entry in keyset[role]:
            key = entry["public_key"].lower()
            require(key not in keys, "keyset.roles", "one key is listed twice")
            keys.add(key)
    require(at < keyset["not_after"], "keyset.not_after", "the keyset has expired")


def receipt_key(keyset, key_id):
    """Returns the 32 bytes of the Ed25519 key that this id names among the receipt keys."""
    found = [entry for entry in keyset["receipt_signing_keys"] if entry["key_id"] == key_id]
    require(len(found) == 1, "receipt.key", f"{len(found)} receipt keys have this id")
    require(found[0]["algo"] == "ed25519", "receipt.key", "the key has another algorithm than ed25519")
    key = found[0]["public_key"].lower()
    require(len(key) == 64 and HEX.fullmatch(key), "receipt.key", "the key is not 64 hex digits")
    return bytes.fromhex(key)
