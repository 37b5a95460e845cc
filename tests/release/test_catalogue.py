from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import GENRES, ITEM, TITLE
from cofilter.core.errors import DataError
from cofilter.core.matrix import IdMap
from cofilter.release.catalogue import Catalogue, known_id, typed_id

TITLES = {
    10: "Star Wars (1977)",
    20: "Stargate (1994)",
    30: "The Empire Strikes Back (1980)",
    40: "",
    50: "Amélie (2001)",
}


@pytest.fixture
def catalogue() -> Catalogue:
    """Item 60 is in no table, item 70 of the table is none of the model's."""
    table = pd.DataFrame({ITEM: [*TITLES, 70], TITLE: [*TITLES.values(), "Unknown"]})
    return Catalogue.of(IdMap(np.array([*TITLES, 60])), table.assign(**{GENRES: "Drama|War"}))


def test_items_without_a_title_go_by_their_id(catalogue: Catalogue) -> None:
    assert [catalogue.title(item) for item in (10, 40, 60, 70)] == [TITLES[10], "40", "60", "70"]
    assert catalogue.genres_of(10) == ["Drama", "War"]
    assert catalogue.genres_of(60) == []
    assert catalogue.described(10) == {"item": 10, "title": TITLES[10], "genres": ["Drama", "War"]}


@pytest.mark.parametrize(("text", "first"), [
    ("star wars", 10), ("STAR WARS 1977", 10), ("starwars", 10), ("stra wars", 10),
    ("empire", 30), ("empyre strikes", 30), ("20", 20), ("star", 20), ("amelie", 50),
])  # fmt: skip
def test_a_part_of_a_title_or_a_misspelt_one_finds_it(
    text: str, first: int, catalogue: Catalogue
) -> None:
    assert catalogue.search(text)[0] == first


@pytest.mark.parametrize("text", ["", "  ", "zzzzqqqq", "!?", "-5"])
def test_what_resembles_nothing_finds_nothing(text: str, catalogue: Catalogue) -> None:
    assert catalogue.search(text) == []


def test_a_search_gives_no_more_than_asked_and_nothing_twice(catalogue: Catalogue) -> None:
    assert catalogue.search("star", 1) == [20]  # the shorter title
    found = catalogue.search("10")
    assert found[0] == 10
    assert len(found) == len(set(found))


def test_without_titles_ids_are_searched_by_their_beginning() -> None:
    plain = Catalogue.of(IdMap(np.array(["a1", "a12", "b1"])), None)
    assert not plain.has_titles
    assert plain.search("a1") == ["a1", "a12"]
    assert plain.search("b") == ["b1"]
    assert plain.title("a12") == "a12"


@pytest.mark.parametrize(("text", "value"), [
    ("7", 7), ("-7", -7), ("007", 7), ("7.0", None), ("x", None), ("", None), (str(2**63), None),
])  # fmt: skip
def test_texts_become_ids_of_the_kind_of_the_map(text: str, value: int | None) -> None:
    assert typed_id(IdMap(np.array([7])), text) == value
    assert typed_id(IdMap(np.array(["7"])), text) == text
    assert known_id(IdMap(np.array([7])), text) == (7 if value == 7 else None)


def test_it_is_written_and_read_again(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.write(tmp_path / "items.json")
    again = Catalogue.read(tmp_path / "items.json", catalogue.items)
    assert (again.titles, again.genres) == (catalogue.titles, catalogue.genres)
    with pytest.raises(DataError, match="6 titles and 6 genres are given for 1 items"):
        Catalogue.read(tmp_path / "items.json", IdMap(np.array([1])))
    (tmp_path / "items.json").write_text("[]")
    with pytest.raises(DataError, match="no titles"):
        Catalogue.read(tmp_path / "items.json", catalogue.items)
