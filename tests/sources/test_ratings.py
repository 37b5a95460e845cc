from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.sources import ratings
from cofilter.sources.delimited import TextFormat
from cofilter.sources.files import Member
from cofilter.sources.forms import read_table
from cofilter.sources.ratings import Rules, check_ratings
from cofilter.sources.table import RawTable

COLUMNS: dict[str, str | int] = {
    "user_id": "user",
    "item_id": "item",
    "rating": "rating",
    "timestamp": "time",
}
STRICT = Rules((1.0, 5.0), "auto", skip=False)
LENIENT = Rules((1.0, 5.0), "auto", skip=True)


def raw(*lines: str) -> RawTable:
    content = "\n".join(["user,item,rating,time", *lines, ""]).encode()
    return read_table(
        Member("r.csv", "r.csv", lambda: content), content, TextFormat(",", True), COLUMNS
    )


def test_valid_rows_keep_their_order_and_get_their_types() -> None:
    checked = check_ratings(raw("2,a,4.5,100", "1,b,1,50"), STRICT)
    assert checked.table.schema == {
        "user_id": pl.Int64,
        "item_id": pl.String,
        "rating": pl.Float32,
        "timestamp": pl.Int64,
    }
    assert checked.table.rows() == [(2, "a", 4.5, 100), (1, "b", 1.0, 50)]
    assert set(checked.skipped.values()) == {0}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,b,abc,7", 'r.csv, row 4, rating: "abc"; a number from 1 to 5 is expected'),
        ("1,b,,7", "r.csv, row 4, rating: no value; a number from 1 to 5 is expected"),
        ("1,b,nan,7", 'row 4, rating: "nan"; a number'),
        ("1,b,inf,7", 'row 4, rating: "inf"; a number'),
        ("1,b,5.5,7", 'row 4, rating: "5.5"; a number from 1 to 5'),
        ("1,b,0,7", 'row 4, rating: "0"; a number from 1 to 5'),
        ("1,b,3,tomorrow", 'row 4, timestamp: "tomorrow"; seconds since 1970'),
        ("1,b,3,1112486027000", "set data.timestamp_format=epoch_ms"),
        ("1,b,3,", "row 4, timestamp: no value"),
        (",b,3,7", "row 4, user_id: no value; an id is expected"),
        ("1,,3,7", "row 4, item_id: no value; an id is expected"),
    ],
)
def test_an_invalid_row_is_named_by_its_line(line: str, said: str) -> None:
    table = raw("1,a,3,7", "", line)  # the blank line is no row, but counts as a line
    with pytest.raises(DataError) as caught:
        check_ratings(table, STRICT)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


CELLS = st.tuples(
    st.sampled_from(["1", "2", ""]),
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(["1", "3.5", "5", "0.5", "9", "x", "nan", ""]),
    st.sampled_from(["100", "2", "x", ""]),
)


@given(st.lists(CELLS, max_size=12))
def test_skipping_agrees_with_a_row_by_row_check(rows: list[tuple[str, ...]]) -> None:
    rows = [("1", "a", "3", "0"), *rows]
    expected: list[tuple[Any, ...]] = []
    counts = dict.fromkeys(
        (
            "blank_line",
            "comment",
            "user_missing",
            "item_missing",
            "rating_not_a_number",
            "rating_out_of_scale",
            "timestamp_unreadable",
        ),
        0,
    )
    for user, item, rating, time in rows:
        if not any((user, item, rating, time)):
            counts["blank_line"] += 1  # a line of delimiters alone is as blank as an empty one
            continue
        number = float(rating) if rating not in ("", "x") else math.nan
        if not user:
            counts["user_missing"] += 1
        elif not item:
            counts["item_missing"] += 1
        elif math.isnan(number):
            counts["rating_not_a_number"] += 1
        elif not 1 <= number <= 5:
            counts["rating_out_of_scale"] += 1
        elif time in ("", "x"):
            counts["timestamp_unreadable"] += 1
        else:
            expected.append((int(user), item, number, int(time)))
    checked = check_ratings(raw(*(",".join(row) for row in rows)), LENIENT)
    assert checked.table.rows() == expected
    assert checked.skipped == counts


