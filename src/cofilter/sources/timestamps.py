"""Times of any form as whole seconds since 1970-01-01 UTC."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import polars as pl

from cofilter.sources.time_text import (
    fitting,
    from_common_iso,
    from_format,
    from_iso,
    why_unreadable,
)

EPOCHS = {"epoch": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
_NAMES = {
    "epoch": "seconds",
    "epoch_ms": "milliseconds",
    "epoch_us": "microseconds",
    "epoch_ns": "nanoseconds",
}
_END = 4_102_444_800  # 2100-01-01; numbers are seconds since 1970 up to here
_RECENT = 631_152_000  # 1990-01-01; where a number lands after it, its unit is no accident
_EXPONENT = r"^[-+]?[0-9](?:\.(?P<digits>[0-9]*))?[eE]\+?(?P<power>[0-9]+)$"
_EARLY = 100_000_000  # 1973; what lands before it in a unit finer than seconds has another one
# Numbers that are dates to people: the least, the largest, and the format that reads them.
_CALENDAR = (
    (1900, 2100, "%Y"),
    (190001, 210012, "%Y%m"),
    (19000101, 21001231, "%Y%m%d"),
    (190001010000, 210012312359, "%Y%m%d%H%M"),
    (19000101000000, 21001231235959, "%Y%m%d%H%M%S"),
)


class FormError(Exception):
    """A column of times whose form is not clear.

    ``said`` has a ``{}`` for the line of each of ``rows`` (numbers of rows, from 0).
    """

    def __init__(self, said: str, *rows: int) -> None:
        super().__init__(said)
        self.said, self.rows = said, rows

    def message(self, line: Callable[[int], int | str]) -> str:
        """What is wrong, with the file's lines."""
        return self.said.format(*(line(row) for row in self.rows))


def parse_timestamps(values: pl.Series, form: str) -> pl.Series:
    """Seconds (int64) since 1970-01-01 UTC; null where a value cannot be read.

    Parameters
    ----------
    values:
        Strings, numbers, dates or date-times. Without a zone they are taken as UTC. Parts of a
        second are cut off (towards the past).
    form:
        ``"epoch"`` (seconds), ``"epoch_ms"``, ``"epoch_us"``, ``"epoch_ns"``, each from 1970 to
        2100; ``"text"`` (ISO 8601); a ``strptime`` format such as ``"%d/%m/%Y %H:%M"``; or
        ``"auto"``, one of the former for the whole column: numbers have the smallest unit in which
        all are before 2100.

    Raises
    ------
    FormError
        ``auto`` finds two forms, numbers that are dates to people (20200304), or dates that need
        their format named.
    """
    if values.dtype in (pl.Date, pl.Datetime):
        zone = getattr(values.dtype, "time_zone", None)
        return values.cast(pl.Datetime("us", zone)).dt.timestamp("us") // 1_000_000
    if values.dtype.is_temporal() or values.dtype == pl.Boolean or values.dtype.is_nested():
        raise FormError(f"type {values.dtype} (row {{}}); numbers, dates or text are expected", 0)
    if form in EPOCHS:
        return _seconds(_whole_numbers(values), form)
    if form != "auto":
        text = values.cast(pl.String)
        return from_iso(text) if form == "text" else from_format(text, form)
    if values.dtype == pl.String and _whole_numbers(values.drop_nulls().head(1)).null_count():
        seconds = from_common_iso(values)  # most often all of a column, which is then known
        if seconds.null_count() == values.null_count():
            return seconds
    whole = _whole_numbers(values)
    if values.dtype == pl.String and whole.null_count() > values.null_count():
        text = pl.select(pl.when(whole.is_null()).then(values)).to_series()
        seconds = _written_out(text, values, whole)
        if whole.null_count() == len(whole):
            return seconds
    return _seconds(whole, _unit(whole))


def expected_timestamp(value: object, form: str) -> str:
    """What an unreadable ``value`` should have been, for messages."""
    if isinstance(value, str) and _rounded(pl.Series([value]))[0]:
        return "all digits are expected; a spreadsheet has rounded it (format the column as text)"
    if form == "auto" or form in EPOCHS:
        fits = _fitting_unit(value)
        if fits and fits != form:
            return f"{_range(form)}; as {_NAMES[fits]} it fits: set data.timestamp_format={fits}"
    if value is not None and form not in EPOCHS:
        reason = why_unreadable(str(value), form)
        if reason is not None:
            return reason
    if form in EPOCHS:
        return _range(form)
    return {
        "auto": "seconds since 1970, or a time such as 2005-04-02 23:53:47, is expected, or its "
        "form in data.timestamp_format",
        "text": "a time such as 2005-04-02 23:53:47 is expected, or its form in "
        "data.timestamp_format",
    }.get(form, f"a time of the form {form} (data.timestamp_format) is expected")


def _range(form: str) -> str:
    return f"{_NAMES.get(form, 'seconds')} since 1970, up to 2100, are expected"


