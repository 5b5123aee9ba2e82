"""The documents of docs/spec, by the implementation that makes the public vectors and shares no code with the program. Its names are
importable from here."""

import json
import sys

from support.node import ROOT

VECTORS = ROOT / "docs/spec/vectors"
sys.path.insert(0, str(VECTORS))

from documents.canonical import Refused, canonical, digest, read_json  # noqa: E402,F401
from documents.events import (check_prefix, event_seed, leaf, leaves_of, merkle_root, read_prefix_proof, response_events,  # noqa: E402,F401
                              split_events)
from documents.gguf import chat_template, tokenizer_digest  # noqa: E402,F401
from documents.keyset import check_keyset, keyset_digest, read_keyset  # noqa: E402,F401
from documents.model import file_digest, model_digest, read_model, weights_digest  # noqa: E402,F401
from documents.receipt import check_receipt, check_signature, event, read_receipt, sign  # noqa: E402,F401
from documents.statement import check_report, gpu_nonce  # noqa: E402,F401


def vectors(name):
    """Returns the content of one file of vectors."""
    return json.loads((VECTORS / name).read_text())
