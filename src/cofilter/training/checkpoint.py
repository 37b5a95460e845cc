"""Checkpoints: whole, verified, found by the fingerprint of what they belong to."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import safetensors
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from cofilter.console import messages
from cofilter.core.errors import CheckpointError
from cofilter.core.io import json_sha256, write_bytes, write_json
from cofilter.recommender.epochs import Progress
from cofilter.recommender.learner import Arrays

LOCK, IDENTITY = "lock", "identity.json"
FINISHED = "finished"  # there once a training has reached its end; its time is that of its last use
SECONDS_A_DAY = 86_400
KEEP = 2  # the newest and the one before it
_NAME = re.compile(r"epoch-(\d{6})\.checkpoint")
_DIGEST_BYTES = 32  # SHA-256 of the rest, at the start of the file


@dataclass
class Checkpoint(Progress):
    """A training's progress as a file.

    Attributes
    ----------
    run_id:
        The tracking run that a continuation belongs to.
    """

    run_id: str | None = None

    def to_bytes(self) -> bytes:
        """SHA-256 of the rest, then safetensors with the plain values as JSON in one array."""
        arrays = {f"learner/{name}": array for name, array in self.learner.items()}
        arrays |= {f"best/{name}": array for name, array in self.best.items()}
        plain = json.dumps({name: getattr(self, name) for name in _PLAIN})
        arrays["plain"] = np.frombuffer(plain.encode(), np.uint8)
        content = save_arrays(arrays)
        return hashlib.sha256(content).digest() + content

    @classmethod
    def from_file(cls, path: Path) -> Checkpoint:
        """Read one back; a damaged file is a `CheckpointError`."""
        whole = path.read_bytes()
        content = whole[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != whole[:_DIGEST_BYTES]:
            raise CheckpointError(f"{path}: damaged (its checksum differs)")
        arrays = load_arrays(content)
        plain = json.loads(arrays.pop("plain").tobytes())
        parts: dict[str, Arrays] = {"learner": {}, "best": {}}
        for key, array in arrays.items():
            part, _, name = key.partition("/")
            parts[part][name] = array
        return cls(learner=parts["learner"], best=parts["best"], **plain)


_PLAIN = ("epoch", "best_epoch", "best_value", "history", "run_id")


class CheckpointStore:
    """The checkpoints of one fingerprint: ``<root>/<family>/<fingerprint>/epoch-N.checkpoint``.

    The newest two are kept, so that a damaged newest one loses one interval and no more.
    """

    def __init__(self, root: Path, family: str, identity: Mapping[str, Any]) -> None:
        self.identity = dict(identity)
        self.folder = root / family / json_sha256(self.identity)[:16]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this fingerprint; a second process waits here and then finds the first's work."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            messages.waiting_for_another(self.folder)
            lock.acquire()
        for half in self.folder.glob(".epoch-*"):  # of a process killed while it wrote
            half.unlink()
        try:
            yield
        finally:
            lock.release()

    def load(self, at_most: int) -> Checkpoint | None:
        """The newest good checkpoint at or before an epoch; None when there is none.

        Raises
        ------
        CheckpointError
            There are some, and all of them are damaged.
        """
        damaged = []
        for epoch, path in reversed(self._files()):
            if epoch > at_most:
                messages.past_the_last_epoch(path, at_most)
                continue
            try:
                return Checkpoint.from_file(path)
            except (CheckpointError, OSError, safetensors.SafetensorError) as error:
                messages.damaged_checkpoint(error)
                damaged.append(path.name)
        if damaged:
            raise CheckpointError(
                f"{self.folder}: no checkpoint is readable ({', '.join(damaged)} damaged). "
                "To train again from the start, run with resume=never or `make clean-checkpoints`."
            )
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """Write one durably, then drop all but the newest `KEEP` up to its epoch.

        Later epochs (of a run that was asked for more) stay: they are work that still counts.
        """
        if not (self.folder / IDENTITY).exists():
            write_json(self.folder / IDENTITY, self.identity)
        write_bytes(self.path(checkpoint.epoch), checkpoint.to_bytes())
        done = [file for epoch, file in self._files() if epoch <= checkpoint.epoch]
        for old in done[:-KEEP]:
            old.unlink()

    def set_finished(self, finished: bool) -> None:
        """Note that the training has reached its end, now; or that it goes on."""
        if finished:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / FINISHED).touch()
        else:
            (self.folder / FINISHED).unlink(missing_ok=True)

    def path(self, epoch: int) -> Path:
        """Where the checkpoint of an epoch lies."""
        return self.folder / f"epoch-{epoch:06d}.checkpoint"

    def _files(self) -> list[tuple[int, Path]]:
        """(epoch, file), oldest first."""
        if not self.folder.exists():
            return []
        matches = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted((int(match[1]), path) for match, path in matches if match)


def is_finished(folder: Path) -> bool:
    """Whether the training of a fingerprint's folder has reached its end."""
    return (folder / FINISHED).exists()


def is_locked(folder: Path) -> bool:
    """Whether a process works in a fingerprint's folder."""
    lock = filelock.FileLock(folder / LOCK)
    try:
        with lock.acquire(timeout=0):
            return False
    except filelock.Timeout:
        return True


def prune(checkpoints: Path, keep_days: float | None) -> int:
    """Remove the checkpoints of trainings that are finished and were not used for so many days.

    Unfinished ones stay, since they are work that still counts, and so do those in use. Gives how
    many folders went; None removes nothing. Another process may remove some at the same time.
    """
    if keep_days is None:
        return 0
    oldest, removed = time.time() - keep_days * SECONDS_A_DAY, 0
    # Not rglob, which fails on a folder that goes while it is looked through.
    folders = [Path(folder) for folder, _, files in os.walk(checkpoints) if FINISHED in files]
    for folder in folders:
        try:
            used = (folder / FINISHED).stat().st_mtime
        except FileNotFoundError:  # the backtest removes the checkpoints of its finished jobs
            continue
        if used < oldest and not is_locked(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed
