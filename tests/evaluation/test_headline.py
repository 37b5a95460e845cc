from __future__ import annotations

import json

import pytest

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.headline import MOST, headline, n_numbers
from cofilter.evaluation.leaderboard import leaderboard
from tests.evaluation.test_leaderboard import entry


def test_it_holds_the_shipped_model_and_the_best_point_of_each_family(
    config: EvaluateConfig,
) -> None:
    """Best on validation, whatever test says."""
    entries = [
        entry(config, "a", warm=0.2, validation=0.4),
        entry(config, "b", warm=0.9, validation=0.3),
        entry(config, "none", warm=None, validation=None, family="baseline"),
        entry(config, "item", warm=0.1234567, validation=0.1, family="knn"),
    ]
    found = headline(leaderboard(entries, config, []), config)
    figures = {"ndcg@5": 0.2, "ndcg@5_margin": 0.015, "rmse": 0.5, "coverage@5": 0.5}
    assert found == {
        "users": 7,
        "shipped": {"model": "mf/a", "validation": 0.4, **figures},
        "baseline": {"point": "none", "rmse": 0.5, "coverage@5": 0.5},
        "knn": {"point": "item", **figures, "ndcg@5": 0.123457},
        "mf": {"point": "a", **figures},
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_an_error_s_best_is_its_lowest(config: EvaluateConfig) -> None:
    config = config.model_copy(update={"primary": "rmse"})
    entries = [
        entry(config, "a", warm=0.9, validation=0.9),
        entry(config, "b", warm=0.8, validation=1.0),
    ]
    found = headline(leaderboard(entries, config, []), config)
    assert found["mf"]["point"] == "a"
    assert found["mf"].keys() == {"point", "rmse", "rmse_margin", "coverage@2"}


def test_without_validation_nothing_ships_and_the_leaderboard_s_first_stands(
    config: EvaluateConfig,
) -> None:
    entries = [entry(config, name, warm=warm, validation=None) for name, warm in SCORES]
    found = headline(leaderboard(entries, config, []), config)
    assert found["shipped"] is None
    assert found["mf"]["point"] == "high"
    empty = headline(leaderboard([], config, []), config)
    assert empty == {"users": None, "shipped": None}


SCORES = [("low", 0.1), ("high", 0.3), ("middle", 0.2)]


@pytest.mark.parametrize(
    ("families", "left"),
    [
        (8, {"ndcg@5", "ndcg@5_margin", "rmse", "coverage@5"}),
        (11, {"ndcg@5", "ndcg@5_margin", "rmse"}),
        (17, {"ndcg@5", "ndcg@5_margin"}),
        (34, {"ndcg@5"}),
        (60, set()),
    ],
)
def test_there_are_never_more_numbers_than_a_screen_takes(
    families: int, left: set[str], config: EvaluateConfig
) -> None:
    """Figures go for all families alike; the shipped model keeps its own."""
    entries = [
        entry(config, "p", warm=0.2, validation=0.1, family=f"family{at}") for at in range(families)
    ]
    found = headline(leaderboard(entries, config, []), config)
    assert n_numbers(found) <= MOST
    assert found["family3"].keys() == {"point"} | left
    assert len(found["shipped"]) == 6
