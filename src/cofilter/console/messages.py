"""Log lines of a training; none of them changes what it gives."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger("cofilter")


def continuing(label: str, folder: Path, epoch: int) -> None:
    """A training takes up an earlier one's work."""
    log.info("%s: continuing after epoch %d (%s)", label, epoch, folder)


def already_trained(label: str, epoch: int) -> None:
    """An earlier training has done all the work."""
    log.info("%s: trained before, %d epochs in its checkpoint", label, epoch)


def left_out(name: str, reason: str) -> None:
    """A method cannot be trained on the data."""
    log.warning("%s is left out: %s", name, reason)


def ignores_weights(name: str) -> None:
    """The rows have weights, and a method has no use for them."""
    log.warning("%s does not use the weights of the rows", name)


def repeats(lines: Iterable[str]) -> None:
    """A split merged or dropped rows."""
    for line in lines:
        log.info("%s", line)


def pruned(folders: int, keep_days: float | None) -> None:
    """Old checkpoints were removed."""
    if folders:
        log.info(
            "checkpoints of %d finished trainings removed, unused for %g days", folders, keep_days
        )


def past_the_last_epoch(checkpoint: Path, epochs: int) -> None:
    """A checkpoint of a longer training is left alone."""
    log.info("%s: past the last epoch, %d; not used", checkpoint, epochs)


def damaged_checkpoint(error: Exception) -> None:
    """A checkpoint cannot be read."""
    log.warning("%s; trying the one before", error)


def waiting_for_another(folder: Path) -> None:
    """Another process holds a training's lock."""
    log.warning("%s: another process trains this model; waiting for it", folder)


def jobs_done_before(done: int, jobs: int) -> None:
    """An earlier backtest has finished some of its jobs."""
    if done:
        log.info("backtest: %d of %d jobs were finished before", done, jobs)


def damaged_job(path: Path, error: Exception) -> None:
    """A job's kept scores cannot be read."""
    log.warning("%s: damaged (%s); this job runs again", path, error)


def no_backtest(reason: str) -> None:
    """There are no windows."""
    log.warning("no backtest: %s", reason)
