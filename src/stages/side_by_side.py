"""`dvc repro`, with its trainings side by side where the data are small: what `make repro` runs.

`dvc repro` runs one stage after another, and on small data most of a stage is the start of its
process and DVC's own books. DVC's documented way to run several is to start `dvc repro` several
times on stages that do not depend on each other; it keeps its lock for the books alone, not while
a stage works. On large data a training uses all cores and much memory itself: one at a time.

Their libraries are imported once, see `stages.forking.start`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from dvc.cli import main as dvc  # in this process, which spares two starts of it

from cofilter.core.paths import CHECKED


def main(arguments: Sequence[str]) -> int:
    """Run the pipeline, or with arguments `dvc repro` alone; gives the exit status."""
    try:
        return _repro(arguments)
    except KeyboardInterrupt:  # DVC and the stages have it too, and have ended
        return 128 + signal.SIGINT


def _repro(arguments: Sequence[str]) -> int:
    if not arguments:
        checked = _written(CHECKED)
        status = dvc(["repro", "check"])
        # Whatever a training depends on, check does too: without a run of it none is due.
        if status == 0 and _written(CHECKED) != checked:
            # A run with nothing to do is spared these imports and that process.
            from stages.forking.start import forking
            from stages.lanes import train

            os.environ |= forking(dict(os.environ))
            status = train()
        if status:
            return status
    return dvc(["repro", *arguments])


def _written(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


if __name__ == "__main__":
    # A shell has its background jobs ignore SIGINT. The stages heed it all the same; so must this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
