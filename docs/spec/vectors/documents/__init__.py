"""Reads, writes and checks the documents of docs/spec. The package was written after those pages and shares no code with the program: a
second implementation, which makes the public vectors and verifies the replies of a real node in the tests.

It needs `cryptography` (Ed25519) and `eth-account` (secp256k1 with Ethereum's conventions). Each reader raises `Refused`, which names the
check of docs/checks.md that fails.
"""
