from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.sources.summary import lines, summary, warnings

NO_TITLES: dict[Any, str] = {}


def tables(
    rows: list[tuple[Any, ...]], titles: dict[Any, str] = NO_TITLES
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    columns = ["user_id", "item_id", "rating", "timestamp"][: len(rows[0])]
    ratings = pd.DataFrame(rows, columns=columns).astype({"rating": np.float32})
    described = titles | {item: titles.get(item, "") for item in ratings["item_id"].unique()}
    items = pd.DataFrame({"item_id": described.keys(), "title": described.values(), "genres": ""})
    return ratings, items, pd.factorize(ratings["user_id"])[0]


def said(rows: list[tuple[Any, ...]], titles: dict[Any, str] = NO_TITLES, **more: Any) -> list[str]:
    ratings, items, user = tables(rows, titles)
    return warnings(ratings, items, user, more.get("scale"), bool(titles))


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.1, 2.5, 3.0, 1e30]), min_size=1, max_size=40))
def test_figures_agree_with_a_plain_count(values: list[float]) -> None:
    users = [at % 3 for at in range(len(values))]
    rows = list(zip(users, range(len(values)), values, strict=True))
    found = summary(*tables(rows, {0: "Zero"}))
    ordered = sorted(values)
    assert (found["rating"]["lowest"], found["rating"]["highest"]) == (ordered[0], ordered[-1])
    at = [max(0, int(np.ceil(share * len(values))) - 1) for share in (0.25, 0.5, 0.75)]
    assert found["rating"]["quartiles"] == [ordered[place] for place in at]
    assert found["rating"]["most_frequent"][0][1] == pytest.approx(
        max(map(values.count, values)) / len(values), abs=1e-4
    )
    assert (found["zeros"], found["negatives"]) == (values.count(0.0), values.count(-1.0))
    assert found["largest_user"]["rows"] == max(map(users.count, users))
    assert found["titled_items"] == 1
    assert found["time_span"] is None


def test_what_is_ordinary_has_no_warning() -> None:
    rows = [(user, item, 1 + item % 5, 1_500_000_000) for user in range(30) for item in range(10)]
    assert said(rows, dict.fromkeys(range(10), "x")) == []


def test_times_that_nobody_rated_at_are_named() -> None:
    rows = [(1, 1, 3, 1_500_000_000), (1, 2, 3, 5), (1, 3, 3, 4_000_000_000)]
    (line,) = said(rows)
    assert line.startswith("2 of 3 times are outside 1990 to ")
    assert "such as 1970-01-01; data.timestamp_format" in line


def test_a_user_of_very_many_rows_is_named() -> None:
    rows = [(user, 1, 3) for user in range(20)] + [(7, item, 3) for item in range(10)]
    (line,) = said(rows)
    assert line.startswith('one user, "7", has 11 of 30 rows (37%)')
    assert said(rows[1:]) == []  # among few users everybody has many


def test_odd_ids_are_named() -> None:
    found = said([("NULL", " a", 3), ("b ", "10.0", 3)])
    assert any('1 user_id such as "NULL" spell a missing value' in line for line in found)
    assert any('1 of 2 item_id have blanks around them, such as " a"' in line for line in found)
    assert any('such as "10.0"; they are kept as this text' in line for line in found)


@pytest.mark.parametrize(
    ("rated", "described", "near"),
    [
        (10, "10.0", '"10.0" in the titles is not "10" in the ratings'),
        ("10.0", "10", '"10" in the titles is not "10.0" in the ratings'),
        ("007", "7", '"7" in the titles is not "007" in the ratings'),
        ("tt7", "TT7 ", '"TT7 " in the titles is not "tt7" in the ratings'),
        ("a", "b", 'the ratings have items such as "a", the titles such as "b"'),
    ],
)
def test_titles_that_match_nothing_are_named_with_the_near_miss(
    rated: Any, described: str, near: str
) -> None:
    found = said([(1, rated, 3)], {described: "Up"})
    assert any(line.startswith("0 of 1 items have titles; ") and near in line for line in found)


def test_zeros_below_the_others_scale_are_named_unless_the_scale_has_them() -> None:
    rows = [(1, 1, 0), (1, 2, 3), (1, 3, 5)]
    assert said(rows)[0].startswith("1 of 3 ratings are 0, below the others' scale of 3 to 5")
    assert said(rows, scale=(0.0, 5.0)) == []
    assert said([(1, 1, 0), (1, 2, 0.5)]) == []
    assert said([(1, 1, 0), (1, 2, -1)]) == []
    assert said([(1, 1, 0), (1, 2, 0)]) == []


def test_the_block_has_a_line_for_each_figure() -> None:
    ratings, items, user = tables([(1, 1, 0, 86_400), (1, 2, 3.5, 172_800)], {1: "One"})
    report = {"rows": 2, "users": 1, "items": 2, "duplicate_pairs": 0}
    report |= {"skipped": {"comment": 3, "blank_line": 0}, "summary": summary(ratings, items, user)}
    assert lines(report) == [
        "rows            2",
        "skipped         3 comment",
        "users           1; the largest has 2 rows (100.0%)",
        "items           2; 1 of them have titles (50.0%)",
        "time            1970-01-02 to 1970-01-03",
        "rating          0 to 3.5; quartiles 0, 0, 3.5",
        "most frequent   0 (50.0%), 3.5 (50.0%)",
        "zeros           1; below 0: 0",
        "repeated pairs  0",
    ]
