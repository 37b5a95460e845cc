from __future__ import annotations

import numpy as np
import pytest

from cofilter.core.parts import Parts
from cofilter.evaluation.beyond import Catalogue, beyond_accuracy, beyond_names, has_interval
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.intervals import Contributions, contributions, score_intervals
from cofilter.evaluation.uncertainty import mean_intervals
from cofilter.models.baseline.model import BiasBaseline, GlobalMean
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.config import metric_names
from cofilter.scoring.scores import Scores, score_target
from cofilter.scoring.target import Target


@pytest.fixture
def target(parts: Parts) -> Target:
    return Target.of(parts.train, None, parts.test, 3.5)


@pytest.fixture
def scores(
    parts: Parts, target: Target, model_config: ModelConfig, config: EvaluateConfig
) -> Scores:
    return score_target(BiasBaseline(model_config).fit(parts.train), target, config)


def test_every_figure_but_coverage_and_gini_has_one_around_it(
    parts: Parts, target: Target, scores: Scores, config: EvaluateConfig
) -> None:
    beyond = beyond_accuracy(scores, Catalogue.of(parts.train, target, config), config)
    found = score_intervals(scores, beyond, config.uncertainty)
    for scope in ("warm", "all"):
        figures = scores.summary()[scope] | beyond[scope].metrics(config)
        expected = [n for n in (*metric_names(config), *beyond_names(config)) if has_interval(n)]
        assert set(found[scope]) == set(expected)
        for name, (low, high) in found[scope].items():
            assert low <= figures[name] <= high, name


def test_only_users_of_the_scope_are_resampled(scores: Scores, config: EvaluateConfig) -> None:
    found = score_intervals(scores, {}, config.uncertainty)
    ranked = scores.warm.ranked
    assert ranked is not None
    low, high = mean_intervals(ranked.values["ndcg@5"][:, None], config.uncertainty)
    assert found["warm"]["ndcg@5"] == pytest.approx((low[0], high[0]), rel=1e-12)


@pytest.mark.parametrize("primary", ["rmse", "mae", "user_rmse", "user_mae", "ndcg@5", "map@2"])
def test_contributions_give_the_metric(
    scores: Scores, config: EvaluateConfig, primary: str
) -> None:
    told = contributions(scores, config.model_copy(update={"primary": primary}))
    assert told is not None
    ratio = told.numerator.sum() / told.denominator.sum()
    figure = np.sqrt(ratio) if told.root else ratio
    assert figure == pytest.approx(scores.summary()["warm"][primary])
    assert len(told.numerator) == len(scores.user_ids)


def test_what_a_model_cannot_do_contributes_nothing(
    parts: Parts, target: Target, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    mean = score_target(GlobalMean(model_config).fit(parts.train), target, config)
    assert contributions(mean, config) is None
    assert set(score_intervals(mean, {}, config.uncertainty)["warm"]) == {
        "rmse",
        "mae",
        "user_rmse",
        "user_mae",
    }


def test_an_empty_target_has_no_intervals(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    empty = Target.of(parts.train, None, parts.test.iloc[:0], 3.5)
    scores = score_target(BiasBaseline(model_config).fit(parts.train), empty, config)
    assert score_intervals(scores, {}, config.uncertainty) == {"warm": {}, "all": {}}
    for primary in ("rmse", "user_mae", "ndcg@5"):
        told: Contributions | None = contributions(
            scores, config.model_copy(update={"primary": primary})
        )
        assert told is None
