from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import RATING
from cofilter.core.config import parse
from cofilter.core.errors import CapabilityError, ConfigError
from cofilter.core.parts import Parts
from cofilter.evaluation.leak import COLUMNS, LeakConfig, leaking_against_honest, sampled, with_leak
from cofilter.models.baseline.model import GlobalMean, Popularity
from cofilter.models.knn.config import KNNConfig
from cofilter.models.knn.model import KINDS
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.scale import STEP

PLAIN: dict[str, Any] = {"similarity": "cosine", "k": 1, "aggregation": "plain", "scale": (0.5, 5)}


def test_a_row_s_own_answer_is_its_nearest_neighbour_s(parts: Parts) -> None:
    """With k = 1 the row itself, similarity 1, is all that is asked: no error is left."""
    methods = {side: partial(kind, KNNConfig(**PLAIN)) for side, kind in KINDS.items()}
    table = leaking_against_honest(parts, methods, None, 0)
    assert table["method"].tolist() == list(methods)
    assert (table["rows"] == len(parts.test)).all()
    np.testing.assert_allclose(table["leaking_rmse"], 0.0, atol=STEP)  # of learned ratings
    assert (table["honest_rmse"] > 0.5).all()
    np.testing.assert_allclose(table["optimism"], table["honest_rmse"] - table["leaking_rmse"])


def test_both_errors_are_those_computed_by_hand(parts: Parts, model_config: ModelConfig) -> None:
    table = leaking_against_honest(parts, {"mean": partial(GlobalMean, model_config)}, None, 0)
    known = pd.concat([parts.train, parts.validation])[RATING]
    truth = parts.test[RATING]
    for name, mean in (("honest", known.mean()), ("leaking", pd.concat([known, truth]).mean())):
        assert table[f"{name}_rmse"][0] == pytest.approx(np.sqrt(((truth - mean) ** 2).mean()))
        assert table[f"{name}_mae"][0] == pytest.approx((truth - mean).abs().mean(), rel=1e-6)


def test_only_neighbours_vote_for_themselves(model_config: ModelConfig) -> None:
    leaking = with_leak(KINDS["item"](KNNConfig(**PLAIN)))
    assert leaking.config == KNNConfig(**PLAIN, self_votes=True)
    mean = GlobalMean(model_config)
    assert with_leak(mean) is mean


def test_a_draw_is_named_by_its_seed_and_keeps_the_order(parts: Parts) -> None:
    drawn = [sampled(parts.test, 7, seed) for seed in (3, 3, 4)]
    assert drawn[0].equals(drawn[1])
    assert not drawn[0].equals(drawn[2])
    assert drawn[0].index.is_monotonic_increasing
    assert len(set(drawn[0].index)) == 7
    assert sampled(parts.test, None, 0) is parts.test
    assert sampled(parts.test, 10_000, 0) is parts.test


def test_no_test_rows_give_the_header_alone(parts: Parts, model_config: ModelConfig) -> None:
    empty = Parts(parts.train, parts.validation, parts.test.iloc[:0])
    table = leaking_against_honest(empty, {"mean": partial(GlobalMean, model_config)}, 5, 0)
    assert table.empty
    assert tuple(table.columns) == COLUMNS


def test_a_model_without_ratings_is_refused_before_any_work(
    parts: Parts, model_config: ModelConfig
) -> None:
    with pytest.raises(CapabilityError, match="popular does not predict ratings"):
        leaking_against_honest(parts, {"popular": partial(Popularity, model_config)}, 5, 0)


def test_a_method_is_spelled_short_and_named_once() -> None:
    long = {"name": "plain", "method": "knn/user", "overrides": {"k": 3}}
    config = parse(LeakConfig, {"methods": ["knn/user", long], "rows": None, "seed": 0}, "leak")
    assert [(entry.name, entry.method) for entry in config.methods] == [
        ("knn/user", "knn/user"), ("plain", "knn/user"),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="methods name knn/user twice"):
        parse(LeakConfig, {"methods": ["knn/user"] * 2, "rows": None, "seed": 0}, "leak")
