"""The fixtures are in tests/e2e/support/fixtures.py."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from support.fixtures import *  # noqa: E402,F401,F403
