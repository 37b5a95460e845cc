from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.preparation.duplicates import Policy, settle_duplicates
from cofilter.preparation.returns import refuse_returns
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.preparation.tables import to_polars
from tests.preparation.logs import Row, log

ORDERS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0])),
    min_size=1,
    max_size=25,
)


def netted(rows: list[Row], part: list[int], ordered: bool) -> dict[int, float]:
    """Totals of the pairs that stay, by the position of their last row."""
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        groups[row[0], row[1], part[n]].append(n)
    kept: dict[int, float] = {}
    there: set[tuple[int, int]] = set()
    for (user, item, _), members in sorted(groups.items(), key=lambda each: each[0][2]):
        total = sum(rows[n][2] for n in members)
        in_all = sum(row[2] for row in rows if row[:2] == (user, item))
        if total > 0 and (ordered or in_all > 0) and (user, item) not in there:
            kept[max(members, key=lambda n: (rows[n][3], n))] = total
            there.add((user, item))
    return kept


@settings(max_examples=200)
@given(ORDERS, st.data(), st.booleans())
def test_netting_agrees_with_plain_loops(
    orders: list[tuple[int, int, float]], data: st.DataObject, ordered: bool
) -> None:
    rows: list[Row] = [(*order, n // 2) for n, order in enumerate(orders)]
    part = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    ratings, codes = log(rows), np.array(part, np.int8)
    kept, _, counts = settle_duplicates(ratings, to_polars(ratings), codes, "sum", ordered=ordered)
    expected = netted(rows, part, ordered)
    wanted = ratings.iloc[sorted(expected)].assign(rating=[expected[n] for n in sorted(expected)])
    pd.testing.assert_frame_equal(kept, wanted.reset_index(drop=True))
    lost = sum(sum(counts[why].values()) for why in ("within", "returned", "earlier"))
    assert len(kept) + lost == len(rows)


def test_a_later_return_leaves_what_train_could_know_and_is_no_test_row() -> None:
    rows: list[Row] = [(1, 1, 2.0, 1), (2, 1, 1.0, 1), (1, 1, -2.0, 9), (2, 1, -1.0, 2)]
    ratings = log(rows)
    kept, part, counts = settle_duplicates(
        ratings, to_polars(ratings), np.array([0, 0, 2, 0], np.int8), "sum"
    )
    assert kept[["user_id", "rating"]].to_numpy().tolist() == [[1, 2.0]]
    assert part.tolist() == [0]
    assert counts["returned"] == {"train": 1, "validation": 0, "test": 1}


def test_without_order_the_whole_log_decides() -> None:
    rows: list[Row] = [(0, 9, 1.0, 0), (0, 9, -1.0, 0)] + [(n, 1, 1.0, 0) for n in range(40)]
    for seed in range(5):
        config = SplitConfig(kind="random", duplicates="sum", seed=seed)
        parts, _ = split_ratings(log(rows), config, None)
        assert not any((table.item_id == 9).any() for _, table in parts.named())


def test_amounts_that_cancel_but_for_rounding_are_nothing() -> None:
    rows: list[Row] = [(1, 1, 0.1, 1), (1, 1, 0.2, 2), (1, 1, -0.3, 3), (2, 2, 1.0, 1)]
    ratings = log(rows)
    assert ratings.rating[:3].sum() > 0
    kept, _, _ = settle_duplicates(ratings, to_polars(ratings), np.zeros(4, np.int8), "sum")
    assert kept.user_id.tolist() == [2]


PURCHASES = [1.0, 1.0, 3.0, 1.0, -2.0, 1.0]


def numbers(values: list[float]) -> pd.DataFrame:
    return log([(n, 7, value, n) for n, value in enumerate(values)])


def test_returns_that_nothing_settles_are_refused_by_key() -> None:
    words = r"first -2 of user 4 for item 7, row 5 .*split.duplicates=sum .*data.scale"
    with pytest.raises(DataError, match=words):
        refuse_returns(numbers(PURCHASES), "last")


@pytest.mark.parametrize(
    ("values", "policy", "scale"),
    [
        (PURCHASES, "sum", None),
        (PURCHASES, "last", (-10.0, 10.0)),
        ([-3.0, -1.0, 2.0, 5.0, 8.0, 9.0, 9.0], "last", None),  # not thinning out: ratings
        ([-0.5, 1.0, 1.0, 1.0, 2.0], "last", None),  # not whole
        ([0.0, 1.0, 1.0, 2.0], "last", None),
    ],
)
def test_ratings_and_what_is_settled_pass(
    values: list[float], policy: Policy, scale: tuple[float, float] | None
) -> None:
    refuse_returns(numbers(values), policy, scale)
