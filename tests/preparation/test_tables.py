from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.preparation.tables import pair_keys, to_polars, with_id_numbers


def ratings(**columns: Any) -> pd.DataFrame:
    table = {"user_id": [7, 8], "item_id": ["007", "b"], "rating": [1.0, 2.0], "timestamp": [3, 4]}
    return pd.DataFrame(table | columns)


def test_rows_are_positions_and_ids_keep_their_kind() -> None:
    table = to_polars(ratings().set_index(pd.Index([5, 5])))
    assert table["row"].to_list() == [0, 1]
    assert table.schema["user_id"] == pl.Int64
    assert table["item_id"].to_list() == ["007", "b"]


def test_object_strings_and_narrow_integers_are_taken() -> None:
    table = to_polars(ratings().astype({"item_id": object, "user_id": "int32"}))
    assert table.schema["user_id"] == pl.Int64
    assert table.schema["item_id"] == pl.String


def test_timestamp_may_be_absent() -> None:
    assert "timestamp" not in to_polars(ratings().drop(columns="timestamp")).columns


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"rating": [1.0, None]}, "column rating, row 2"),
        ({"item_id": ["a", None]}, "column item_id, row 2"),
        ({"user_id": [0.5, 1.5]}, "integers or strings"),
        ({"user_id": ["a", 1]}, "integers or strings"),
        ({"rating": ["good", "bad"]}, "numbers are expected"),
        ({"timestamp": ["1999", "2000"]}, "integer seconds"),
    ],
)
def test_unfit_columns_are_named(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        to_polars(ratings(**columns))


def test_id_numbers_order_as_the_strings_do() -> None:
    table = to_polars(ratings(item_id=["b", "10"]))
    assert with_id_numbers(table)["item_id"].to_list() == [1, 0]
    assert with_id_numbers(table)["user_id"].to_list() == [7, 8]


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match="no column item_id, rating"):
        to_polars(ratings()[["user_id", "timestamp"]])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([-(2**63), -5, 0, 1, 2**32, 2**63 - 1]),
            st.sampled_from(["", "a", "b", "aa"]),
        ),
        min_size=1,
    ),
    st.booleans(),
)
def test_pair_keys_are_equal_where_pairs_are(pairs: list[tuple[int, str]], swap: bool) -> None:
    numbers, texts = (list(ids) for ids in zip(*pairs, strict=True))
    users, items = (texts, numbers) if swap else (numbers, texts)
    table = pd.DataFrame({"user_id": users, "item_id": items, "rating": 1.0})
    keys = pair_keys(to_polars(table)).to_list()
    assert [keys.index(key) for key in keys] == [pairs.index(pair) for pair in pairs]
