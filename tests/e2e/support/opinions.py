"""Runs Go's verifiers, in the program that `tools/fetch opinions` builds from tests/differential/go."""

import os
import pathlib

import pytest

from support.node import ROOT

PROGRAM = pathlib.Path(os.environ.get("CLOISTER_CACHE") or ROOT / ".cache") / "opinions/opinions"


def missing(what):
    """Skips the test, but fails it where everything has to run."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


def opinions():
    """Returns the path of the program."""
    if not PROGRAM.is_file():
        missing(f"{PROGRAM} is not there: tools/fetch opinions brings it")
    return PROGRAM
