"""Runs that go on after their stages: ``python -m cofilter.tracking.going`` waits for their ends.

Each process that writes a run has a lock file open and locked together with the others; the system
lets go of the lock when the last of them has ended, however it ends.

This module needs the standard library alone, as does `cofilter.tracking.beside`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from pathlib import Path

from cofilter.core.paths import LOGS, main_checkout

LOCK = LOGS / "tracking.lock"
WORDS = LOGS / "tracking.log"  # warnings that came when their stage had ended
LIMIT = 120.0  # seconds; longer than a run may take to be sent
STEP = 0.05


def hold(root: Path) -> list[int]:
    """Open and lock the file, for a process to inherit; nothing where it cannot be written.

    Gives the file's number. Without one nobody waits for the run, and its tracker says what is
    wrong with the folder.
    """
    try:
        (root / LOGS).mkdir(parents=True, exist_ok=True)
        number = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return []
    fcntl.flock(number, fcntl.LOCK_SH)
    return [number]


def ended(root: Path, seconds: float = LIMIT) -> bool:
    """Wait until no process writes a run any more; whether that came in time."""
    if not (root / LOCK).is_file():
        return True
    deadline = time.monotonic() + seconds
    with (root / LOCK).open("rb") as lock:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(STEP)


def keep(root: Path, words: str) -> None:
    """Keep a warning for whoever waits."""
    with (root / WORDS).open("a", encoding="utf-8") as file:
        file.write(f"{words}\n")


def words(root: Path) -> str:
    """The kept warnings, which are gone then."""
    try:
        found = (root / WORDS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    (root / WORDS).unlink()
    return found


def main() -> None:
    """Wait, then say what went wrong meanwhile."""
    root = main_checkout()
    if not ended(root):
        keep(root, "W&B: a run is still being sent, in a process that goes on")
    sys.stderr.write(words(root))


if __name__ == "__main__":
    main()
