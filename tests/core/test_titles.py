from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.core.titles import read_titles


def test_a_title_is_found_by_its_item(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pd.DataFrame({"item_id": [7, 3], "title": ["Heat", "Alien"], "genres": ["", ""]}).to_parquet(
        path
    )
    assert read_titles(path).to_dict() == {7: "Heat", 3: "Alien"}


def test_without_a_table_of_items_there_are_none(tmp_path: Path) -> None:
    assert pd.Series([1, 2]).map(read_titles(tmp_path / "items.parquet")).isna().all()
