"""Refuses a configuration that some stage could not run, before any of them does."""

from __future__ import annotations

from typing import Any

from cofilter.backtest.methods import backtest_config
from cofilter.blending.weights import BlendConfig
from cofilter.core.config import Config, parse
from cofilter.core.errors import ConfigError
from cofilter.core.paths import main_checkout
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leak import LeakConfig
from cofilter.preparation.duplicates import NEW_SCALES
from cofilter.preparation.filter import FilterConfig
from cofilter.preparation.given import SAY_IT
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.bias import BiasConfig
from cofilter.reproduction.config import ReproduceConfig
from cofilter.reproduction.procedures import procedure_of
from cofilter.scoring.target import UNWEIGHTED
from cofilter.sources.source import DataConfig
from cofilter.tracking.config import TrackingConfig
from cofilter.training.effective import refuse_ineffective
from cofilter.training.points import make_method
from cofilter.training.sweep import Method, methods_of
from stages.app import plain
from stages.drift import composed
from stages.groups import checkpoint_config, common_config, score_config

GROUPS: dict[str, type[Config]] = {
    "data": DataConfig,
    "filter": FilterConfig,
    "split": SplitConfig,
    "blend": BlendConfig,
    "evaluate": EvaluateConfig,
    "tracking": TrackingConfig,
    "bias": BiasConfig,
}
# Kinds of data that may be a folder of train.* and test.*
IN_PARTS = ("csv", "matrix", "adjacency")


def possible_methods(cfg: dict[str, Any]) -> list[Method]:
    """All methods that the pipeline trains; every group of the configuration is read.

    Raises
    ------
    ConfigError
        One line that names the key, its value and what is allowed.
    """
    for name, group in GROUPS.items():
        parse(group, cfg[name], name)
    data = parse(DataConfig, cfg["data"], "data")
    _refuse_together(data, parse(SplitConfig, cfg["split"]))
    if score_config(cfg).weighted and (data.columns is None or data.columns.weight is None):
        raise ConfigError(UNWEIGHTED)
    common_config(cfg)
    checkpoint_config(cfg)
    procedure_of(parse(ReproduceConfig, cfg["reproduce"], "reproduce"))
    methods = methods_of(cfg)
    backtest_config(cfg)
    methods += _leaking(parse(LeakConfig, cfg["leak"], "leak"), cfg)
    refuse_ineffective(cfg, plain(composed()))
    return methods


def _refuse_together(data: DataConfig, split: SplitConfig) -> None:
    """Groups that are possible by themselves, but not beside each other."""
    if split.duplicates in NEW_SCALES and data.scale is not None:
        raise ConfigError(
            f"split.duplicates: {split.duplicates} gives ratings that are not on data.scale "
            f"{list(data.scale)}; set data.scale=null, or use last, mean or max"
        )
    if split.kind == "given" and (data.columns is None or data.columns.part is None):
        path = None if data.path is None else main_checkout() / data.path
        if data.kind not in IN_PARTS or (path is not None and path.is_file()):
            raise ConfigError(f"split.kind: given, but {data.name} does not say parts; {SAY_IT}")


def _leaking(config: LeakConfig, cfg: dict[str, Any]) -> list[Method]:
    key, found = "leak.methods", []
    for entry in config.methods:
        try:
            model = make_method(entry.method, cfg, key, entry.overrides)
        except ConfigError as error:
            raise ConfigError(f"{key}: {entry.name}: {error}") from None
        found.append(Method(key, entry.name, model))
    return found
