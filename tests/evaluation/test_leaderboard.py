from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.intervals import Contributions
from cofilter.evaluation.leaderboard import (
    Entry,
    columns,
    leaderboard,
    notes_in,
    notes_of,
    reported_metrics,
    selected,
)
from cofilter.scoring.scores import COUNTS


def entry(
    config: EvaluateConfig,
    point: str,
    *,
    warm: float | None,
    validation: float | None,
    family: str = "mf",
) -> Entry:
    """A model that scores ``warm`` on the primary metric, for 40 users, and 0.5 on the others."""
    scores: dict[str, Any] = dict.fromkeys(reported_metrics(config), 0.5)
    counts: dict[str, Any] = dict.fromkeys(COUNTS, 7)
    summary = {
        "warm": scores | {config.primary: warm},
        "all": scores | {config.primary: warm},
        "counts": {"warm": counts, "all": counts},
    }
    if warm is None:
        return Entry(family, point, 0, "numpy", "cpu", validation, summary)
    users = warm + np.random.default_rng(len(point)).uniform(-0.02, 0.02, 40)
    values = users + (warm - users.mean())
    intervals = {"warm": {config.primary: (warm - 0.01, warm + 0.02)}}
    primary = Contributions(values, np.ones(40), root=False)
    return Entry(family, point, 0, "numpy", "cpu", validation, summary, intervals, primary)


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


def test_nothing_is_selected_when_validation_tells_nothing(config: EvaluateConfig) -> None:
    table = leaderboard([entry(config, "a", warm=0.2, validation=None)], config, [])
    assert not table["selected"].any()
    assert leaderboard([], config, []).columns.tolist() == columns(config)


@pytest.mark.parametrize(
    ("users", "temporal", "told"),
    [(5, True, []), (4, True, ["too few"]), (5, False, ["not temporal"])],
)
def test_notes(config: EvaluateConfig, users: int, temporal: bool, told: list[str]) -> None:
    audit = lossless() | {"temporal": temporal, "train_share_after_first_test": None}
    notes = notes_of(users, audit, config)
    assert [note[: len(start)] for note, start in zip(notes, told, strict=True)] == told


def lossless() -> dict[str, Any]:
    """What the notes read of an audit, of a temporal split without repeats."""
    none = {"train": 0, "validation": 0, "test": 0}
    return {
        "temporal": True,
        "kind": "random",
        "parts": {name: {"rows": 600} for name in none},
        "duplicates": {"policy": "last", "within": none, "earlier": none},
    }


@pytest.mark.parametrize(
    ("kind", "start"),
    [("global_temporal", ""), ("given", "not wholly the published split: ")],
)
def test_rows_that_a_split_lost_are_said(config: EvaluateConfig, kind: str, start: str) -> None:
    audit = lossless() | {"kind": kind}
    assert notes_of(900, audit, config) == []
    none = audit["duplicates"]["within"]
    audit["duplicates"] |= {"within": none | {"train": 1200}, "earlier": none | {"test": 3}}
    assert notes_of(900, audit, config) == [
        f"{start}1,203 of 3,003 rows were merged or dropped by split.duplicates=last: 1,200 "
        "repeats inside a part (train 1,200), 3 repeats of an earlier part (test 3)",
        "split.duplicates=last keeps a pair's latest rating in the first part that has it, for "
        "counts and clicks sum or count adds up its rows",
    ]


def test_warnings_of_the_source_are_said(config: EvaluateConfig) -> None:
    warnings = ["3 times are odd; data.timestamp_format says what they are", "b", "c", "d"]
    few = notes_of(900, lossless(), config, {"warnings": warnings[:3]})
    assert few == [
        "the source: 3 times are odd, data.timestamp_format says what they are",
        "the source: b",
        "the source: c",
    ]
    board = leaderboard([entry(config, "a", warm=0.2, validation=0.2)], config, few)
    assert notes_in(board) == few
    many = notes_of(900, lossless(), config, {"warnings": warnings})
    assert many == ["the source has 4 warnings, see data/source.json"]
    assert notes_of(900, lossless(), config, {"warnings": []}) == []


def test_a_board_without_notes_has_none(config: EvaluateConfig) -> None:
    table = leaderboard([entry(config, "a", warm=0.2, validation=0.2)], config, [])
    assert notes_in(table) == []


def test_the_first_row_is_what_others_are_compared_with(config: EvaluateConfig) -> None:
    entries = [
        entry(config, "low", warm=0.1, validation=0.9),
        entry(config, "none", warm=None, validation=None),
        entry(config, "best", warm=0.3, validation=0.1),
        entry(config, "equal", warm=0.3, validation=0.1),
    ]
    table = leaderboard(entries, config, []).set_index("point")
    assert table.index.tolist() == ["best", "equal", "low", "none"]
    assert table["best_set"].tolist() == [True, True, False, False]
    assert table["difference"].tolist()[:3] == pytest.approx([0.0, 0.0, -0.2])
    assert table.loc["low", "difference_high"] < -0.18 < 0.0
    assert table["p_holm"].isna().tolist() == [True, False, False, True]
    assert table.loc["low", "p_holm"] == pytest.approx(2 / 501)
    assert table.loc["best", "warm_ndcg@5_low"] == pytest.approx(0.29)
    assert table.loc["best", "warm_ndcg@5_high"] == pytest.approx(0.32)
    assert np.isnan(table.loc["none", "warm_ndcg@5_low"])


def test_seeds_of_a_point_have_a_spread_and_one_seed_has_none(config: EvaluateConfig) -> None:
    points = {"dim5-seed0": 0.1, "dim5-seed1": 0.3, "dim5-seed12": 0.2, "dim50-seed0": 0.4}
    entries = [entry(config, name, warm=warm, validation=0.1) for name, warm in points.items()]
    entries += [
        entry(config, "dim5-seed0", warm=0.7, validation=0.1, family="als"),
        entry(config, "popularity", warm=0.7, validation=0.1, family="baseline"),
        entry(config, "dim5-seed3", warm=None, validation=None),
    ]
    table = leaderboard(entries, config, [])
    several = (table["family"] == "mf") & table["point"].str.startswith("dim5-")
    assert table.loc[several, "seed_sd"].tolist() == pytest.approx([0.1] * 4)
    assert table.loc[~several, "seed_sd"].isna().all()
