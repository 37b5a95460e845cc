"""The one epoch loop: early stopping, checkpoints, resume, interruption."""

from __future__ import annotations

import hashlib
import logging
import math
import sys
import time
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field
from tqdm import tqdm

from cofilter.config import Config
from cofilter.errors import CofilterError, Interrupted
from cofilter.models.learner import Learner, Task, Trained
from cofilter.training.checkpoint import Checkpoint, CheckpointStore
from cofilter.training.interruption import StopRequest, stop_on_signals

log = logging.getLogger(__name__)


class DivergedError(CofilterError):
    """The loss is not a finite number any more."""


class CheckpointConfig(Config):
    """When checkpoints are written and whether they are used.

    Attributes
    ----------
    every_seconds:
        A checkpoint is written after the first epoch that ends so long after the last one, and
        at the end.
    resume:
        ``auto`` continues from what is there; ``never`` ignores it.
    """

    every_seconds: float = Field(ge=0)
    resume: Literal["auto", "never"]


class Observer(Protocol):
    """Who is told of a training's progress, for example an experiment tracker."""

    def start(self, run_id: str | None, history: list[dict[str, float]], phase: str) -> str:
        """A training begins, or continues run ``run_id`` after ``history``; gives its run id."""

    def log_epoch(self, row: dict[str, float], phase: str) -> None:
        """An epoch has ended."""


class Trainer:
    """Runs a model's epochs.

    Resuming equals never having stopped: on the CPU, with the same machine and versions, the
    parameters and the history are the same to the last bit, wherever the earlier run was killed.

    Parameters
    ----------
    config:
        Checkpoint cadence and resume policy.
    checkpoints:
        Folder of all checkpoints.
    observer:
        Told of each epoch.
    label:
        Shown beside the progress bar.
    phase:
        ``fit`` or ``refit``; named to the observer.

    Attributes
    ----------
    last_checkpoint:
        File of the last completed epoch, after `run`.
    """

    def __init__(
        self,
        config: CheckpointConfig,
        checkpoints: Path,
        observer: Observer | None = None,
        label: str = "",
        phase: str = "fit",
    ) -> None:
        self.config = config
        self.checkpoints = checkpoints
        self.observer = observer
        self.label = label
        self.phase = phase
        self.last_checkpoint: Path | None = None

    def run(self, learner: Learner, task: Task) -> Trained:
        """Train until ``task.epochs`` or until early stopping; gives the best epoch's parameters.

        Raises
        ------
        Interrupted
            SIGTERM or SIGINT came; the last completed epoch is in a checkpoint.
        DivergedError
            The loss is not finite; the checkpoints before stay.
        CheckpointError
            Checkpoints exist but none is readable.
        """
        identity = {**task.identity, "code": code_sha256(task.code)}
        store = CheckpointStore(self.checkpoints, task.family, identity)
        with store.locked(), stop_on_signals() as stop:
            done = self._begin(store, learner, task)
            saver = _Saver(store, self.config.every_seconds, done.epoch)
            try:
                self._epochs(learner, task, done, stop, saver)
            except Interrupted as interrupted:
                message = (
                    f"{interrupted} after epoch {done.epoch}; run again to continue from there"
                )
                raise Interrupted(interrupted.signal_number, message) from None
            finally:
                saver.save(done)
            self.last_checkpoint = store.path(done.epoch)
        return Trained(done.best, done.best_epoch, done.history)

    def _begin(self, store: CheckpointStore, learner: Learner, task: Task) -> Checkpoint:
        found = store.load(task.epochs) if self.config.resume == "auto" else None
        if found is not None:
            learner.restore(found.learner)
            log.info("%s: continuing after epoch %d", store.folder, found.epoch)
        done = found or Checkpoint()
        if self.observer is not None:
            done.run_id = self.observer.start(done.run_id, done.history, self.phase)
        return done

    def _epochs(
        self, learner: Learner, task: Task, done: Checkpoint, stop: StopRequest, saver: _Saver
    ) -> None:
        """Run the epochs that are left, advancing ``done``."""
        with tqdm(
            total=task.epochs, initial=done.epoch, desc=self.label, unit="epoch", disable=None
        ) as bar:
            while done.epoch < task.epochs and not stopped_early(done, task):
                stop.check()
                started = time.monotonic()
                row = self._epoch(learner, done.epoch + 1, stop)
                speed = task.n_ratings / (time.monotonic() - started)
                parameters = learner.parameters()
                if task.monitor is not None:
                    row |= task.monitor(parameters)
                advance(done, row, parameters, learner, task)
                saver.save_in_time(done)
                if self.observer is not None:
                    self.observer.log_epoch({**row, "ratings_per_second": speed}, self.phase)
                shown = {name: f"{value:.4f}" for name, value in row.items() if name != "epoch"}
                bar.set_postfix(shown | {"ratings/s": f"{speed:,.0f}"}, refresh=False)
                bar.update()

    def _epoch(self, learner: Learner, epoch: int, stop: StopRequest) -> dict[str, float]:
        loss = learner.run_epoch(epoch, lambda n_ratings: stop.check())
        rate = learner.learning_rate(epoch)
        if not math.isfinite(loss):
            raise DivergedError(
                f"{self.label}: the loss is {loss} in epoch {epoch} at learning rate {rate:g}; "
                f"lower it. The checkpoint of epoch {epoch - 1} is kept."
            )
        return {"epoch": epoch, "loss": loss, "lr": rate}


class _Saver:
    """Writes checkpoints at the configured cadence, never the same epoch twice."""

    def __init__(self, store: CheckpointStore, every_seconds: float, saved_epoch: int) -> None:
        self.store = store
        self.every_seconds = every_seconds
        self.saved_epoch = saved_epoch
        self.saved_at = time.monotonic()

    def save_in_time(self, done: Checkpoint) -> None:
        if time.monotonic() - self.saved_at >= self.every_seconds:
            self.save(done)

    def save(self, done: Checkpoint) -> None:
        if done.epoch > self.saved_epoch:
            self.store.save(done)
            self.saved_epoch, self.saved_at = done.epoch, time.monotonic()


def advance(
    done: Checkpoint, row: dict[str, float], parameters: dict, learner: Learner, task: Task
) -> None:
    """Take a completed epoch into ``done``, all at once at the end."""
    state = learner.state()
    value = row.get(task.watched) if watches(task) else None
    better = value is None or done.best_value is None or _better(value, done.best_value, task)
    done.learner, done.epoch = state, int(row["epoch"])
    done.history.append(row)
    if better:
        done.best, done.best_epoch, done.best_value = parameters, done.epoch, value


def _better(value: float, best: float, task: Task) -> bool:
    return value > best if task.larger_is_better else value < best


def watches(task: Task) -> bool:
    """Whether the watched metric decides which epoch is best."""
    return task.monitor is not None and task.patience is not None


def stopped_early(done: Checkpoint, task: Task) -> bool:
    """Whether ``patience`` epochs have passed without a better value of the watched metric."""
    if task.monitor is None or task.patience is None:
        return False
    return done.epoch - done.best_epoch >= task.patience


def code_sha256(modules: tuple[str, ...]) -> str:
    """Hash of the source of the named modules and of this loop."""
    digest = hashlib.sha256()
    for name in (*modules, __name__):
        digest.update(Path(str(sys.modules[name].__file__)).read_bytes())
    return digest.hexdigest()
