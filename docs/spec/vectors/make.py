#!/usr/bin/env python3
"""Makes the vectors in this folder from fixed inputs, with the implementation in documents/.

    docs/spec/vectors/make.py           writes the files
    docs/spec/vectors/make.py --check   says which files differ from what would be written; exit status 1 if any does
"""

import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from cases import canonical_json, keyset, model_identity, prefix_proof, receipt, statement  # noqa: E402

FILES = {
    "canonical-json.json": canonical_json.vectors,
    "keyset.json": keyset.vectors,
    "model-identity.json": model_identity.vectors,
    "prefix-proof.json": prefix_proof.vectors,
    "receipt.json": receipt.vectors,
    "statement.json": statement.vectors,
}


def texts():
    """Returns {file name: what the file holds}."""
    return {name: json.dumps(vectors(), indent=1) + "\n" for name, vectors in FILES.items()}


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    differing = [name for name, text in texts().items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text]
    for name in differing:
        if arguments:
            print(f"{name} differs from what make.py writes")
        else:
            (FOLDER / name).write_text(texts()[name])
    return 1 if arguments and differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
