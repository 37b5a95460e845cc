from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.sources.timestamps import FormError, expected_timestamp, parse_timestamps

TIMES = st.datetimes(datetime.datetime(1905, 1, 1), datetime.datetime(2100, 1, 1))
END = 4_102_444_800


def oracle(time: datetime.datetime) -> int:
    since = time - datetime.datetime(1970, 1, 1)
    return since.days * 86_400 + since.seconds


def refused(values: list[str] | list[int], form: str = "auto") -> str:
    with pytest.raises(FormError) as caught:
        parse_timestamps(pl.Series(values), form)
    return caught.value.message(lambda row: row + 2)


@given(st.lists(TIMES, min_size=1, max_size=20), st.sampled_from([" ", "T"]))
def test_text_agrees_with_datetime(times: list[datetime.datetime], between: str) -> None:
    text = pl.Series([time.isoformat(sep=between) for time in times])
    for form in ("auto", "text"):
        assert parse_timestamps(text, form).to_list() == [oracle(time) for time in times]


@given(
    TIMES,
    st.sampled_from(["auto", "hours", "minutes", "seconds", "milliseconds", "microseconds"]),
    st.sampled_from(["", "Z", "+02", "+0200", "-11:30", "UTC", " UTC"]),
    st.sampled_from([" ", "T"]),
)
def test_iso_8601_is_read_as_python_reads_it(
    time: datetime.datetime, until: str, zone: str, between: str
) -> None:
    text = time.isoformat(between, until) + zone
    there = datetime.datetime.fromisoformat(text.replace(" UTC", "Z").replace("UTC", "Z"))
    if there.tzinfo is not None:
        there = there.astimezone(datetime.UTC).replace(tzinfo=None)
    assert parse_timestamps(pl.Series([text]), "text").to_list() == [oracle(there)]
    basic = text[:10].replace("-", "") + "T" + text[11:].replace(":", "")
    assert parse_timestamps(pl.Series([basic]), "text").to_list() == [oracle(there)]


@given(st.lists(TIMES, min_size=1, max_size=20))
def test_typed_times_agree_with_datetime(times: list[datetime.datetime]) -> None:
    expected = [oracle(time) for time in times]
    for unit in ("us", "ns", "ms"):
        column = pl.Series(times, dtype=pl.Datetime("us")).cast(pl.Datetime(unit))
        assert parse_timestamps(column, "auto").to_list() == expected
    zoned = pl.Series(times, dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone("Asia/Tokyo")
    assert parse_timestamps(zoned, "auto").to_list() == expected


@given(st.lists(st.integers(10**9, END - 1), min_size=1, max_size=20))
def test_every_unit_comes_through_by_name_and_by_magnitude(seconds: list[int]) -> None:
    for form, digits in {"epoch": 0, "epoch_ms": 3, "epoch_us": 6, "epoch_ns": 9}.items():
        if max(seconds) > 4 * 10**9 and digits == 9:
            continue  # past 2096 nanoseconds come near to what int64 holds
        numbers = pl.Series([value * 10**digits for value in seconds])
        for column in (numbers, numbers.cast(pl.String)):
            for name in (form, "auto"):
                assert parse_timestamps(column, name).to_list() == seconds


def test_small_numbers_are_seconds() -> None:
    assert parse_timestamps(pl.Series(["1", "7", "0"]), "auto").to_list() == [1, 7, 0]


def test_fractions_are_cut_towards_the_past() -> None:
    assert parse_timestamps(pl.Series(["964982703.9", "0.5"]), "epoch").to_list() == [964982703, 0]
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
    named = pl.Series(["2005-04-02 23:53 UTC", "2005-04-02 23:53 EST"])
    assert parse_timestamps(named, "%Y-%m-%d %H:%M %Z").to_list() == [1112485980, None]
    assert parse_timestamps(pl.Series([20050402]), "%Y%m%d").to_list() == [1112400000]
    assert parse_timestamps(pl.Series(["04/03/98"]), "%d/%m/%y").to_list() == [888969600]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["1112486027", "yesterday"], "auto"),
        (["2005-04-02 23:53:47", "2005-13-02 23:53:47"], "text"),
        (["1112486027", "1112486027000"], "epoch"),
        (["1112486027", "-1"], "epoch"),
        (["1112486027", "-1"], "auto"),
        (["1112486027000", str(END * 1000)], "epoch_ms"),
        (["05/03/1998", "04/03/98"], "%d/%m/%Y"),
    ],
)
def test_what_cannot_be_read_is_null(values: list[str], form: str) -> None:
    assert parse_timestamps(pl.Series(values), form).is_null().to_list() == [False, True]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["20200304", "20200305"], '"20200304" (row 2) looks like a date'),
        ([2019, 2020], 'data.timestamp_format="%Y" reads it'),
        (["202003"], '"%Y%m"'),
        (["20200304050607"], '"%Y%m%d%H%M%S"'),
        (
            ["1583300000", "2020-03-04"],
            'two forms of time: "1583300000" (row 2, a number) and "2020-03-04" (row 3, ISO 8601)',
        ),
        (["2020-03-04", "04/03/2020"], '"04/03/2020" (row 3, %d/%m/%Y)'),
        (["1583300000000", "1583300000"], "two units: "),
        (["7", "1583300000000"], "set data.timestamp_format=epoch_ms"),
        ([str(10**19 // 2)], "a time before 2100 is expected, in s, ms, µs or ns"),
        (["04/03/1998"], '"%d/%m/%Y" or "%m/%d/%Y" (both fit the column)'),
        (["04/03/98", "25/03/98"], 'data.timestamp_format="%d/%m/%y" (fits the column)'),
        (["03/25/1998 7:05 PM"], '"%m/%d/%Y %I:%M %p" (fits the column)'),
        (["04-Mar-2020", None], '"%d-%b-%Y" (fits the column)'),
    ],
)
def test_auto_refuses_what_it_would_have_to_guess(values: list[str], said: str) -> None:
    assert said in refused(values)


def test_a_time_of_day_is_no_time() -> None:
    with pytest.raises(FormError, match="type Time"):
        parse_timestamps(pl.Series([datetime.time(1)]), "auto")


@pytest.mark.parametrize(
    ("value", "form", "said"),
    [
        ("1112486027000", "epoch", "set data.timestamp_format=epoch_ms"),
        ("1112486027", "epoch_us", "set data.timestamp_format=epoch"),
        ("1112486027000000", "epoch_ms", "set data.timestamp_format=epoch_us"),
        ("04/03/98", "%d/%m/%Y", 'two digits; set data.timestamp_format="%d/%m/%y"'),
        ("2005-04-02 23:53 EST", "auto", 'the zone "EST" is not understood'),
        ("2005-04-02 23:53 CET", "%Y-%m-%d %H:%M %Z", 'the zone "CET" is not understood'),
        ("yesterday", "auto", "or its form in data.timestamp_format"),
        ("yesterday", "%d/%m/%Y", "a time of the form %d/%m/%Y"),
        (None, "auto", "is expected"),
    ],
)
def test_the_message_says_what_fits(value: str | None, form: str, said: str) -> None:
    assert said in expected_timestamp(value, form)
