"""R3, implicit feedback: ALS over a small grid, BPR, and a neural network, ranked by time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from cofilter.core.config import Config
from cofilter.models.als.config import ALSConfig
from cofilter.models.als.model import ImplicitALS
from cofilter.models.bpr.config import BPRConfig
from cofilter.models.bpr.model import BPR
from cofilter.models.ncf.config import ImplicitNetworkConfig
from cofilter.models.ncf.model import ImplicitNetwork
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.iterative import IterativeRecommender
from cofilter.reproduction.lab import Figure, Findings, Lab
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score

Metric = Literal["precision", "recall", "ndcg", "map"]


class Grid(Config):
    """Every combination is fitted."""

    factors: tuple[PositiveInt, ...]
    regularization: tuple[PositiveFloat, ...]
    iterations: tuple[PositiveInt, ...]


class R3ImplicitConfig(Config):
    """The procedure's parameters.

    Attributes
    ----------
    split:
        Train and test.
    als:
        Of all ALS fits; the grid sets dim, regularization and epochs.
    metrics:
        Reported for each model, at the first k of ``evaluate``.
    """

    split: SplitConfig
    als: ALSConfig
    grid: Grid
    bpr: BPRConfig
    network: ImplicitNetworkConfig
    evaluate: ScoreConfig
    metrics: tuple[Metric, ...]


def run(config: R3ImplicitConfig, lab: Lab) -> Findings:
    """Fit each model on train and rank for every test user, what a user rated left out."""
    parts, _ = split_ratings(lab.ratings, config.split, None)
    figures = []
    for name, model in _models(config):
        lab.fit(f"r3-{name.replace(', ', '-').replace(' ', '')}", model, parts.train)
        scores = score(model, parts.train, None, parts.test, config.evaluate).summary()["warm"]
        for metric in (f"{each}@{config.evaluate.k[0]}" for each in config.metrics):
            figures.append(Figure(name, metric, scores[metric]))
        figures.append(Figure(name, "training loss", model.history_[-1]["loss"]))
    return Findings(figures)


def _models(config: R3ImplicitConfig) -> Iterator[tuple[str, IterativeRecommender]]:
    grid = config.grid
    # Iterations last and ascending: a longer run goes on from the checkpoint of the shorter one.
    for dim, l2, epochs in product(grid.factors, grid.regularization, sorted(grid.iterations)):
        chosen = {"dim": dim, "regularization": l2, "epochs": epochs}
        name = f"ALS, factors {dim}, regularization {l2:g}, iterations {epochs}"
        yield name, ImplicitALS(config.als.model_copy(update=chosen))
    yield "BPR", BPR(config.bpr)
    yield "network", ImplicitNetwork(config.network)