def test_without_ratings_every_row_counts_as_one() -> None:
    table = raw("1,a,3,7", "1,b,zzz,8")
    table = replace(table, frame=table.frame.drop("rating"))
    checked = check_ratings(table, Rules(None, "auto", skip=False))
    assert checked.table["rating"].to_list() == [1.0, 1.0]


def test_without_scale_any_finite_number_is_a_rating() -> None:
    checked = check_ratings(raw("1,a,-1000,7"), Rules(None, "auto", skip=False))
    assert checked.table["rating"].to_list() == [-1000.0]
    with pytest.raises(DataError, match='"inf"; a number is expected'):
        check_ratings(raw("1,a,inf,7"), Rules(None, "auto", skip=False))


def test_no_valid_row_left_is_an_error() -> None:
    with pytest.raises(DataError, match=r"no valid row is left of 2; skipped: .*scale': 2"):
        check_ratings(raw("1,a,9,7", "1,b,9,7"), LENIENT)


def in_parts(*lines: str) -> RawTable:
    content = "\n".join(["user,item,rating,time,fold", *lines, ""]).encode()
    columns = COLUMNS | {"part": "fold"}
    member = Member("r.csv", "r.csv", lambda: content)
    return read_table(member, content, TextFormat(",", True), columns)


def test_parts_are_kept_as_the_file_has_them() -> None:
    checked = check_ratings(in_parts("1,a,4,1,test", "1,b,4,2,train", "1,c,9,3,train"), LENIENT)
    assert checked.table["part"].to_list() == ["test", "train"]
    assert checked.skipped["rating_out_of_scale"] == 1


@pytest.mark.parametrize("rules", [STRICT, LENIENT], ids=["error", "skip"])
@pytest.mark.parametrize("name", ["valid", "Train", "test ", "0", ""])
def test_another_part_name_is_refused_and_never_skipped(rules: Rules, name: str) -> None:
    with pytest.raises(DataError) as refused:
        check_ratings(in_parts("1,a,4,1,train", f"1,b,4,2,{name}", f"1,c,4,3,{name}"), rules)
    shown = f'"{name}"' if name else "no value"
    assert str(refused.value) == (
        f"r.csv, row 3, part: {shown}; train, validation or test is expected, and other names are "
        "not guessed (2 rows have this fault)"
    )


def weighted(*lines: str) -> RawTable:
    content = "\n".join(["user,item,rating,w", *lines, ""]).encode()
    columns: dict[str, str | int] = {"user_id": 1, "item_id": 2, "rating": 3, "weight": 4}
    return read_table(
        Member("r.csv", "r.csv", lambda: content), content, TextFormat(",", True), columns
    )


def test_weights_are_read_as_they_are() -> None:
    checked = check_ratings(weighted("1,a,4,0.5", "1,b,4,0", "2,b,5,3e2"), STRICT)
    assert checked.table["weight"].to_list() == [0.5, 0.0, 300.0]
    assert checked.table.schema["weight"] == pl.Float32


@pytest.mark.parametrize("bad", ["-1", "nan", "inf", "1e300", "much", ""])
def test_an_impossible_weight_is_named_or_skipped(bad: str) -> None:
    lines = "1,a,4,0.5", f"1,b,4,{bad}"
    with pytest.raises(DataError, match=r"r.csv, row 3, weight: .*; a finite number from 0 up is"):
        check_ratings(weighted(*lines), STRICT)
    skipped = check_ratings(weighted(*lines), LENIENT)
    assert (len(skipped.table), skipped.skipped["weight_impossible"]) == (1, 1)


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(DataError, match=r"r.csv, weight: all 2 weights are 0"):
        check_ratings(weighted("1,a,4,0", "1,b,4,0"), STRICT)


def test_rows_that_are_neither_kept_nor_skipped_stop_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ratings, "without_nulls", lambda frame, _: frame.head(1))
    with pytest.raises(DataError, match="2 rows were read, but 1 kept and 0 skipped"):
        check_ratings(raw("1,a,3,7", "1,b,3,8"), STRICT)
