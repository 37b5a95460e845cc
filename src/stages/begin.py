"""Imported first by a stage's script: ends with one line where the environment is not there.

Inside DVC it also starts the process of the stage's tracked run (every stage has one), which
imports wandb while the stage imports its own libraries.

Until that is known it needs nothing but the standard library of any Python 3.
"""

import importlib.util
import os
import re
import sys
from pathlib import Path

NEEDED = ("hydra", "cofilter", "stages")
BRIEF = ("download", "filter", "split", "check")  # scripts whose runs have no tables

missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
if missing:
    sys.exit(
        f"error: {missing[0]} is not installed for {sys.executable}: "
        "run `source .venv/bin/activate` first (`make setup` makes .venv), or go through make"
    )

from cofilter.tracking.beside import launch  # noqa: E402 - only now

params = Path("params.yaml")
inside_dvc = "--config-name=params" in sys.argv and params.exists()
if inside_dvc:
    # A glance, since parsing takes longer; where it errs, a process starts in vain or later.
    disabled = re.search(r"^  mode: disabled$", params.read_text(encoding="utf-8"), re.MULTILINE)
    if not disabled and os.environ.get("WANDB_MODE") != "disabled":
        launch(tables=Path(sys.argv[0]).stem not in BRIEF)
