"""The fixtures are in support/fixtures.py."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support.fixtures import *  # noqa: E402,F401,F403
