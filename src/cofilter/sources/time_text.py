"""Times that are written out, as whole seconds since 1970-01-01 UTC."""

from __future__ import annotations

import datetime
import re

import polars as pl

# What most files have; the rest of ISO 8601 goes through `datetime.fromisoformat`, value by value.
_ISO = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M%#z",
    "%Y-%m-%dT%H:%M%#z",
)
_ZONES = ("UTC", "GMT", "Z")  # names that say what they are; others, such as EST, mean several
_UTC = re.compile(r" ?(UTC|GMT)$")
_FIRST_YEAR = 1000  # the parser takes "98" for the year 98
_DATES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%y"),
    *("%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y"),
    *("%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y"),
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")


def from_iso(values: pl.Series) -> pl.Series:
    """Seconds (int64) of strings in ISO 8601, as `datetime.fromisoformat` takes it; else null.

    Seconds may be missing, and the zone may be ``Z``, an offset, ``UTC`` or none, which is UTC.
    """
    seconds = from_common_iso(values)
    rest = values.filter(_unread(seconds, values)).unique()
    others = {value: _by_python(value) for value in rest}
    read = {value: found for value, found in others.items() if found is not None}
    if not read:
        return seconds
    more = values.replace_strict(read, default=None, return_dtype=pl.Int64)
    return seconds.zip_with(seconds.is_not_null(), more)


def from_common_iso(values: pl.Series) -> pl.Series:
    """As `from_iso`, of the forms with hyphens and colons alone, which are no numbers."""
    seconds = _nothing(values)
    for form in _ISO:
        seconds = _filled(seconds, values, form)
        if not _unread(seconds, values).any():
            break
    return seconds


def from_format(values: pl.Series, form: str) -> pl.Series:
    """Seconds (int64) of strings of a ``strptime`` format; null for others.

    ``%Y`` reads years of four digits only; of zone names ``%Z`` reads UTC, GMT and Z.
    """
    seconds = _nothing(values)
    for one in [form.replace("%Z", zone) for zone in _ZONES] if "%Z" in form else [form]:
        seconds = _filled(seconds, values, one)
    return seconds


def fitting(values: pl.Series) -> list[str]:
    """The common formats that read every string of a column, its nulls left out."""
    values = values.drop_nulls()
    formats = [date + clock for date in _DATES for clock in _CLOCKS]
    for few in (values.head(1), values.head(1000), values):
        formats = [form for form in formats if from_format(few, form).null_count() == 0]
    return formats


def why_unreadable(value: str, form: str) -> str | None:
    """A better reason than "not of that form", if one is known."""
    one = pl.Series([value])
    short = form.replace("%Y", "%y")
    if short != form and from_format(one, short).null_count() == 0:
        return f'the year has two digits; set data.timestamp_format="{short}"'
    zone = re.search(r" ?([A-Z]{2,5})$", value)
    without = value[: zone.start()] if zone else value
    bare = pl.Series([without])
    reads = from_iso(bare) if form in ("auto", "text") else from_format(bare, _without_zone(form))
    if zone and reads.null_count() == 0:
        return (
            f'the zone "{zone[1]}" is not understood; UTC, GMT, Z or an offset such as +02:00 is '
            "expected"
        )
    return None


def _without_zone(form: str) -> str:
    return form.replace("%Z", "").strip()


def _filled(seconds: pl.Series, values: pl.Series, form: str) -> pl.Series:
    """``seconds``, with those of further values that have this form."""
    unread = _unread(seconds, values)
    rest = pl.select(pl.when(unread).then(values)).to_series()
    try:
        times = rest.str.to_datetime(form, strict=False, time_unit="us", ambiguous="null")
    except pl.exceptions.PolarsError:  # no such directive
        return seconds
    parsed = times.dt.timestamp("us") // 1_000_000
    four = times.dt.year() >= _FIRST_YEAR
    parsed = pl.select(pl.when(four).then(parsed)).to_series()
    return seconds.zip_with(seconds.is_not_null(), parsed)


def _by_python(value: str) -> int | None:
    try:
        time = datetime.datetime.fromisoformat(_UTC.sub("+00:00", value))
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.UTC)
    return (time - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(
        seconds=1
    )


def _unread(seconds: pl.Series, values: pl.Series) -> pl.Series:
    return seconds.is_null() & values.is_not_null()


def _nothing(values: pl.Series) -> pl.Series:
    return pl.Series(values.name, [None], dtype=pl.Int64).new_from_index(0, len(values))
