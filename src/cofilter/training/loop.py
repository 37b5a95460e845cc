"""Epochs with checkpoints, resume and interruption."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field

from cofilter.console import messages
from cofilter.core.config import Config
from cofilter.core.errors import DivergedError, Interrupted
from cofilter.recommender.epochs import Follower, Row, run_epochs
from cofilter.recommender.learner import Learner, Task, Trained
from cofilter.training.checkpoint import Checkpoint, CheckpointStore, prune
from cofilter.training.code import code_sha256
from cofilter.training.interruption import StopRequest, stop_on_signals


class CheckpointConfig(Config):
    """When checkpoints are written and whether they are used.

    Attributes
    ----------
    every_seconds:
        A checkpoint is written after the first epoch that ends so long after the last one, and
        at the end.
    resume:
        ``auto`` continues from what is there; ``never`` ignores it.
    keep_days:
        Checkpoints of trainings that reached their end are removed so many days after their last
        use, when another training ends; None: never.
    """

    every_seconds: float = Field(30.0, ge=0)
    resume: Literal["auto", "never"] = "auto"
    keep_days: float | None = Field(14.0, gt=0)


class Observer(Protocol):
    """Follows a training from outside, for example an experiment tracker."""

    def start(self, run_id: str | None, history: list[Row], phase: str) -> str:
        """A training begins, or continues run ``run_id`` after ``history``; gives its run id."""

    def log_epoch(self, row: Row, phase: str) -> None:
        """An epoch has ended."""


class Trainer:
    """Runs a model's epochs and keeps them safe.

    Resuming equals never having stopped: on the CPU, with the same machine and versions, the
    parameters and the history are the same to the last bit, wherever the earlier run was killed.

    Parameters
    ----------
    config:
        Checkpoint cadence and resume policy.
    checkpoints:
        Folder of all checkpoints.
    observer:
        Follows each epoch.
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
        identity = {**task.identity, "code": code_sha256(task.family)}
        store = CheckpointStore(self.checkpoints, task.family, identity)
        with store.locked(), stop_on_signals() as stop:
            done = self._begin(store, learner, task)
            keeper = _Keeper(self, store, done, stop)
            try:
                trained = run_epochs(learner, task, done, keeper, self.label)
                keeper.save()
                stop.check()  # a signal after the last batch is not lost either
            except Interrupted as interrupted:
                message = (
                    f"{interrupted} after epoch {done.epoch}; run again to continue from there"
                )
                raise Interrupted(interrupted.signal_number, message) from None
            except DivergedError as error:
                kept = f". The checkpoint of epoch {done.epoch} is kept." if done.epoch else ""
                raise DivergedError(f"{error}{kept}") from None
            finally:
                keeper.save()
            self.last_checkpoint = store.path(done.epoch)
            store.set_finished(True)
        messages.pruned(prune(self.checkpoints, self.config.keep_days), self.config.keep_days)
        return trained

    def _begin(self, store: CheckpointStore, learner: Learner, task: Task) -> Checkpoint:
        found = store.load(task.epochs) if self.config.resume == "auto" else None
        if found is not None:
            learner.restore(found.learner)
            label = self.label or task.family
            if found.finished(task):
                messages.already_trained(label, found.epoch)
            else:
                messages.continuing(label, store.folder, found.epoch)
                store.set_finished(False)
        done = found or Checkpoint()
        if self.observer is not None:
            done.run_id = self.observer.start(done.run_id, done.history, self.phase)
        return done


class _Keeper(Follower):
    """Writes checkpoints at the configured cadence, never the same epoch twice."""

    keeps_state = True

    def __init__(
        self, trainer: Trainer, store: CheckpointStore, done: Checkpoint, stop: StopRequest
    ) -> None:
        self.trainer, self.store, self.done, self.stop = trainer, store, done, stop
        self.saved_epoch = done.epoch
        self.saved_at = time.monotonic()

    def check(self) -> None:
        self.stop.check()

    def epoch_ended(self, row: Row, ratings_per_second: float) -> None:
        if time.monotonic() - self.saved_at >= self.trainer.config.every_seconds:
            self.save()
        if self.trainer.observer is not None:
            row = {**row, "ratings_per_second": ratings_per_second}
            self.trainer.observer.log_epoch(row, self.trainer.phase)

    def save(self) -> None:
        """Write what is complete."""
        if self.done.epoch > self.saved_epoch:
            self.store.save(self.done)
            self.saved_epoch, self.saved_at = self.done.epoch, time.monotonic()
