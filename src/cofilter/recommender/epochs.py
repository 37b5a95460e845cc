"""The one epoch loop, with early stopping; checkpoints and signals are `cofilter.training`'s."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tqdm import tqdm

from cofilter.core.errors import DivergedError
from cofilter.recommender.learner import Arrays, Learner, Task, Trained

Row = dict[str, float]


@dataclass
class Progress:
    """A training after a completed epoch; later epochs depend on nothing else.

    Attributes
    ----------
    epoch:
        Completed epochs.
    learner:
        `Learner.state`: parameters, optimizer, random generators; empty where nobody keeps it.
    best:
        Parameters of the best epoch so far.
    best_epoch, best_value:
        That epoch and its watched metric (None without validation).
    history:
        A row an epoch.
    """

    epoch: int = 0
    learner: Arrays = field(default_factory=dict)
    best: Arrays = field(default_factory=dict)
    best_epoch: int = 0
    best_value: float | None = None
    history: list[Row] = field(default_factory=list)

    def finished(self, task: Task) -> bool:
        """Whether no epoch is left to run: all have, or early stopping has come."""
        return self.epoch >= task.epochs or self.stopped_early(task)

    def stopped_early(self, task: Task) -> bool:
        """Whether ``patience`` epochs have passed without a better value of the watched metric."""
        if task.monitor is None or task.patience is None:
            return False
        return self.epoch - self.best_epoch >= task.patience

    def advance(self, row: Row, parameters: Arrays, state: Arrays, task: Task) -> None:
        """Take in a completed epoch, all at once at the end."""
        watches = task.monitor is not None and task.patience is not None
        value = row.get(task.watched) if watches else None
        better = value is None or self.best_value is None or _better(value, self.best_value, task)
        self.learner, self.epoch = state, int(row["epoch"])
        self.history.append(row)
        if better:
            self.best, self.best_epoch, self.best_value = parameters, self.epoch, value


class Follower:
    """Follows the epochs of a training; this one does nothing.

    ``keeps_state``: whether it needs the learner's whole state after each epoch, which is copied.
    """

    keeps_state = False

    def check(self) -> None:
        """Called after every batch; may raise to stop in the middle of an epoch."""

    def epoch_ended(self, row: Row, ratings_per_second: float) -> None:
        """Called when an epoch is complete and taken into the progress."""


def run_epochs(
    learner: Learner, task: Task, done: Progress, follower: Follower, label: str = ""
) -> Trained:
    """Run the epochs that are left, advancing ``done``; gives the best epoch's parameters.

    Raises
    ------
    DivergedError
        The loss is not finite.
    """
    with tqdm(total=task.epochs, initial=done.epoch, desc=label, unit="epoch", disable=None) as bar:
        while not done.finished(task):
            follower.check()
            started = time.monotonic()
            row = _run_epoch(learner, task, done.epoch + 1, follower.check, label)
            speed = task.n_ratings / max(time.monotonic() - started, 1e-9)
            parameters = learner.parameters()
            if task.monitor is not None:
                row |= task.monitor(parameters)
            done.advance(row, parameters, learner.state() if follower.keeps_state else {}, task)
            follower.epoch_ended(row, speed)
            shown = {name: f"{value:.4f}" for name, value in row.items() if name != "epoch"}
            bar.set_postfix(shown | {"ratings/s": f"{speed:,.0f}"}, refresh=False)
            bar.update()
    return Trained(done.best, done.best_epoch, done.history)


class PlainTrainer:
    """Runs a model's epochs in memory: what a model takes that is given no other trainer."""

    def run(self, learner: Learner, task: Task) -> Trained:
        """As `run_epochs`, from nothing."""
        return run_epochs(learner, task, Progress(), Follower(), task.family)


def _run_epoch(
    learner: Learner, task: Task, epoch: int, check: Callable[[], None], label: str
) -> Row:
    loss = learner.run_epoch(epoch, lambda n_ratings: check())
    rate = learner.learning_rate(epoch)
    if not math.isfinite(loss):
        where = f"{label}: " if label else ""
        advice = f"; {task.remedy}" if task.remedy else f" at learning rate {rate:g}; lower it"
        raise DivergedError(f"{where}the loss is {loss} in epoch {epoch}{advice}")
    return {"epoch": epoch, "loss": loss, "lr": rate}


def _better(value: float, best: float, task: Task) -> bool:
    return value > best if task.larger_is_better else value < best
