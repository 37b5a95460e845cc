"""Every family of models by name: what makes one of its points from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
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

NOTHING: Mapping[str, Any] = MappingProxyType({})


def make_method(
    name: str, cfg: dict[str, Any], key: str, overrides: Mapping[str, Any] = NOTHING
) -> Recommender:
    """The unfitted model that ``name`` means: family/point, such as knn/item.

    ``key`` is where the name stands in the configuration; see `make_point` for the rest.
    """
    family, _, point = name.partition("/")
    if not point:
        raise ConfigError(f"{key}: {name!r} is not family/point (such as mf/biased-dim50)")
    return make_point(family, point, cfg, overrides)


def make_point(
    family: str, point: str, cfg: dict[str, Any], overrides: Mapping[str, Any] = NOTHING
) -> Recommender:
    """The unfitted model of a point, such as ``mf`` and ``biased-dim50``.

    What the name leaves out is as the configuration says. ``overrides`` are hyper-parameters of
    the family's group; they stand above what the group's ``kinds`` say.

    Raises
    ------
    ConfigError
        No such family, a name that is not a point's, or impossible hyper-parameters.
    """
    if family not in FAMILIES:
        raise ConfigError(f"{family!r} is not a family of models ({', '.join(FAMILIES)})")
    axes = parse_point(point)
    seed = axes.pop("seed", cfg["seed"])
    group = cfg[family] | axes | dict(overrides)
    if "kinds" in group:
        group["kinds"] = {kind: own | dict(overrides) for kind, own in group["kinds"].items()}
    return FAMILIES[family](cfg | {family: group, "seed": seed})
