"""What the training loop asks of a gradient model, and what a model asks of the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Arrays = dict[str, np.ndarray]


class Learner(Protocol):
    """Parameters in training: one epoch's work at a time, all state in and out as arrays."""

    engine: str
    device: str

    def identity(self) -> dict[str, Any]:
        """What of engine, versions and threads the trained bits depend on (JSON-able)."""

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One pass over the ratings; gives the mean loss.

        ``epoch`` counts from 1. ``tick(n)`` is called after each batch of n ratings, at least
        every second, and may raise to stop in the middle.
        """

    def learning_rate(self, epoch: int) -> float:
        """The learning rate in force in this epoch."""

    def parameters(self) -> Arrays:
        """A copy of the model's parameters, float32."""

    def state(self) -> Arrays:
        """A copy of everything that later epochs depend on: parameters, optimizer, generators."""

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave, on whatever device this learner is."""


@dataclass(frozen=True)
class Task:
    """One fit that a trainer runs.

    Attributes
    ----------
    family:
        Names the checkpoint folder, and with it whose code the result depends on.
    epochs:
        How many to run at most.
    identity:
        Everything the result depends on except ``epochs`` and code: configuration, seed, data
        hashes.
    monitor:
        Metrics of given parameters on the validation data, or None when there is none.
    watched:
        The metric that early stopping watches; ``larger_is_better`` says which way.
    patience:
        Epochs without improvement after which training stops; None: never, and the last epoch
        counts as the best.
    remedy:
        What may help when the loss is not finite; None: a lower learning rate.
    """

    family: str
    epochs: int
    identity: Mapping[str, Any]
    n_ratings: int
    monitor: Callable[[Arrays], dict[str, float]] | None = None
    watched: str = "rmse"
    larger_is_better: bool = False
    patience: int | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Trained:
    """What a trainer gives back: the best parameters, their epoch, and a row an epoch."""

    parameters: Arrays
    best_epoch: int
    history: list[dict[str, float]]


class Trains(Protocol):
    """The part of a trainer that models know."""

    def run(self, learner: Learner, task: Task) -> Trained:
        """Run the task, resuming it where an earlier run of the same identity stopped."""
