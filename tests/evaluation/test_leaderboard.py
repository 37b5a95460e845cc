from __future__ import annotations

import json
from typing import Any

import pytest

from cofilter.evaluation.leaderboard import (
    Entry,
    columns,
    leaderboard,
    metrics_json,
    notes_of,
    selected,
)
from cofilter.evaluation.scoring import COUNTS, EvaluateConfig, metric_names


def entry(
    config: EvaluateConfig,
    point: str,
    *,
    warm: float | None,
    validation: float | None,
    family: str = "mf",
) -> Entry:
    """A model that scores ``warm`` on the primary metric and 0.5 on the others."""
    scores: dict[str, Any] = dict.fromkeys(metric_names(config), 0.5)
    counts: dict[str, Any] = dict.fromkeys(COUNTS, 7)
    summary = {
        "warm": scores | {config.primary: warm},
        "all": scores | {config.primary: warm},
        "counts": {"warm": counts, "all": counts},
    }
    return Entry(family, point, 0, "numpy", "cpu", validation, summary)


def order(config: EvaluateConfig, entries: list[Entry]) -> list[str]:
    return leaderboard(entries, config, [])["point"].tolist()


def test_sorted_by_the_primary_metric_and_those_without_it_last(config: EvaluateConfig) -> None:
    entries = [
        entry(config, "none", warm=None, validation=None),
        entry(config, "low", warm=0.1, validation=0.9),
        entry(config, "high", warm=0.3, validation=0.1),
    ]
    table = leaderboard(entries, config, [])
    assert table["point"].tolist() == ["high", "low", "none"]
    assert table["rank"].fillna(-1).tolist() == [1, 2, -1]
    # Test has no say in what is shipped: "low" is best on validation.
    assert table["selected"].tolist() == [False, True, False]
    assert table.columns.tolist() == columns(config)


def test_an_error_is_sorted_and_selected_upwards(config: EvaluateConfig) -> None:
    config = config.model_copy(update={"primary": "rmse"})
    entries = [
        entry(config, "a", warm=0.9, validation=0.9),
        entry(config, "b", warm=0.8, validation=1.0),
    ]
    assert order(config, entries) == ["b", "a"]
    best = selected(entries, config)
    assert best is not None
    assert best.point == "a"


def test_ties_stand_by_family_and_by_the_numbers_in_the_point(config: EvaluateConfig) -> None:
    points = [("mf", "dim100"), ("mf", "dim20"), ("als", "dim50"), ("mf", "7"), ("mf", "dim20-b")]
    entries = [entry(config, p, warm=0.2, validation=0.2, family=f) for f, p in points]
    assert order(config, entries) == ["dim50", "7", "dim20", "dim20-b", "dim100"]
    best = selected(sorted(entries, key=lambda e: e.order), config)
    assert best is not None
    assert best.family == "als"


def test_json_holds_the_table(config: EvaluateConfig) -> None:
    entries = [
        entry(config, "a", warm=0.2, validation=0.4),
        entry(config, "b", warm=None, validation=None, family="baseline"),
    ]
    table = leaderboard(entries, config, ["not temporal: kfold"])
    nested = json.loads(json.dumps(metrics_json(table, config), allow_nan=False))
    assert nested["selected"] == {"family": "mf", "point": "a"} | nested["mf"]["a"]
    assert nested["mf"]["a"]["validation_ndcg@5"] == 0.4
    assert nested["mf"]["a"]["warm"]["ndcg@5"] == 0.2
    assert nested["mf"]["a"]["all"]["ranked_users"] == 7
    assert nested["baseline"]["b"]["warm"]["ndcg@5"] is None


def test_nothing_is_selected_when_validation_tells_nothing(config: EvaluateConfig) -> None:
    table = leaderboard([entry(config, "a", warm=0.2, validation=None)], config, [])
    assert not table["selected"].any()
    assert metrics_json(table, config)["selected"] is None
    assert leaderboard([], config, []).columns.tolist() == columns(config)


@pytest.mark.parametrize(
    ("users", "temporal", "told"),
    [(5, True, []), (4, True, ["too few"]), (5, False, ["not temporal"])],
)
def test_notes(config: EvaluateConfig, users: int, temporal: bool, told: list[str]) -> None:
    audit = {"temporal": temporal, "kind": "random", "train_share_after_first_test": None}
    notes = notes_of(users, audit, config)
    assert [note[: len(start)] for note, start in zip(notes, told, strict=True)] == told
