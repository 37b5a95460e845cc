"""What a stage says to whoever runs it; none of it changes an output."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

USER_ERROR = 2  # exit code of a mistake that the user can mend

log = logging.getLogger("cofilter")


def one_line(error: Exception) -> None:
    """An error that the user can mend, without a stack trace."""
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)


def restored(path: Path) -> None:
    """A file that was cut has been put back from a copy."""
    cut = "was cut short, as by a kill while DVC wrote it"
    print(f"note: {path} {cut}; its last whole copy is back", file=sys.stderr)


def interrupted(error: Exception) -> None:
    """A training was asked to stop."""
    log.warning("%s", error)


def no_errors(stage: str, feedback: str) -> None:
    """A stage that compares errors of predicted ratings has none to compare."""
    log.warning("%s: these data are %s, so there are no errors to compare", stage, feedback)


def reached(line: str) -> None:
    """What a trained model is worth."""
    log.info("%s", line)


def data(name: str, lines: list[str], warnings: list[str]) -> None:
    """What a source holds, and what looks wrong in it."""
    log.info("%s", "\n  ".join([f"{name}:", *lines]))
    for warning in warnings:
        log.warning("%s: %s", name, warning)


def table(rows: pd.DataFrame) -> None:
    """A small table of figures."""
    print(rows.to_string(index=False, float_format="{:.4f}".format))


def outputs(folder: Path) -> None:
    """Where a direct run's outputs are."""
    log.info("outputs: %s", folder)
