"""Typed configurations of groups that several stages read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from cofilter.core.config import C, parse
from cofilter.scoring.config import PrimaryConfig, ScoreConfig
from cofilter.training.loop import CheckpointConfig
from cofilter.training.point import Point
from cofilter.training.points import make_point, point_of
from cofilter.training.sweep import CommonConfig


def common_config(cfg: dict[str, Any]) -> CommonConfig:
    """The keys outside any group."""
    return parse(CommonConfig, {name: cfg[name] for name in CommonConfig.model_fields})


def point_config(cfg: dict[str, Any]) -> Point:
    """The point that ``family``, its group and the seed describe; its model can be made."""
    family = cfg["family"]
    name = point_of(family, cfg)
    make = partial(make_point, family, name, cfg)
    make()
    refit, score, checkpoint = common_config(cfg).refit, score_config(cfg), checkpoint_config(cfg)
    return Point(family, name, cfg["seed"], make, refit, score, checkpoint)


def points_config(cfg: dict[str, Any], points: Iterable[tuple[str, str]]) -> list[Point]:
    """Points of the sweep by (family, name); their models can be made."""
    refit, score, checkpoint = common_config(cfg).refit, score_config(cfg), checkpoint_config(cfg)
    found = []
    for family, name in points:
        make = partial(make_point, family, name, cfg)
        found.append(Point(family, name, make().config.seed, make, refit, score, checkpoint))
    return found


def checkpoint_config(cfg: dict[str, Any]) -> CheckpointConfig:
    """Cadence and resume policy, which stand in two places so that ``resume=never`` is short."""
    return parse(CheckpointConfig, cfg["checkpoint"] | {"resume": cfg["resume"]}, "checkpoint")


def score_config(cfg: dict[str, Any]) -> ScoreConfig:
    """The part of group ``evaluate`` that one model's scores depend on."""
    return _part(ScoreConfig, cfg)


def primary_config(cfg: dict[str, Any]) -> PrimaryConfig:
    """The part of group ``evaluate`` by which models are compared."""
    return _part(PrimaryConfig, cfg)


def _part(cls: type[C], cfg: dict[str, Any]) -> C:
    values = {name: cfg["evaluate"][name] for name in cls.model_fields}
    return parse(cls, values, "evaluate")
