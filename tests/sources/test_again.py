"""What a source's report says of its form reads the source's own file again, and more like it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import CofilterError
from cofilter.sources.again import read_again
from cofilter.sources.source import obtain
from tests.sources.configs import source

SHOP = {"user": "customer", "item": "sku", "rating": "stars", "timestamp": "on"}
FORMS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a European spreadsheet's text": (
        "csv", "r.csv", {"columns": SHOP, "delimiter": "semicolon", "decimal": ",",
                         "timestamp_format": "%d/%m/%Y", "scale": [1, 5]},
        "customer;sku;stars;on\n7;007;4,5;01/02/2020\n8;a b;3;02/02/2020\n",
    ),
    "JSON lines": (
        "csv", "r.jsonl", {"columns": SHOP | {"timestamp": None}},
        '{"customer": "x", "sku": 3, "stars": 2.5}\n{"customer": "y", "sku": 4, "stars": 1}\n',
    ),
    "positions without a header": (
        "csv", "r.txt", {"has_header": False, "delimiter": "tab", "quote": None,
                         "columns": {"user": 1, "item": 2, "rating": 3, "timestamp": 4}},
        '1\t2\t5\t881250949\n3\t"4\t3\t881250950\n',
    ),
    "MovieLens": (
        "ml_latest_small", "ratings.csv", {"checksums": None},
        "userId,movieId,rating,timestamp\n7,30,4.5,1112486027\n7,20,3.0,1112484676\n",
    ),
    "baskets with a user": (
        "adjacency", "r.txt", {}, "7 1 2 3\n9 2 5\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "file", "changes", "content"), FORMS.values(), ids=FORMS)
def test_a_sources_own_file_gives_the_same_rows_again(
    name: str, file: str, changes: dict[str, Any], content: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_text(content)
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n20,Two,Drama\n30,Three,War\n")
    first = obtain(source(name, path=file, **changes), tmp_path, tmp_path)
    form = json.loads(json.dumps(first.report["form"]))  # as source.json and the card have it
    if name == "adjacency":
        assert form is None  # a line is a user, so that there are no columns to name
        return
    whole = {key: first.ratings[key].dtype.kind == "i" for key in (USER, ITEM)}
    again = read_again(tmp_path / file, form, first.report["scale"], whole).to_pandas()
    columns = [key for key in (USER, ITEM, RATING, TIMESTAMP) if key in first.ratings]
    for key in columns:
        assert np.array_equal(first.ratings[key], again[key]), key


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("customer;sku\n7;1\n", "no column stars"),
        ("customer;sku;stars\n7;1;4\n8;x;3\n", 'row 3, item_id: "x"; a whole number is expected'),
        ("customer;sku;stars\n7;1;4\n8;2;9\n", 'row 3, rating: "9"; a number from 1 to 5'),
        ("customer;sku;stars\n7;1;4\n;2;3\n", "row 3, user_id: no value; an id is expected"),
        ("customer,sku,stars\n7,1,4\n", "seems to be what separates fields"),
        ("", "is empty"),
        ("\x00\x01\x02", "binary"),
    ],
)
def test_what_is_wrong_names_file_row_and_column(content: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text(content)
    form = obtain_form(tmp_path)
    with pytest.raises(CofilterError, match=line) as error:
        read_again(path, form, (1.0, 5.0), {USER: True, ITEM: True})
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def obtain_form(folder: Path) -> dict[str, Any]:
    pd.DataFrame({"customer": [1, 2], "sku": [3, 4], "stars": [4, 5]}).to_csv(
        folder / "first.csv", sep=";", index=False
    )
    changes = {"columns": SHOP | {"timestamp": None}, "delimiter": ";"}
    found = obtain(source("csv", path="first.csv", **changes), folder, folder)
    form: dict[str, Any] = found.report["form"]
    return form


def test_made_up_ratings_have_no_form(tmp_path: Path) -> None:
    made = source("synthetic", synthetic__users=20, synthetic__items=100, synthetic__ratings=420)
    assert obtain(made, tmp_path, tmp_path).report["form"] is None
