from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.intervals import contributions_to
from cofilter.evaluation.leaderboard import Entry
from cofilter.evaluation.premium import COLUMNS, SelectionPremium
from cofilter.evaluation.significance import differences_to_best
from cofilter.metrics.rating import UserErrors
from cofilter.scoring.config import lower_is_better, metric_names
from cofilter.scoring.scores import Ranked, ScopeScores, Scores

USERS = 12


def scored(seed: int, config: EvaluateConfig) -> tuple[Scores, dict[str, float | None]]:
    """Random scores of a model that rates and ranks, and what it would have on validation."""
    rng = np.random.default_rng(seed)
    names = [name for name in metric_names(config) if "@" in name]
    ranked = Ranked(
        np.arange(USERS), np.ones(USERS, int), {name: rng.random(USERS) for name in names}
    )
    errors = UserErrors(np.full(USERS, 3), rng.random(USERS) * 3, rng.random(USERS) * 3)
    scope = ScopeScores(errors, ranked, {})
    scores = Scores(np.arange(USERS), scope, scope, metric_names(config), None, None)
    return scores, {name: float(rng.random()) for name in metric_names(config)}


def entry(point: str, scores: Scores, config: EvaluateConfig, family: str = "mf") -> Entry:
    summary: dict[str, Any] = {"warm": scores.warm.metrics(metric_names(config))}
    return Entry(family, point, 0, "numpy", "cpu", None, summary)


def test_the_premium_is_what_choosing_on_test_adds(config: EvaluateConfig) -> None:
    """By plain loops over all models, and the interval as the leaderboard's own tests have it."""
    models = {f"dim{seed}": scored(seed, config) for seed in range(8)}
    premium = SelectionPremium(config)
    for point, (scores, validation) in models.items():
        premium.see(entry(point, scores, config), validation, scores)
    blend, _ = scored(99, config)
    perfect = dict.fromkeys(metric_names(config), 0.0)
    premium.see(entry("blend", blend, config, "ensemble"), perfect, blend)

    table = premium.table()
    assert list(table.columns) == COLUMNS
    assert table["metric"].tolist() == list(metric_names(config))
    for row in table.to_dict("records"):
        metric = row["metric"]
        sign = 1 if lower_is_better(metric) else -1
        test = {
            point: entry(point, each[0], config).summary["warm"][metric]
            for point, each in models.items()
        }
        by_test = min(models, key=lambda point: sign * test[point])
        by_validation = min(models, key=lambda point: sign * (models[point][1][metric] or 0))
        assert row["chosen_on_test"] == f"mf/{by_test}"
        assert row["chosen_on_validation"] == f"mf/{by_validation}"
        assert row["test_figure_test"] == pytest.approx(test[by_test])
        assert row["premium"] == pytest.approx(test[by_test] - test[by_validation])
        assert sign * row["premium"] <= 0
        assert (row["points"], row["users"]) == (8, USERS)
        both = [
            contributions_to(metric, models[point][0].warm, USERS)
            for point in (by_validation, by_test)
        ]
        told = differences_to_best([each for each in both if each], config.uncertainty)[1]
        assert (row["low"], row["high"]) == pytest.approx((told.low, told.high))
    assert (table["chosen_on_test"] != table["chosen_on_validation"]).any()


def test_the_order_of_the_models_does_not_matter(config: EvaluateConfig) -> None:
    """Two equal models: the first by name is taken, whichever comes first."""
    scores, validation = scored(0, config)
    tables = []
    for points in (["dim10", "dim9"], ["dim9", "dim10"]):
        premium = SelectionPremium(config)
        for point in points:
            premium.see(entry(point, scores, config), validation, scores)
        tables.append(premium.table())
    assert tables[0].equals(tables[1])
    assert set(tables[0]["chosen_on_test"]) == {"mf/dim9"}
    assert (tables[0]["premium"] == 0).all()
    assert (tables[0]["low"] == 0).all()


def test_a_model_without_a_metric_on_validation_is_no_point_of_the_grid(
    config: EvaluateConfig,
) -> None:
    premium = SelectionPremium(config)
    scores, validation = scored(0, config)
    premium.see(entry("dim1", scores, config), validation | {"rmse": None}, scores)
    assert premium.table()["metric"].tolist() == list(metric_names(config))[1:]
    assert SelectionPremium(config).table().empty
