"""New rows of a model: in the project's own columns, as its source is written, or by name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import DataError
from cofilter.release.limits import rating_limits, why_not
from cofilter.release.reading import Written, read_new_ratings
from cofilter.sources.again import PLAIN
from tests.release.films import als, factors

TABS = Written(PLAIN | {
    "delimiter": "\t", "has_header": False, "quote": None, "timestamp_format": "epoch",
    "columns": {"user": 1, "item": 2, "rating": 3, "timestamp": 4},
})  # fmt: skip
DAYS = Written(
    PLAIN
    | {
        "timestamp_format": "text",
        "columns": {"user": USER, "item": ITEM, "rating": RATING, "timestamp": TIMESTAMP},
    }
)


def test_rows_as_the_source_has_them(tmp_path: Path) -> None:
    path = tmp_path / "u.data"
    path.write_text("1\t5\t4\t20\n1\t5\t2\t30\n900\t6\t3\t10\n")
    found = read_new_ratings(path, factors(), TABS)
    assert found[USER].tolist() == [900, 1]
    assert found[ITEM].tolist() == [6, 5]
    assert found[RATING].tolist() == [3.0, 2.0]
    assert found[TIMESTAMP].tolist() == [10, 30]


def test_the_projects_own_columns_are_read_whatever_the_source(tmp_path: Path) -> None:
    rows = pd.DataFrame({USER: [1], ITEM: [5], RATING: [4.0]})
    rows.to_csv(tmp_path / "new.csv", index=False)
    rows.to_parquet(tmp_path / "new.parquet")
    for name in ("new.csv", "new.parquet"):
        assert read_new_ratings(tmp_path / name, factors(), TABS)[RATING].tolist() == [4.0]


def test_a_source_with_the_projects_names_keeps_its_own_times(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text(f"{USER},{ITEM},{RATING},{TIMESTAMP}\n1,5,4,1970-01-02\n")
    assert read_new_ratings(path, factors(), DAYS)[TIMESTAMP].tolist() == [86_400]
    with pytest.raises(DataError, match="seconds since 1970"):
        read_new_ratings(path, factors())


def test_columns_are_named_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("who;what;how\n1;5;4\n")
    form = Written.by_columns("user=who,item=what,rating=how", ";")
    assert read_new_ratings(path, factors(), form).iloc[0].tolist() == [1, 5, 4]
    path.write_text(f"{USER},{ITEM},who,what\n1,5,2,6\n")  # what is named counts
    found = read_new_ratings(path, als(), Written.by_columns("user=who,item=what"))
    assert (found[USER].tolist(), found[ITEM].tolist()) == ([2], [6])
    path.write_text("5,1\n6,1\n")
    found = read_new_ratings(path, als(), Written.by_columns("user=2,item=1"))
    assert (found[USER].tolist(), found[ITEM].tolist()) == ([1, 1], [5, 6])


@pytest.mark.parametrize(
    "text", ["", "user=a", "user=a,item=", "user=a,item=b,colour=c", "user=a,item=b,user=c", "a,b"]
)
def test_columns_that_name_no_table_are_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"--columns .*user=NAME,item=NAME"):
        Written.by_columns(text)


def test_ids_are_of_the_models_kind(tmp_path: Path) -> None:
    table = pd.DataFrame({USER: ["07", "7", "x"], ITEM: ["1", "2", "2"], RATING: 4.0})
    model = cofilter.EASE(kind="binary").fit(table)
    path = tmp_path / "new.tsv"
    path.write_text("7\t1\t4\t20\n8\t2\t3\t20\n")
    assert read_new_ratings(path, model, TABS)[USER].tolist() == ["7", "8"]
    path.write_text("1\tfilm\t4\t20\n")
    with pytest.raises(DataError, match=r'row 1, item_id: "film".*--columns says'):
        read_new_ratings(path, factors(), TABS)
    path.write_text(f"{USER},{ITEM}\n99999999999999999999,1\n")
    with pytest.raises(DataError, match="line 2: user_id '99999999999999999999', a whole number"):
        read_new_ratings(path, factors())
    with pytest.raises(DataError, match=r"none.csv: file not found"):
        read_new_ratings(tmp_path / "none.csv", factors(), TABS)
    with pytest.raises(DataError, match="not readable"):
        read_new_ratings(tmp_path, factors(), TABS)


def test_counts_have_no_limits_and_a_scale_has() -> None:
    counts = pd.DataFrame({USER: [1, 1, 2, 2], ITEM: [1, 2, 1, 3], RATING: [1.0, 7.0, 1.0, 2.0]})
    assert rating_limits(cofilter.EASE(kind="rating").fit(counts)) is None
    assert rating_limits(cofilter.ImplicitALS(dim=2, epochs=1).fit(counts)) is None
    model = cofilter.ImplicitALS(dim=2, epochs=1).fit(counts)
    assert why_not(model, 1e38) is None
    assert why_not(model, 1e39) == why_not(model, float("nan")) == "a number is expected"
    scaled = cofilter.EASE(kind="rating", scale=(1.0, 10.0)).fit(counts)
    assert why_not(scaled, 0.5) == "a number from 1 to 10 is expected"
    assert rating_limits(scaled) == (1.0, 10.0)
    assert rating_limits(cofilter.BiasBaseline().fit(counts)) == (1.0, 7.0)
