"""Times of any form as whole seconds since 1970-01-01 UTC."""

from __future__ import annotations

import polars as pl

_TEXT_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d",
)
_TOO_LARGE = 100_000_000_000  # the year 5138 in seconds, but 1973 in milliseconds


def parse_timestamps(values: pl.Series, form: str) -> pl.Series:
    """Seconds (int64) since 1970-01-01 UTC; null where a value cannot be read.

    Parameters
    ----------
    values:
        Strings, numbers, dates or date-times. Without a zone they are taken as UTC. Parts of a
        second are cut off (towards the past).
    form:
        ``"epoch"`` (seconds), ``"epoch_ms"``, ``"text"`` (ISO 8601, with blank or T, zone
        optional, or a date alone), a ``strptime`` format such as ``"%d/%m/%Y %H:%M"``, or
        ``"auto"``: epoch seconds when the first value is a number, otherwise text.
    """
    if values.dtype.is_temporal():
        return values.cast(pl.Datetime("us", _zone(values.dtype))).dt.timestamp("us") // 1_000_000
    if form == "auto":
        form = "epoch" if _starts_with_number(values) else "text"
    if form in ("epoch", "epoch_ms"):
        numbers = _whole_numbers(values)
        if form == "epoch_ms":
            return numbers // 1000
        return _null_where(numbers, numbers.abs() >= _TOO_LARGE)
    if values.dtype != pl.String:
        return pl.Series(values.name, [None] * len(values), dtype=pl.Int64)
    return _from_text(values, _TEXT_FORMATS if form == "text" else (form,))


def expected_timestamp(value: object, form: str) -> str:
    """What an unreadable ``value`` should have been, for messages."""
    try:
        large = abs(float(str(value))) >= _TOO_LARGE
    except ValueError:
        large = False
    if large and form in ("auto", "epoch"):
        return (
            "seconds since 1970 are expected; this looks like milliseconds: "
            "set data.timestamp_format=epoch_ms"
        )
    return {
        "auto": "seconds since 1970, or a time such as 2005-04-02 23:53:47, is expected",
        "epoch": "seconds since 1970 are expected",
        "epoch_ms": "milliseconds since 1970 are expected",
        "text": "a time such as 2005-04-02 23:53:47 is expected",
    }.get(form, f"a time of the form {form} is expected")


def _zone(dtype: pl.DataType) -> str | None:
    return getattr(dtype, "time_zone", None)


def _starts_with_number(values: pl.Series) -> bool:
    if values.dtype != pl.String:
        return True
    first = values.drop_nulls().head(1)
    return first.cast(pl.Float64, strict=False).null_count() == 0


def _whole_numbers(values: pl.Series) -> pl.Series:
    """int64; fractions are rounded down, and what is no finite number becomes null."""
    whole = values.cast(pl.Int64, strict=False) if not values.dtype.is_float() else None
    if whole is not None and whole.null_count() == values.null_count():
        return whole
    numbers = values.cast(pl.Float64, strict=False)
    floored = _null_where(numbers, ~numbers.is_finite()).floor().cast(pl.Int64, strict=False)
    return floored if whole is None else whole.zip_with(whole.is_not_null(), floored)


def _from_text(values: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    seconds = pl.Series(values.name, [None], dtype=pl.Int64).new_from_index(0, len(values))
    for form in formats:
        unread = seconds.is_null() & values.is_not_null()
        if not unread.any():
            break
        rest = _null_where(values, ~unread)
        times = rest.str.to_datetime(form, strict=False, time_unit="us", ambiguous="null")
        parsed = times.dt.timestamp("us") // 1_000_000
        seconds = seconds.zip_with(seconds.is_not_null(), parsed)
    return seconds


def _null_where(values: pl.Series, mask: pl.Series) -> pl.Series:
    return pl.select(pl.when(~mask).then(values).alias(values.name)).to_series()
