"""Finds recorded evidence. A file is searched in three folders, in this order: the one that CLOISTER_VECTORS names, else ../shared/vectors
(evidence that is not public); vectors/ of the cache (evidence that tools/fetch extracts from registry packages,
tests/vectors/packages.json); tests/vectors (files that were made here)."""

import json
import os
import pathlib

import pytest

from support.node import ROOT

PACKAGES = json.loads((ROOT / "tests/vectors/packages.json").read_text())
PRIVATE = pathlib.Path(os.environ.get("CLOISTER_VECTORS") or ROOT.parent / "shared/vectors")
FROM_PACKAGES = pathlib.Path(os.environ.get("CLOISTER_CACHE") or ROOT / ".cache") / "vectors"
FOLDERS = (PRIVATE, FROM_PACKAGES, ROOT / "tests/vectors")


def missing(name):
    """Ends the test. It is skipped, and fails where everything has to run."""
    origin = "set CLOISTER_VECTORS; no registry package has it"
    if name in PACKAGES["files"]:
        is_go = PACKAGES["packages"][PACKAGES["files"][name]["package"]]["registry"] == "go"
        origin = f"tools/fetch {'go-vectors' if is_go else 'vectors'} brings it"
    end = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    end(f"no vector {name} ({origin})")


class Vectors:
    """vectors / "tdx/quote.bin" is the path of the file, or ends the test when it is missing. vectors / "tdx" is a folder of files."""

    def __init__(self, name=""):
        self._name = name

    def __truediv__(self, name):
        name = f"{self._name}/{name}".lstrip("/")
        found = [folder / name for folder in FOLDERS if (folder / name).exists()]
        if not found:
            missing(name)
        return Vectors(name) if found[0].is_dir() else found[0]

    def __str__(self):
        """Returns the first folder of this name, for a program that reads a whole folder."""
        return str(next(folder / self._name for folder in FOLDERS if (folder / self._name).is_dir()))

    __fspath__ = __str__

    def glob(self, pattern):
        """Returns one path for each name, sorted."""
        found = {}
        for folder in reversed(FOLDERS):
            found.update({path.name: path for path in (folder / self._name).glob(pattern)})
        return [found[name] for name in sorted(found)]
