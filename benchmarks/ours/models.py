"""cofilter's models as the rows need them: made from conf/, timed epoch by epoch."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import OmegaConf

from benchmarks.dataset import Dataset, Ratings
from benchmarks.measures import factors
from cofilter.core.matrix import IdMap, Interactions
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.threads import set_threads
from cofilter.recommender.learner import Arrays, Learner, Task, Trained
from cofilter.training.points import make_point
from stages.app import plain

CONF = Path(__file__).parents[2] / "conf"


def make(family: str, scale: tuple[float, float], seed: int, **values: Any) -> Recommender:
    """An unfitted model of a family, as conf/<family>/default.yaml says but for ``values``."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = plain(OmegaConf.to_container(hydra.compose("config", ["device=cpu"]), resolve=True))
    set_threads(cfg["threads"])
    kind = str(values.pop("kind", cfg[family].get("kind", "")))
    cfg |= {"seed": seed, "data": cfg["data"] | {"scale": list(scale)}}
    return make_point(family, kind, cfg, values)


def interactions(ratings: Ratings, shape: tuple[int, int]) -> Interactions:
    """Ratings as models take them; ids are the indices."""
    users, items = (IdMap(np.arange(count, dtype=np.int64)) for count in shape)
    return Interactions(users, items, *ratings)


def loaded(data: Dataset, fold: int) -> tuple[Interactions, Interactions]:
    """Train and test of a fold."""
    shape = data.shape(fold)
    return interactions(data.train(fold), shape), interactions(data.test(fold), shape)


class Stopwatch:
    """A trainer that only times: every epoch runs, nothing is stopped, kept or written.

    Attributes
    ----------
    setup:
        Seconds from `start` to the first epoch.
    epochs:
        Seconds of each epoch; watching the test part is not in them.
    losses, watched:
        Mean loss and watched metric after each epoch; the latter when ``watch`` and the model was
        given a validation part.
    """

    def __init__(self, epochs: int, watch: bool = False) -> None:
        self.wanted = epochs
        self.watch = watch
        self.setup = 0.0
        self.epochs: list[float] = []
        self.losses: list[float] = []
        self.watched: list[float] = []
        self._started = time.perf_counter()

    def run(self, learner: Learner, task: Task) -> Trained:
        """Run all epochs; the last one's parameters count."""
        self.setup = time.perf_counter() - self._started
        for epoch in range(1, self.wanted + 1):
            started = time.perf_counter()
            self.losses.append(learner.run_epoch(epoch, _go_on))
            self.epochs.append(time.perf_counter() - started)
            if self.watch and task.monitor is not None:
                self.watched.append(task.monitor(learner.parameters())[task.watched])
        return Trained(learner.parameters(), self.wanted, [])

    def curve(self) -> list[list[float]]:
        """[seconds since the start of the fit, watched metric] after each epoch."""
        seconds = self.setup + np.cumsum(self.epochs)
        return [list(point) for point in zip(seconds.tolist(), self.watched, strict=True)]


class Given:
    """A trainer that hands the model random parameters in the learner's shapes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def run(self, learner: Learner, task: Task) -> Trained:
        """Normal factors of `factors`; the biases in the last column are 0."""
        parameters = learner.parameters()
        for name, table in parameters.items():
            table[:, :-1] = factors(table.shape[0], table.shape[1] - 1, name, self.seed)
            table[:, -1] = 0
        return Trained(parameters, 1, [])


def bits(arrays: Arrays) -> str:
    """A hash that differs where any bit does."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def warm(data: Interactions) -> Interactions:
    """The same ratings with both sparse forms made, as a peer gets its matrix ready-made."""
    assert data.by_user.nnz == data.by_item.nnz
    return data


def _go_on(ratings: int) -> None:
    """A tick that never stops."""
