"""Typed configurations of groups that several stages read."""

from __future__ import annotations

from typing import Any

from cofilter.core.config import C, parse
from cofilter.scoring.config import PrimaryConfig, ScoreConfig
from cofilter.training.loop import CheckpointConfig


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
