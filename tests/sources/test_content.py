from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.io import read_table, write_table
from cofilter.sources.content import table_sha256

TABLE = pd.DataFrame(
    {
        "item_id": np.array([1, 2, 3], dtype=np.int64),
        "title": ["a", "bc", "é"],
        "rating": np.array([1, 2.5, 3], dtype=np.float32),
    }
)


def test_a_round_trip_through_parquet_keeps_the_checksum(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", TABLE)
    assert table_sha256(read_table(tmp_path / "t.parquet")) == table_sha256(TABLE)


@pytest.mark.parametrize(
    "other",
    [
        TABLE.iloc[::-1],
        TABLE[["title", "item_id", "rating"]],
        TABLE.assign(title=["ab", "c", "é"]),
        TABLE.assign(rating=TABLE["rating"] + np.float32(1e-6)),
        TABLE.assign(rating=TABLE["rating"].astype(np.float64)),
        TABLE.rename(columns={"title": "name"}),
        TABLE.iloc[:2],
    ],
)
def test_any_change_changes_the_checksum(other: pd.DataFrame) -> None:
    assert table_sha256(other) != table_sha256(TABLE)
