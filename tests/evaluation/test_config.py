from __future__ import annotations

from typing import Any

import pytest

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError
from cofilter.evaluation.config import EvaluateConfig, RerankingCurves
from cofilter.scoring.config import lower_is_better, metric_names
from tests.evaluation.conftest import make_config


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"primary": "ndcg@7"}, "ndcg@7"),
        ({"primary": "accuracy"}, "accuracy"),
        ({"k": []}, "evaluate.k"),
        ({"k": [0]}, "evaluate.k.0: 0"),
        ({"k": [5, 5]}, "twice"),
        ({"min_users": -1}, "evaluate.min_users: -1"),
        ({"bands": 0}, "evaluate.bands: 0"),
        ({"reranking": {"strengths": [0.0]}}, "evaluate.reranking.strengths.0: 0.0"),
        ({"reranking": {"mmr": 1.5}}, "evaluate.reranking.mmr: 1.5"),
        ({"cutoff": 3}, "evaluate.cutoff: unknown key"),
        (
            {"uncertainty": {"resamples": 1, "confidence_level": 0.95, "seed": 0}},
            "evaluate.uncertainty.resamples: 1",
        ),
        (
            {"uncertainty": {"resamples": 100, "confidence_level": 1.0, "seed": 0}},
            "evaluate.uncertainty.confidence_level: 1.0",
        ),
    ],
)
def test_config_names_what_is_wrong(changed: dict[str, Any], told: str) -> None:
    values = make_config(k=(5,)).model_dump()
    assert parse(EvaluateConfig, values, "evaluate").k == (5,)
    with pytest.raises(ConfigError, match=told.replace(".", r"\.")):
        parse(EvaluateConfig, values | changed, "evaluate")


def test_only_errors_are_better_when_low(config: EvaluateConfig) -> None:
    low = [name for name in metric_names(config) if lower_is_better(name)]
    assert low == ["rmse", "mae", "user_rmse", "user_mae"]


def test_lists_are_as_long_as_the_primary_says() -> None:
    assert make_config(primary="recall@50").list_length == 50
    assert make_config(primary="rmse").list_length == 2


def test_the_strengths_of_a_kind_are_the_curves_and_the_one_that_is_listed() -> None:
    curves = RerankingCurves(strengths=(0.9, 0.2), mmr=0.5, popularity=0.2, genres=None)
    assert curves.listed == {"mmr": 0.5, "popularity": 0.2}
    assert [curves.scored(kind) for kind in ("mmr", "popularity", "genres")] == [
        [0.2, 0.5, 0.9],
        [0.2, 0.9],
        [0.2, 0.9],
    ]