def _fitting_unit(value: object) -> str | None:
    """The unit in which a number is between 1990 and 2100; None without one."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    for unit, scale in EPOCHS.items():
        if _RECENT * scale <= number < _END * scale:
            return unit
    return None


def _seconds(whole: pl.Series, unit: str) -> pl.Series:
    seconds = whole // EPOCHS[unit]
    return pl.select(pl.when((seconds >= 0) & (seconds < _END)).then(seconds)).to_series()


def _unit(whole: pl.Series) -> str:
    """The one unit of a column of whole numbers; `FormError` where they are none of times."""
    whole = pl.select(pl.when(whole >= 0).then(whole)).to_series()
    high = whole.max()
    if high is None:
        return "epoch"
    assert isinstance(high, int)
    _refuse_dates(whole)
    largest = _row(whole == high)
    unit = next((unit for unit, scale in EPOCHS.items() if high < _END * scale), None)
    if unit is None:
        raise FormError(
            f'"{high}" (row {{}}); a time before 2100 is expected, in s, ms, µs or ns since 1970',
            largest,
        )
    if unit == "epoch":
        return unit
    other = whole.is_between(1, _EARLY * EPOCHS[unit])
    if other.any():
        row = _row(other)
        finer = _fitting_unit(whole[row]) or "epoch"
        raise FormError(
            f'two units: "{whole[row]}" (row {{}}) would be in {_NAMES[finer]}, '
            f'"{high}" (row {{}}) in {_NAMES[unit]}; one unit is expected: for the latter set '
            f"data.timestamp_format={unit}",
            row,
            largest,
        )
    return unit


def _refuse_dates(whole: pl.Series) -> None:
    low, high = whole.min(), whole.max()
    assert isinstance(low, int)
    assert isinstance(high, int)
    for least, most, form in _CALENDAR:
        if least <= low and high <= most:
            dates = from_format(whole.cast(pl.String), form)
            if dates.null_count() == whole.null_count():
                row = _row(whole.is_not_null())
                raise FormError(
                    f'"{whole[row]}" (row {{}}) looks like a date, not a number of seconds; '
                    f'data.timestamp_format="{form}" reads it as one, epoch as seconds since 1970',
                    row,
                )


def _written_out(text: pl.Series, values: pl.Series, whole: pl.Series) -> pl.Series:
    """Seconds of the values that are no numbers; `FormError` where these have no one form."""
    seconds = from_iso(text)
    read, numbers = seconds.is_not_null(), whole.is_not_null()
    unread = text.is_not_null() & ~read
    if not unread.any() and not numbers.any():
        return seconds
    other = fitting(text.filter(unread).head(1)) if unread.any() else []
    forms = {"ISO 8601": read, "a number": numbers}
    if other:
        forms[other[0]] = unread
    there = [(name, _row(mask)) for name, mask in forms.items() if mask.any()]
    if len(there) > 1:
        (one, first), (two, second), *_ = sorted(there, key=lambda form: form[1])
        raise FormError(
            f'two forms of time: "{_shown(values[first])}" (row {{}}, {one}) and '
            f'"{_shown(values[second])}" (row {{}}, {two}); one form is expected, and '
            "data.timestamp_format names it",
            first,
            second,
        )
    if other:
        _ask(text)
    return seconds


def _ask(text: pl.Series) -> None:
    """Refuse dates whose day and month auto does not guess, with the formats that fit."""
    row = _row(text.is_not_null())
    forms = fitting(text)
    if not forms:
        return
    named = " or ".join(f'"{form}"' for form in forms[:2])
    both = "both fit the column" if len(forms) > 1 else "fits the column"
    raise FormError(
        f'"{_shown(text[row])}" (row {{}}) is not guessed; data.timestamp_format={named} ({both})',
        row,
    )


def _shown(value: object) -> str:
    return str(value)[:80].replace("{", "{{").replace("}", "}}")


def _row(mask: pl.Series) -> int:
    return int(mask.fill_null(False).arg_true()[0])


def _whole_numbers(values: pl.Series) -> pl.Series:
    """int64; fractions are rounded down, and what is no finite number becomes null."""
    whole = values.cast(pl.Int64, strict=False) if not values.dtype.is_float() else None
    if whole is not None and whole.null_count() == values.null_count():
        return whole
    numbers = values.cast(pl.Float64, strict=False)
    if values.dtype == pl.String and values.str.contains("[eE]").any():
        numbers = pl.select(pl.when(~_rounded(values)).then(numbers)).to_series()
    finite = pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()
    floored = finite.floor().cast(pl.Int64, strict=False)
    return floored if whole is None else whole.zip_with(whole.is_not_null(), floored)


def _rounded(values: pl.Series) -> pl.Series:
    """Whether a text has an exponent and fewer digits than the number that it stands for."""
    parts = values.str.extract_groups(_EXPONENT).struct.unnest()
    power = parts["power"].cast(pl.Int64, strict=False)
    return (parts["digits"].fill_null("").str.len_bytes() < power).fill_null(False)


def as_date(seconds: int) -> str:
    """``YYYY-MM-DD`` of seconds since 1970; also before it."""
    start = datetime.date(1970, 1, 1)
    return (start + datetime.timedelta(days=seconds // 86_400)).isoformat()
