"""A folder in memory that the processes of one service share, and that does not outlive them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEMORY = Path("/dev/shm")  # files there are memory, where a system has it
PREFIX, LOCK = "cofilter-", "lock"


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A new folder, in memory where a system has that; it goes with the caller.

    A process that is killed takes nothing with it, so folders that others have left are removed
    first. Each is locked by its service's processes, workers among them, for as long as one lives.
    """
    parent = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    try:
        with (folder / f"{LOCK}.new").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(lock.name, folder / LOCK)  # so that nobody sees one that is not locked yet
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders whose lock nobody holds."""
    for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
        # Another user's, or one that goes just now.
        with suppress(OSError), lock.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
