"""Inputs of public bug reports, each with the right result, in the folder `cases` next to the recorded evidence. Each case is a separate
program, `command`, which ends with 0 when Cloister is right."""

import os
import pathlib
import subprocess
import sys

import pytest

from support import node as node_module
from support.fixtures import session_node
from support.node import ROOT

pytestmark = pytest.mark.no_tee

FOLDER = pathlib.Path(os.environ.get("CLOISTER_VECTORS", ROOT.parent / "shared/vectors")).resolve().parent / "cases"
CASES = sorted(command.parent.name for command in FOLDER.glob("*/command"))


def test_the_cases_are_there():
    if not CASES and os.environ.get("CI") != "true":
        pytest.skip(f"there are no cases in {FOLDER}")
    assert len(CASES) >= 32


@pytest.fixture(scope="module")
def node(folder, model_file):
    """A node as `./run` starts it. Some cases start their own node with the same model."""
    yield from session_node(folder, "cases", "--model", model_file)


@pytest.mark.parametrize("case", CASES)
def test_case(case, node, model_file):
    environment = {**os.environ, "CLOISTER": str(node_module.BINARY), "NODE": node.url, "MODEL": str(model_file),
                   "CLOISTER_VECTORS": str(FOLDER.parent / "vectors"), "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "command"], cwd=FOLDER / case, env=environment, capture_output=True, text=True,
                          timeout=170)
    assert done.returncode == 0, (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]
