"""A log that is split in time, and a backtest of a few quick methods on it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import pytest

from cofilter.backtest.config import BacktestConfig
from cofilter.backtest.request import Request
from cofilter.core.columns import TIMESTAMP
from cofilter.evaluation.config import EvaluateConfig
from cofilter.models.baseline.model import KINDS
from cofilter.models.knn.model import ItemKNN
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.preparation.split import SplitConfig, split_instants, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.training.loop import CheckpointConfig
from cofilter.training.point import Point
from tests.evaluation.conftest import make_config, make_ratings

SPLIT = SplitConfig(validation_share=0.15, test_share=0.15)
METHODS: dict[str, partial[Recommender]] = {
    "baseline/popularity": partial(KINDS["popularity"]),
    "baseline/bias": partial(KINDS["bias"]),
    "baseline/global_mean": partial(KINDS["global_mean"]),
    "knn/item": partial(ItemKNN, k=5),
    "mf/biased-dim2-seed0": partial(MatrixFactorization, dim=2, epochs=3, lr=0.1),
}


DEFAULT = tuple(name for name in METHODS if name != "baseline/bias")


def make_point(name: str, evaluate: EvaluateConfig, **checkpoint: Any) -> Point:
    family, point = name.split("/")
    keep = CheckpointConfig(**{"every_seconds": 0.0, **checkpoint})
    return Point(family, point, 0, METHODS[name], True, evaluate, keep)


def make_request(
    config: BacktestConfig | None = None,
    evaluate: EvaluateConfig | None = None,
    split: SplitConfig = SPLIT,
    ratings: pd.DataFrame | None = None,
    methods: tuple[str, ...] = DEFAULT,
    **checkpoint: Any,
) -> Request:
    evaluate = evaluate or make_config(relevance_threshold=3.0)
    ratings = make_ratings(n_users=60, n_items=30) if ratings is None else ratings
    instants = split_instants(split, ratings[TIMESTAMP])
    parts, _ = split_ratings(ratings, split, instants)
    return Request(
        known=pd.concat([parts.train, parts.validation], ignore_index=True),
        test=None if instants is None else instants.test,
        split=split,
        config=config or BacktestConfig(windows=3, share=0.5),
        points=[make_point(name, evaluate, **checkpoint) for name in methods],
        evaluate=evaluate,
    )


@pytest.fixture
def request_() -> Request:
    return make_request()
