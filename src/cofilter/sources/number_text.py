"""Numbers that are written out, and why a text is none."""

from __future__ import annotations

import re

import polars as pl

_TRUTHS = {"true": 1.0, "false": 0.0}
_THOUSANDS = re.compile(
    r"[-+]?\d{1,3}(?P<mark>[.,' \u00a0\u202f\u2019])\d{3}((?P=mark)\d{3})*\D?\d*"
)
_MARKED = {".": re.compile(r"[-+]?\d+,\d+"), ",": re.compile(r"[-+]?\d+\.\d+")}
_NOT_FINITE = ("inf", "-inf", "infinity", "-infinity", "nan")
_OTHER = {".": ",", ",": "."}
_NAMES = {".": "point", ",": "comma"}


def numbers(values: pl.Series, decimal: str) -> pl.Series:
    """Float64 of numbers, and of text with that decimal mark; null for what is none.

    Text of nothing but true and false is 1 and 0, as truth values of other forms are.
    """
    if values.dtype == pl.String and _is_truth(values):
        truths = values.str.to_lowercase().replace_strict(
            _TRUTHS, default=None, return_dtype=pl.Float64
        )
        if truths.null_count() == values.null_count():
            return truths
    if values.dtype == pl.String and decimal != ".":
        # A point is no decimal sign then: "1.234" would be a thousand and more.
        values = values.str.replace_all(".", "x", literal=True)
        values = values.str.replace_all(decimal, ".", literal=True)
    found = values.cast(pl.Float64, strict=False)
    if values.dtype == pl.String and found.null_count() > values.null_count():
        found = values.str.strip_chars().cast(pl.Float64, strict=False)  # " 4" is a number
    return found


def _is_truth(values: pl.Series) -> bool:
    """Whether the first text is true or false."""
    first = values.is_not_null().arg_max()
    return first is not None and str(values[first]).lower() in _TRUTHS


def why_no_number(text: str, decimal: str) -> str | None:
    """A better reason than "not a number", if one is known; with the key that settles it."""
    text = text.strip()
    if _MARKED[decimal].fullmatch(text):
        other = _OTHER[decimal]
        thousands = "; thousands separators are not read" if _THOUSANDS.fullmatch(text) else ""
        return f'data.decimal="{other}" reads it with a decimal {_NAMES[other]}{thousands}'
    if _THOUSANDS.fullmatch(text):
        return "thousands separators are not read; write it without them"
    if not any(letter.isdigit() for letter in text) and text.lower() not in _NOT_FINITE:
        return "data.columns.rating names a column of numbers, and null counts each row as 1"
    beside = any(not (letter.isdigit() or letter in "+-.,eE") for letter in text)
    if beside and text.lower() not in _NOT_FINITE:
        return "what stands beside a number, such as a unit or %, is not read; write it without"
    return None
