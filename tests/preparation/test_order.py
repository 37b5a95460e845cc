"""Each kind's promise of an order in time, against plain loops over rows."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cofilter.core.errors import DataError, LeakError
from cofilter.core.parts import PARTS
from cofilter.preparation.instants import Instants
from cofilter.preparation.order import PROMISED, prove_order
from cofilter.preparation.split import Kind, SplitConfig, split_instants, split_ratings
from cofilter.preparation.tables import to_polars
from tests.preparation.logs import Row, distinct, log, rows_of
from tests.preparation.test_split import KINDS, big

CUT = Instants(validation=5, test=8)
Assigned = list[list[Row]]  # the rows of train, validation and test


def order_of(assigned: Assigned, kind: Kind, strings: bool = False) -> str:
    tables = {
        name: to_polars(log(rows, strings)) for name, rows in zip(PARTS, assigned, strict=True)
    }
    return prove_order(tables, kind, CUT if kind == "global_temporal" else None)


def naive_order(assigned: Assigned, kind: Kind) -> str | None:
    """The order that plain loops find; None where the promise is broken."""
    if kind not in PROMISED:
        return "none"
    train, validation, test = assigned
    if kind == "global_temporal":
        sides = (
            all(row[3] < CUT.validation for row in train)
            and all(CUT.validation <= row[3] < CUT.test for row in validation)
            and all(row[3] >= CUT.test for row in test)
        )
        return "global" if sides else None
    pairs = [(a, b) for one, other in combinations(assigned, 2) for a in one for b in other]
    if any(a[0] == b[0] and a[3] > b[3] for a, b in pairs):
        return None
    if kind == "leave_last_out":
        for rows in (validation, test):
            if len({row[0] for row in rows}) < len(rows):
                return None
    return "global" if all(a[3] < b[3] for a, b in pairs) else "per user"


@st.composite
def assignments(draw: st.DrawFn) -> Assigned:
    """Parts that are nearly in order: dealt out by time, then a few rows moved."""
    rows = sorted(distinct(draw(rows_of(users=4, items=8, times=12, size=16))), key=lambda r: r[3])
    first, second = sorted(draw(st.integers(0, len(rows))) for _ in range(2))
    part = [int(place >= first) + int(place >= second) for place in range(len(rows))]
    for place in draw(st.lists(st.integers(0, len(rows) - 1), max_size=3)):
        part[place] = draw(st.integers(0, 2))
    return [[row for row, code in zip(rows, part, strict=True) if code == n] for n in range(3)]


@settings(max_examples=400)
@given(assignments(), st.sampled_from(KINDS), st.booleans())
def test_agrees_with_plain_loops(assigned: Assigned, kind: Kind, strings: bool) -> None:
    expected = naive_order(assigned, kind)
    if expected is not None:
        assert order_of(assigned, kind, strings) == expected
    else:
        with pytest.raises(LeakError, match="user "):
            order_of(assigned, kind, strings)


@settings(max_examples=200)
@given(
    rows_of(users=4, items=6, times=6, size=60),
    st.sampled_from(KINDS),
    st.sampled_from(["last", "mean"]),
)
def test_every_split_keeps_its_promise(rows: list[Row], kind: Kind, duplicates: str) -> None:
    config = SplitConfig.model_validate(
        {"kind": kind, "validation_share": 0.2, "test_share": 0.3, "duplicates": duplicates}
    )
    ratings = log(rows)
    try:
        cut = split_instants(config, ratings.timestamp)
        parts, _ = split_ratings(ratings, config, cut)
    except DataError:
        return
    order = prove_order({name: to_polars(part) for name, part in parts.named()}, kind, cut)
    assert order in ("global", "per user") if kind in PROMISED else order == "none"


@pytest.mark.parametrize("kind", ["user_temporal", "leave_last_out"])
@pytest.mark.parametrize(("one", "other"), list(combinations(PARTS, 2)))
def test_two_swapped_parts_fail(kind: Kind, one: str, other: str) -> None:
    parts, _ = split_ratings(big(), SplitConfig(kind=kind), None)
    tables = {name: to_polars(part) for name, part in parts.named()}
    tables[one], tables[other] = tables[other], tables[one]
    with pytest.raises(LeakError, match=r"^30 users have a .*holds a row at .*\(user 0, item"):
        prove_order(tables, kind, None)


def test_one_moved_row_is_named() -> None:
    parts, _ = split_ratings(big(), SplitConfig(kind="user_temporal"), None)
    early = parts.train.sort_values("timestamp").head(1)
    tables = {
        "train": to_polars(parts.train.drop(early.index)),
        "validation": to_polars(parts.validation),
        "test": to_polars(pd.concat([parts.test, early], ignore_index=True)),
    }
    user, item, time = (int(early[name].item()) for name in ("user_id", "item_id", "timestamp"))
    words = rf"^1 users have a train row later than one in test.* {time} .*user {user}, item {item}"
    with pytest.raises(LeakError, match=words):
        prove_order(tables, "user_temporal", None)


def test_a_second_last_row_is_named() -> None:
    train, last = (7, 1, 3.0, 1), [(7, 2, 3.0, 5), (7, 3, 3.0, 6), (9, 3, 3.0, 6)]
    assert order_of([[train], [], last], "user_temporal") == "global"
    words = r"in test, but 1 users have more, first user 7 with 2, .*\(user 7, item 3\)"
    with pytest.raises(LeakError, match=words):
        order_of([[train], [], last], "leave_last_out")
    with pytest.raises(LeakError, match="in validation, but 1 users have more, first user 7"):
        order_of([[train], last, []], "leave_last_out")


@pytest.mark.parametrize("kind", ["user_temporal", "leave_last_out"])
def test_equal_times_keep_the_promise_but_are_no_global_order(kind: Kind) -> None:
    tied: Assigned = [[(1, n, 3.0, 5) for n in range(4)], [(1, 4, 3.0, 5)], [(1, 5, 3.0, 5)]]
    assert order_of(tied, kind) == "per user"
    assert order_of([tied[0], [], []], kind) == "global"


@pytest.mark.parametrize("kind", PROMISED)
def test_a_promise_without_times_is_refused(kind: Kind) -> None:
    bare = to_polars(big().drop(columns="timestamp"))
    tables = {"train": to_polars(big()), "validation": bare, "test": bare}
    with pytest.raises(LeakError, match="but validation and test has no timestamp"):
        prove_order(tables, kind, CUT if kind == "global_temporal" else None)
    assert prove_order(tables, "random", None) == "none"


def test_instants_in_the_wrong_order_are_refused() -> None:
    tables = {name: to_polars(log([])) for name in PARTS}
    with pytest.raises(LeakError, match=r"validation begins at 8 .* after test, which begins at 5"):
        prove_order(tables, "global_temporal", Instants(validation=8, test=5))
    with pytest.raises(LeakError, match="there are none"):
        prove_order(tables, "global_temporal", None)
