"""Ids as int64 where the source writes plain integers, otherwise as exactly the text it has."""

from __future__ import annotations

import polars as pl

from cofilter.core.errors import DataError


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
    return tuple(values.cast(pl.String) for values in series)


def _plain_integers(label: str, values: pl.Series) -> pl.Series | None:
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False) if _fits(values) else None
    if values.dtype.is_float():
        raise DataError(
            f"{label}: column {values.name} holds fractional numbers ({values.dtype}); "
            "integers or strings are expected"
        )
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
