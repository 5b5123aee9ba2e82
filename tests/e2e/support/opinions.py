"""Go's verifiers, in the program that `tools/fetch opinions` makes out of tests/differential/go."""

import os
import pathlib

import pytest

from support.node import ROOT

PROGRAM = pathlib.Path(os.environ.get("CLOISTER_CACHE") or ROOT / ".cache") / "opinions/opinions"


def missing(what):
    """Nothing is skipped where everything has to run."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


def opinions():
    """The path of the program."""
    if not PROGRAM.is_file():
        missing(f"{PROGRAM} is not there: tools/fetch opinions brings it")
    return PROGRAM
