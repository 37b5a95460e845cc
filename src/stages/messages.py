"""What a stage says to whoever runs it; none of it changes an output."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

log = logging.getLogger("cofilter")


def one_line(error: Exception) -> None:
    """An error that the user can mend, without a stack trace."""
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)


def interrupted(error: Exception) -> None:
    """A training was asked to stop."""
    log.warning("%s", error)


def outputs(folder: Path) -> None:
    """Where a direct run's outputs are."""
    log.info("outputs: %s", folder)
