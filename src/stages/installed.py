"""Imported first by a stage's script: ends with one line where the environment is not there.

It needs nothing but the standard library of any Python 3.
"""

import importlib.util
import sys

NEEDED = ("hydra", "cofilter", "stages")

missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
if missing:
    sys.exit(
        f"error: {missing[0]} is not installed for {sys.executable}: "
        "run `source .venv/bin/activate` first (`make setup` makes .venv), or go through make"
    )
