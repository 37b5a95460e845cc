"""Every family of models by name: what makes one of its points from the configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cofilter.errors import ConfigError
from cofilter.models.base import Recommender
from stages import (
    train_als,
    train_baseline,
    train_bayes,
    train_bpr,
    train_ease,
    train_knn,
    train_mf,
    train_ncf,
)
from stages.points import parse_point

FAMILIES: dict[str, Callable[[dict[str, Any]], Recommender]] = {
    "baseline": train_baseline.make,
    "knn": train_knn.make,
    "mf": train_mf.make,
    "als": train_als.make,
    "bayes": train_bayes.make,
    "bpr": train_bpr.make,
    "ease": train_ease.make,
    "ncf": train_ncf.make,
}


def make_point(family: str, point: str, cfg: dict[str, Any]) -> Recommender:
    """The unfitted model of a point, such as ``mf`` and ``biased-dim50``.

    What the name leaves out is as the configuration says.

    Raises
    ------
    ConfigError
        No such family, a name that is not a point's, or impossible hyper-parameters.
    """
    if family not in FAMILIES:
        raise ConfigError(f"{family!r} is not a family of models ({', '.join(FAMILIES)})")
    axes = parse_point(point)
    seed = axes.pop("seed", cfg["seed"])
    return FAMILIES[family](cfg | {family: cfg[family] | axes, "seed": seed})
