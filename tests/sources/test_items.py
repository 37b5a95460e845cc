from __future__ import annotations

import polars as pl

from cofilter.sources.items import NO_TITLES, join_items, titles
from cofilter.sources.table import RawTable


def described(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=NO_TITLES.schema, orient="row")


def test_every_rated_item_has_one_row() -> None:
    ratings = pl.DataFrame({"item_id": ["9", "2", "2", "5"]})
    table = described(("3", "Three", "Drama"), ("2", "Two", ""), ("2", "Again", ""))
    joined, items, repeated = join_items("x", ratings, table)
    assert joined["item_id"].to_list() == [9, 2, 2, 5]
    assert items.rows() == [(3, "Three", "Drama"), (2, "Two", ""), (5, "", ""), (9, "", "")]
    assert repeated == 1


def test_without_titles_the_rated_items_come_in_order() -> None:
    _, items, _ = join_items("x", pl.DataFrame({"item_id": ["b", "a", "b"]}), NO_TITLES)
    assert items.rows() == [("a", "", ""), ("b", "", "")]


def test_an_odd_id_in_the_titles_keeps_both_tables_as_text() -> None:
    ratings = pl.DataFrame({"item_id": [1, 2]})
    joined, items, _ = join_items("x", ratings, described(("01", "Zero one", "")))
    assert joined["item_id"].to_list() == ["1", "2"]
    assert items["item_id"].to_list() == ["01", "1", "2"]


def test_titles_are_trimmed_and_missing_text_is_empty() -> None:
    frame = pl.DataFrame({"item_id": ["1", None, "2"], "title": [" A ", "lost", None]})
    table, without = titles(RawTable("t.csv", frame, lambda index: index, 3))
    assert without == 1
    assert table.rows() == [("1", "A", ""), ("2", "", "")]
