from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.preparation.counting import FORCED, at_least, k_core, top
from cofilter.preparation.tables import to_polars
from tests.preparation.logs import Row, log, rows_of


def counted(rows: list[Row]) -> pl.DataFrame:
    return to_polars(log(rows)).with_columns(pl.lit(False).alias(FORCED))


@given(rows_of(users=7, items=7, times=1), st.integers(1, 4))
def test_k_core_agrees_with_dropping_one_row_at_a_time(rows: list[Row], k: int) -> None:
    left = list(rows)
    while True:
        counts = [Counter(row[side] for row in left) for side in (0, 1)]
        bad = [n for n, row in enumerate(left) if min(counts[0][row[0]], counts[1][row[1]]) < k]
        if not bad:
            break
        del left[bad[0]]
    passing = k_core(counted(rows), k)
    assert set(passing["user_id"]) == {row[0] for row in left}
    assert set(passing["item_id"]) == {row[1] for row in left}


def test_k_core_unravels_a_chain_to_its_end() -> None:
    # A path of users and items: only its ends are poor, but each round bares two new ends.
    chain = [(n, n + step, 1.0, 0) for n in range(50) for step in (0, 1)]
    assert all(ids.is_empty() for ids in k_core(counted(chain), 2).values())
    ring = [*chain, (50, 50, 1.0, 0), (50, 0, 1.0, 0)]
    assert len(k_core(counted(ring), 2)["user_id"]) == 51


def test_top_takes_the_smaller_ids_among_equals() -> None:
    rows = counted([(9, 1, 1.0, 0), (9, 2, 1.0, 0), (4, 1, 1.0, 0), (2, 1, 1.0, 0), (3, 1, 1.0, 0)])
    assert set(top("user_id")(rows, 3)["user_id"]) == {9, 2, 3}
    assert set(top("user_id")(rows, 99)["user_id"]) == {9, 2, 3, 4}


@pytest.mark.parametrize(("least", "expected"), [(1, {1, 2}), (2, {1}), (5, set())])
def test_at_least(least: int, expected: set[int]) -> None:
    rows = counted([(1, 1, 1.0, 0), (1, 2, 1.0, 0), (2, 1, 1.0, 0)])
    assert set(at_least("user_id")(rows, least)["user_id"]) == expected
