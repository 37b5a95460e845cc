from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.preparation.duplicates import Policy, settle_duplicates
from cofilter.preparation.tables import to_polars
from tests.preparation.logs import Row, log, rows_of


def naive_settle(
    rows: list[Row], part: list[int], policy: str
) -> tuple[dict[int, float], list[int], list[int]]:
    """Ratings of the rows that stay by position, and the two counts for each part."""
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        groups[row[0], row[1], part[n]].append(n)
    within, earlier, kept = [0, 0, 0], [0, 0, 0], {}
    for (user, item, code), members in groups.items():
        within[code] += len(members) - 1
        if any((user, item, before) in groups for before in range(code)):
            earlier[code] += 1
            continue
        last = max(members, key=lambda n: (rows[n][3], n))
        ratings = [rows[n][2] for n in members]
        kept[last] = {
            "last": rows[last][2],
            "mean": sum(ratings) / len(ratings),
            "max": max(ratings),
            "sum": sum(ratings),
            "count": float(len(ratings)),
        }[policy]
    return kept, within, earlier


@settings(max_examples=200)
@given(rows_of(users=3, items=3, times=4, size=25), st.data(), st.booleans())
def test_agrees_with_plain_loops(rows: list[Row], data: st.DataObject, strings: bool) -> None:
    part = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    policy: Policy = data.draw(st.sampled_from(["last", "mean", "max", "sum", "count"]))
    ratings = log(rows, strings)
    kept, codes, counts = settle_duplicates(
        ratings, to_polars(ratings), np.array(part, dtype=np.int8), policy
    )
    expected, within, earlier = naive_settle(rows, part, policy)
    order = sorted(expected)
    wanted = ratings.iloc[order].assign(rating=[expected[n] for n in order]).reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, wanted)
    assert codes.tolist() == [part[n] for n in order]
    assert list(counts["within"].values()) == within
    assert list(counts["earlier"].values()) == earlier


def settle(rows: list[Row], part: list[int], policy: Policy) -> pd.DataFrame:
    ratings = log(rows)
    return settle_duplicates(ratings, to_polars(ratings), np.array(part, dtype=np.int8), policy)[0]


def test_error_names_pair_part_and_rows() -> None:
    rows = [(1, 1, 5.0, 1), (7, 8, 5.0, 1), (2, 2, 5.0, 1), (7, 8, 3.0, 2)]
    words = r"first user 7, item 8 in validation, rows 2, 4 .*counted from 1"
    with pytest.raises(DataError, match=words):
        settle(rows, [0, 1, 0, 1], "error")


def test_error_leaves_repeats_across_parts_to_be_dropped() -> None:
    assert len(settle([(7, 8, 5.0, 1), (7, 8, 3.0, 2)], [0, 2], "error")) == 1


@pytest.mark.parametrize(
    ("policy", "rating", "dtype"),
    [("mean", 4.5, "float64"), ("max", 5, "int64"), ("sum", 9, "int64"), ("count", 2, "int64")],
)
def test_integer_ratings_are_combined_and_the_given_table_stays(
    policy: Policy, rating: float, dtype: str
) -> None:
    ratings = log([(1, 1, 4.0, 1), (1, 1, 5.0, 2)]).astype({"rating": int})
    before = ratings.copy()
    part = np.zeros(2, dtype=np.int8)
    kept, _, _ = settle_duplicates(ratings, to_polars(ratings), part, policy)
    assert (kept.rating.tolist(), kept.rating.dtype) == ([rating], dtype)
    pd.testing.assert_frame_equal(ratings, before)


def test_a_pair_without_a_repeat_counts_one() -> None:
    kept = settle([(1, 1, 4.0, 1), (2, 1, 5.0, 2)], [0, 2], "count")
    assert kept.rating.tolist() == [1.0, 1.0]


def test_the_combined_row_has_the_last_time_and_nothing_of_a_later_part() -> None:
    kept = settle([(1, 1, 4.0, 9), (1, 1, 2.0, 5), (1, 1, 5.0, 12)], [0, 0, 2], "sum")
    assert kept.to_dict("records") == [{"user_id": 1, "item_id": 1, "rating": 6.0, "timestamp": 9}]


@pytest.mark.parametrize(
    ("policy", "weight"), [("last", 4.0), ("max", 2.0), ("mean", 3.0), ("sum", 3.0), ("count", 3.0)]
)
def test_a_weight_goes_with_its_rating_or_is_the_mean(policy: Policy, weight: float) -> None:
    rows: list[Row] = [(1, 1, 5.0, 1), (1, 1, 5.0, 2), (1, 1, 3.0, 3), (2, 1, 1.0, 9)]
    ratings = log(rows).assign(weight=np.array([3.0, 2.0, 4.0, 7.0], np.float32))
    kept, _, _ = settle_duplicates(ratings, to_polars(ratings), np.zeros(4, np.int8), policy)
    assert kept.weight.tolist() == [weight, 7.0]
    assert kept.weight.dtype == np.float32
