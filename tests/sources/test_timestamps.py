from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.sources.timestamps import expected_timestamp, parse_timestamps

TIMES = st.datetimes(datetime.datetime(1905, 1, 1), datetime.datetime(2100, 1, 1))


def oracle(time: datetime.datetime) -> int:
    since = time - datetime.datetime(1970, 1, 1)
    return since.days * 86_400 + since.seconds


@given(st.lists(TIMES, min_size=1, max_size=20), st.sampled_from([" ", "T"]))
def test_text_agrees_with_datetime(times: list[datetime.datetime], between: str) -> None:
    text = pl.Series([time.isoformat(sep=between) for time in times])
    for form in ("auto", "text"):
        assert parse_timestamps(text, form).to_list() == [oracle(time) for time in times]


@given(st.lists(TIMES, min_size=1, max_size=20))
def test_typed_times_agree_with_datetime(times: list[datetime.datetime]) -> None:
    expected = [oracle(time) for time in times]
    for unit in ("us", "ns", "ms"):
        column = pl.Series(times, dtype=pl.Datetime("us")).cast(pl.Datetime(unit))
        assert parse_timestamps(column, "auto").to_list() == expected
    zoned = pl.Series(times, dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone("Asia/Tokyo")
    assert parse_timestamps(zoned, "auto").to_list() == expected


@given(st.lists(st.integers(-(10**10), 10**10), min_size=1, max_size=20))
def test_seconds_come_through_from_text_and_numbers(seconds: list[int]) -> None:
    for column in (pl.Series(seconds), pl.Series([str(value) for value in seconds])):
        assert parse_timestamps(column, "auto").to_list() == seconds
        assert (
            parse_timestamps(
                column * 1000 if column.dtype != pl.String else column + "000", "epoch_ms"
            ).to_list()
            == seconds
        )


def test_fractions_are_cut_towards_the_past() -> None:
    assert parse_timestamps(pl.Series(["964982703.9", "-0.5"]), "epoch").to_list() == [
        964982703,
        -1,
    ]
    assert parse_timestamps(pl.Series([1.9, float("nan"), None]), "epoch").to_list() == [
        1,
        None,
        None,
    ]


def test_zones_dates_and_own_formats() -> None:
    text = pl.Series(["2005-04-02T23:53:47Z", "2005-04-03 01:53:47+02:00", "2005-04-02"])
    assert parse_timestamps(text, "text").to_list() == [1112486027, 1112486027, 1112400000]
    own = pl.Series(["02/04/2005 23:53", "nonsense"])
    assert parse_timestamps(own, "%d/%m/%Y %H:%M").to_list() == [1112485980, None]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["1112486027", "yesterday"], "auto"),
        (["2005-04-02 23:53:47", "1112486027"], "auto"),
        (["2005-04-02 23:53:47", "2005-13-02 23:53:47"], "text"),
        (["1112486027", "1112486027000"], "epoch"),
    ],
)
def test_what_cannot_be_read_is_null(values: list[str], form: str) -> None:
    assert parse_timestamps(pl.Series(values), form).is_null().to_list() == [False, True]


def test_milliseconds_are_recognised_in_the_message() -> None:
    assert "data.timestamp_format=epoch_ms" in expected_timestamp("1112486027000", "auto")
    assert "epoch_ms" not in expected_timestamp("yesterday", "auto")
