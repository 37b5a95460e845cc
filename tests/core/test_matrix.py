from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.core.matrix import (
    UNKNOWN,
    IdMap,
    Interactions,
    as_ids,
    row_means,
    row_of,
    to_csr,
    transposed,
)

IDS = st.lists(st.integers(-50, 50), max_size=30) | st.lists(
    st.text("01a", max_size=3), max_size=30
)
PAIRS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([0.0, 0.5, 3.0])),
    unique_by=lambda row: row[:2],
    min_size=1,
    max_size=40,
)


def table(rows: list[tuple[int, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "item_id", "rating"])


@given(IDS, IDS)
def test_indices_are_places_among_the_sorted_ids(known: list, wanted: list) -> None:
    if known and wanted and type(known[0]) is not type(wanted[0]):
        return
    mapped = IdMap.of(known)
    expected = sorted(set(known))
    assert mapped.ids.tolist() == expected
    assert len(mapped) == len(expected)
    found = [expected.index(one) if one in expected else UNKNOWN for one in wanted]
    assert mapped.index(wanted).tolist() == found
    assert mapped.index(wanted).dtype == np.int32


@pytest.mark.parametrize("known", [
    np.arange(0, 60_000, 3), np.array([f"a{n}" for n in range(0, 60_000, 3)]),
    np.array([f"a{n}" * (1 + 20 * (n % 2)) for n in range(2_000)], object),
])  # fmt: skip
def test_ids_have_one_place_however_many_are_looked_up(known: np.ndarray) -> None:
    """One by one, some by bisection, many by a table; with ids that are longer than all others."""
    mapped = IdMap.of(known)
    strange = [-1, 2**62, 2**63] if known.dtype.kind == "i" else ["", "a" * 90, "a1\0"]
    wanted = known[::7].tolist() + strange[:2]
    where = {each: place for place, each in enumerate(mapped.ids.tolist())}
    expected = [where.get(each, UNKNOWN) for each in wanted]
    assert [mapped.place(each) for each in [*wanted, strange[2]]] == [*expected, UNKNOWN]
    assert mapped.index(wanted).tolist() == expected
    assert mapped.index(wanted * 40).tolist() == expected * 40
    assert mapped.index(strange[:2]).tolist() == [UNKNOWN, UNKNOWN]


def test_ids_stay_what_they_are() -> None:
    assert as_ids(["007", "7"]).tolist() == ["007", "7"]
    assert as_ids(pd.Series(["007", "7"])).tolist() == ["007", "7"]
    assert as_ids(np.array([1, 2], np.int16)).dtype == np.int64
    stored = io.BytesIO()
    np.savez(stored, allow_pickle=False, ids=as_ids(pd.Series(["a", "bcd"], dtype=object)))


@pytest.mark.parametrize("of", [list, tuple, pd.Series, lambda ids: np.array(ids, object)])
def test_long_ids_are_not_of_fixed_width(of: Callable[[list[str]], Any]) -> None:
    """In fixed width these would be 8 GB."""
    ids = ["x" * 2_000_000, *(str(i) for i in range(1000))]
    mapped = IdMap.of(of(ids))
    assert mapped.ids.dtype == object
    assert mapped.ids.tolist() == sorted(ids)
    assert mapped.index(of(ids[:2])).tolist() == [1000, 0]
    assert mapped.index(["0", "none"]).tolist() == [0, UNKNOWN]
    assert mapped.joined(["a"]).index(["a"]).tolist() == [1000]


@pytest.mark.parametrize("values", [[1.5], [None, "a"], [True], np.array(["2020"], "datetime64")])
def test_other_values_are_no_ids(values: list) -> None:
    with pytest.raises(DataError, match="integers or strings"):
        as_ids(values)


@pytest.mark.parametrize("values", [[1, "a"], ("a", 1), [2**63], [[1, 2]], [["a"]], [b"a"]])
def test_ids_of_two_kinds_or_shapes_or_too_large_are_none(values: list) -> None:
    with pytest.raises(DataError, match=r"^ids must be"):
        as_ids(values)


def test_unsigned_ids_that_fit_stay_what_they_are() -> None:
    assert as_ids(np.array([3, 2**63 - 1], np.uint64)).tolist() == [3, 2**63 - 1]


def test_maps_are_joined_with_ids_of_their_kind() -> None:
    assert IdMap.of([5, 1]).joined([3, 5]).ids.tolist() == [1, 3, 5]
    assert IdMap.of([]).joined(["b", "a"]).ids.tolist() == ["a", "b"]
    assert IdMap.of(["b"]).joined([]).ids.tolist() == ["b"]
    assert IdMap.of([]).joined([]).ids.tolist() == []
    with pytest.raises(DataError, match="are strings, but this data's ids are integers"):
        IdMap.of([5]).joined(["a"])


def test_numbers_are_not_looked_up_among_strings() -> None:
    with pytest.raises(DataError, match=r"\[7\] are integers, but this data's ids are strings"):
        IdMap.of(["007"]).index([7])


@given(PAIRS)
def test_matrices_hold_every_rating_once(rows: list[tuple[int, int, float]]) -> None:
    data = Interactions.of(table(rows))
    users, items = (sorted({row[at] for row in rows}) for at in (0, 1))
    assert data.shape == (len(users), len(items))
    assert len(data) == data.by_user.nnz == len(rows)  # a stored 0 is a rating
    stored = data.by_user.tocoo()
    triples = zip(stored.row, stored.col, stored.data, strict=True)
    assert {(users[u], items[i], float(r)) for u, i, r in triples} == set(rows)
    assert (data.by_item.toarray() == data.by_user.toarray().T).all()
    for matrix in (data.by_user, data.by_item):
        assert matrix.has_sorted_indices


def test_the_hash_sees_rows_and_ids_not_times() -> None:
    rows = [(1, 2, 3.0), (2, 2, 1.0)]
    told = Interactions.of(table(rows)).sha256
    assert told == Interactions.of(table(rows).assign(timestamp=7)).sha256
    others = [rows[::-1], [(1, 2, 3.0), (2, 2, 1.5)], [(1, 3, 3.0), (2, 3, 1.0)], rows[:1]]
    assert told not in {Interactions.of(table(other)).sha256 for other in others}


def test_a_repeated_pair_is_refused() -> None:
    with pytest.raises(DataError, match="1 duplicate"):
        to_csr(np.array([0, 0]), np.array([1, 1]), np.ones(2, np.float32), (1, 2))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="rating"):
        Interactions.of(table([(1, 2, 3.0)]).drop(columns="rating"))


def test_ratings_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="ratings must be numbers"):
        Interactions.of(table([(1, 2, 3.0)]).assign(rating="good"))


def test_interactions_pass_through_and_keep_times() -> None:
    data = Interactions.of(table([(1, 2, 3.0)]).assign(timestamp=5))
    assert Interactions.of(data) is data
    assert data.timestamp is not None
    assert data.timestamp.tolist() == [5]
    assert Interactions.of(table([(1, 2, 3.0)])).timestamp is None


def test_row_helpers_agree_with_the_dense_matrix() -> None:
    dense = np.array([[0.0, 2.0, 4.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    row, column = np.array([0, 0, 0, 2]), np.array([2, 0, 1, 0])  # (0, 0) is a rating of 0
    matrix = to_csr(row, column, dense[row, column], dense.shape)
    assert row_of(matrix).tolist() == [0, 0, 0, 2]
    assert row_means(matrix).tolist() == [2.0, 0.0, 1.0]
    turned = transposed(matrix)
    assert turned.nnz == 4  # the stored 0 stays
    assert turned.toarray().tolist() == dense.T.tolist()
