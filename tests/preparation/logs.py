"""Small random logs that the tests of preparation share."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import strategies as st

Row = tuple[Any, Any, float, int]


def log(rows: list[Row], string_ids: bool = False) -> pd.DataFrame:
    """A ratings table of (user, item, rating, timestamp) rows."""
    ids = str if string_ids else int
    return pd.DataFrame(
        {
            "user_id": pd.Series([ids(row[0]) for row in rows], dtype="str" if string_ids else int),
            "item_id": pd.Series([ids(row[1]) for row in rows], dtype="str" if string_ids else int),
            "rating": pd.Series([row[2] for row in rows], dtype=float),
            "timestamp": pd.Series([row[3] for row in rows], dtype="int64"),
        }
    )


def rows_of(users: int, items: int, times: int, size: int = 40) -> st.SearchStrategy[list[Row]]:
    """Logs with many ties in time and, with few users and items, many repeated pairs."""
    row = st.tuples(
        st.integers(0, users - 1),
        st.integers(0, items - 1),
        st.sampled_from([0.5, 1.0, 2.5, 4.0, 5.0]),
        st.integers(0, times - 1),
    )
    return st.lists(row, min_size=1, max_size=size)


def distinct(rows: list[Row]) -> list[Row]:
    """The rows without the repeats of a (user, item) pair."""
    return list({row[:2]: row for row in rows}.values())
