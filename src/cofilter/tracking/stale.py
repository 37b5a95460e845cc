"""What of W&B's local files can go: runs that lie elsewhere in full, and copies of no run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from cofilter.core.stale import Stale

RUNS = "wandb/offline-run-*"  # offline-run-<time>-<id>
STAGED = "wandb-data/artifacts/staging/*"  # copies of artifacts, for a later `wandb sync`
YOUNG_SECONDS = 3600.0  # a run that is still going may not have written down its copies yet
BLOCK_BYTES, HEADER_BYTES = 32768, 7  # of a .wandb file, which is in LevelDB's log format


def stale_runs(logs: Path) -> Iterator[Stale]:
    """Offline runs under ``logs`` that were sent or continued elsewhere, and copies of no run.

    Runs that were never sent stay, whatever model they are of: they are the only record.
    """
    left = unsent(logs)
    for folder in sorted(logs.glob(RUNS)):  # by time
        if _is_sent(folder):
            yield Stale(folder, "tracked run, sent to W&B")
        elif folder not in left:
            yield Stale(folder, "tracked run, complete in a newer folder")
    yield from _stale_copies(logs, left)


def unsent(logs: Path) -> list[Path]:
    """Folders of offline runs that were never sent, oldest first; of a continued run the newest."""
    newest = {folder.name.rpartition("-")[2]: folder for folder in sorted(logs.glob(RUNS))}
    return [folder for folder in newest.values() if not _is_sent(folder)]


def _is_sent(folder: Path) -> bool:
    return any(folder.glob("*.wandb.synced"))


def _stale_copies(logs: Path, runs: Iterable[Path]) -> Iterator[Stale]:
    """Copied artifacts that none of the runs names."""
    contents = [_records(file) for run in runs for file in run.glob("*.wandb")]
    for copy in sorted(logs.glob(STAGED)):
        young = time.time() - copy.stat().st_mtime < YOUNG_SECONDS
        if not young and not any(copy.name.encode() in content for content in contents):
            yield Stale(copy, "copied artifact of no run")


def _records(file: Path) -> bytes:
    """A run's records without the headers that stand where a record crosses blocks."""
    content = file.read_bytes()
    starts = range(0, len(content), BLOCK_BYTES)
    return b"".join(content[at + HEADER_BYTES : at + BLOCK_BYTES] for at in starts)
