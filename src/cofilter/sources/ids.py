"""Ids as int64 where the source writes plain integers, otherwise as exactly the text it has.

Whole floats are text: ``17850.0`` in a CSV stays ``"17850.0"``, and 17850.0 in a Parquet column of
floats becomes the same text. It is another id than 17850.
"""

from __future__ import annotations

import polars as pl

from cofilter.core.errors import DataError

# What programs write for a missing value; an id spelled so is none until the owner says it is.
PLACEHOLDERS = (
    *("NULL", "Null", "null", "NaN", "NAN", "nan", "None", "NONE", "none", "NA", "N/A", "n/a"),
    *("#N/A", "<NA>", "NaT", r"\N"),
)
_EXACT = 2**53  # whole numbers below it are exact in float64


def missing(ids: pl.Series) -> pl.Series:
    """Whether an id is not there: null, an empty string, or not a number."""
    if ids.dtype == pl.String:
        return ids.is_null() | (ids.str.len_bytes() == 0).fill_null(True)
    if ids.dtype.is_float():
        return ids.is_null() | ids.is_nan().fill_null(True)
    return ids.is_null()


def placeholders(ids: pl.Series) -> pl.Series:
    """Whether an id spells a missing value (see `PLACEHOLDERS`) or has nothing but blanks."""
    if ids.dtype != pl.String:
        return pl.repeat(False, len(ids), eager=True)
    blank = (ids.str.strip_chars().str.len_bytes() == 0) & (ids.str.len_bytes() > 0)
    return (blank | ids.is_in(PLACEHOLDERS)).fill_null(False)


def as_read(ids: pl.Series, typed: bool) -> pl.Series:
    """int64 for a text file's column in which every id is a plain integer; else as it is."""
    if typed or ids.dtype != pl.String:
        return ids
    numbers = _plain_integers("", ids)
    return ids if numbers is None else numbers


def same_kind(label: str, *series: pl.Series, keep_text: bool = False) -> tuple[pl.Series, ...]:
    """Bring the ids of one kind of thing (from several files) to one type.

    int64 when every id of every series is a plain integer that fits: no leading zeros, no plus
    sign, no blanks. Otherwise strings, unchanged: ``"007"`` stays ``"007"``. With ``keep_text``,
    for a file that tells strings from integers, a first series of strings stays strings.
    """
    if keep_text and series[0].dtype == pl.String:
        return tuple(values.cast(pl.String) for values in series)
    integers = [_plain_integers(label, values) for values in series]
    whole = [values for values in integers if values is not None]
    if len(whole) == len(series):
        return tuple(whole)
    return tuple(_as_text(values) for values in series)


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_float():
        return values.cast(pl.Int64).cast(pl.String) + ".0"
    return values.cast(pl.String)


def _plain_integers(label: str, values: pl.Series) -> pl.Series | None:
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False) if _fits(values) else None
    if values.dtype.is_float():
        odd = values.filter((values != values.floor()) | (values.abs() >= _EXACT))
        if len(odd):
            raise DataError(
                f"{label}: column {values.name} holds fractional numbers ({values.dtype}, such as "
                f"{odd[0]}); integers or strings are expected in the column that data.columns names"
            )
        return None
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    if values.dtype != pl.String:
        raise DataError(
            f"{label}: column {values.name} is of type {values.dtype}; "
            "integers or strings are expected"
        )
    numbers = values.cast(pl.Int64, strict=False)
    if numbers.null_count() > values.null_count() or _written_oddly(values).any():
        return None
    return numbers


def _written_oddly(integers: pl.Series) -> pl.Series:
    """Whether an integer's text is not what the integer itself would be written as."""
    text = integers.str
    padded = text.starts_with("0") & (text.len_bytes() > 1)
    return padded | text.starts_with("-0") | text.starts_with("+")


def _fits(values: pl.Series) -> bool:
    return values.cast(pl.Int64, strict=False).null_count() == values.null_count()
