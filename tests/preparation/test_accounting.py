from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cofilter.preparation.accounting import (
    dropped_by_filter,
    filter_losses,
    losses,
    repeats_told,
    rows_lost,
)
from cofilter.preparation.audit import audit
from cofilter.preparation.duplicates import Policy
from cofilter.preparation.filter import FilterConfig, filter_ratings
from cofilter.preparation.split import SplitConfig, split_ratings
from tests.preparation.logs import Row, log, rows_of

NAMES = ("train", "validation", "test")


def made_of(within: list[int], earlier: list[int], policy: str, rows: int = 10) -> dict[str, Any]:
    """What `repeats_told` reads of an audit, with so many rows in each part."""
    counts = {"within": within, "earlier": earlier}
    parts = {name: {"rows": rows} for name in NAMES}
    by_part = {key: dict(zip(NAMES, each, strict=True)) for key, each in counts.items()}
    return {"parts": parts, "duplicates": {"policy": policy, **by_part}}


def test_the_lines_say_what_how_many_where_and_by_which_key() -> None:
    assert repeats_told(made_of([3500, 0, 400], [0, 100, 1000], "last", 5000)) == [
        "5,000 of 20,000 rows were merged or dropped by split.duplicates=last: 3,900 repeats "
        "inside a part (train 3,500, test 400), 1,100 repeats of an earlier part (validation 100, "
        "test 1,000)",
        "split.duplicates=last keeps a pair's latest rating in the first part that has it, for "
        "counts and clicks sum or count adds up its rows",
    ]


@pytest.mark.parametrize("policy", ["sum", "count"])
def test_who_adds_up_is_not_told_to(policy: str) -> None:
    first, second = repeats_told(made_of([1, 0, 0], [0, 0, 0], policy))
    assert f"by split.duplicates={policy}: 1 repeats inside a part (train 1)" in first
    assert "for counts" not in second


def test_pairs_that_were_returned_are_told() -> None:
    facts = made_of([2, 0, 0], [0, 0, 0], "sum")
    facts["duplicates"]["returned"] = {"train": 0, "validation": 0, "test": 3}
    assert "5 of 35 rows" in repeats_told(facts)[0]
    assert "3 pairs with a total of 0 or less (test 3)" in repeats_told(facts)[0]


@pytest.mark.parametrize("policy", ["error", "last", "mean", "max", "sum", "count"])
def test_nothing_is_said_where_no_row_went(policy: str) -> None:
    assert repeats_told(made_of([0, 0, 0], [0, 0, 0], policy)) == []


@settings(max_examples=50)
@given(rows_of(users=4, items=3, times=9, size=60), st.sampled_from(["last", "sum", "count"]))
def test_every_row_is_accounted_for(rows: list[Row], policy: Policy) -> None:
    rows = [*rows, *((9, item, 5.0, 9) for item in range(30))]  # so that no part is empty
    raw, config = log(rows), SplitConfig(kind="random", duplicates=policy)
    rules = FilterConfig(min_rating=1.0, max_rating=9.0)
    filtered, counted = filter_ratings(raw, rules, None)
    parts, report = split_ratings(filtered, config, None)
    facts = audit(parts, None, config, report["duplicates"])
    low = sum(row[2] < 1.0 for row in rows)
    assert dropped_by_filter({"rows": len(rows)}, facts) == low
    assert filter_losses(counted) == {"min_rating=1.0": low, "max_rating=9.0": 0}
    pairs = {row[:2] for row in rows if row[2] >= 1.0}
    assert rows_lost(facts) == len(rows) - low - len(pairs)
    assert ("pairs with a total of 0 or less" in losses(facts)) == (policy == "sum")
    assert bool(repeats_told(facts)) == (rows_lost(facts) > 0)
