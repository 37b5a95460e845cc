"""Typed columns of Parquet and its kin, brought to the few types that ratings are checked in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import polars as pl

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError

_EXPECTED = {
    USER: "an integer, text or UUID is expected",
    ITEM: "an integer, text or UUID is expected",
    RATING: "a number is expected",
    WEIGHT: "a number is expected",
    TIMESTAMP: "a time, a date or a number is expected",
}


def plain_types(
    label: str, frame: pl.DataFrame, shown: Mapping[str, str], widths: Mapping[str, int]
) -> pl.DataFrame:
    """Bring each column to Int64, UInt64 or Int128, Float64, String, Boolean, Date or Datetime.

    Integers of any width become Int64, those beyond it UInt64 or Int128; decimals integers when
    all are whole, otherwise Float64; categories the values that they stand for. Bytes of one
    width are text: 16 of them a UUID in its usual form, others hexadecimal; bytes of any length
    must be UTF-8. An id is a number or text, a rating or weight a number, text or true or false
    (1 or 0), a time a number, text, date or date-time.

    Parameters
    ----------
    frame:
        Columns by cofilter's names; ``shown`` has the file's.
    widths:
        Bytes of each column of a fixed width, by the file's name.

    Raises
    ------
    DataError
        A column is of another type (nested, a time of day, a duration, an id that is a date), or
        has bytes that are no text.
    """
    return frame.with_columns(
        _plain(label, column, shown[column.name], widths.get(shown[column.name]))
        for column in frame.get_columns()
    )


def _plain(label: str, column: pl.Series, shown: str, width: int | None) -> pl.Series:
    if column.dtype in (pl.Categorical, pl.Enum, pl.Null):
        column = column.cast(pl.String)
    if column.dtype == pl.Binary:
        column = _text_of_bytes(label, column, shown, width)
    if column.dtype.is_decimal():
        column = _of_decimals(column)
    if column.dtype.is_integer():
        return _narrowest(column)
    if column.dtype.is_float():
        return column.cast(pl.Float64)
    if column.dtype == pl.String or _fits(column):
        return column
    expected = _EXPECTED.get(column.name, "text is expected")
    raise DataError(f"{label}, column {shown}: its type is {column.dtype}; {expected}")


def _fits(column: pl.Series) -> bool:
    if column.name == TIMESTAMP:
        return column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime)
    return column.name in (RATING, WEIGHT) and column.dtype == pl.Boolean


def _text_of_bytes(label: str, column: pl.Series, shown: str, width: int | None) -> pl.Series:
    if width == 16:
        values = (None if value is None else str(uuid.UUID(bytes=value)) for value in column)
        return pl.Series(column.name, values, dtype=pl.String)
    if width is not None:
        return column.bin.encode("hex")
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError:
        row, value = next(
            (row, value) for row, value in enumerate(column, start=1) if _is_no_text(value)
        )
        raise DataError(
            f"{label}, row {row}, column {shown}: the bytes 0x{value[:8].hex()} are no UTF-8 text; "
            "write the column as text or integers"
        ) from None


def _is_no_text(value: bytes | None) -> bool:
    try:
        (value or b"").decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _of_decimals(column: pl.Series) -> pl.Series:
    whole = column.cast(pl.Decimal(38, 0), strict=False)
    if bool((whole == column).fill_null(True).all()):
        return whole.cast(pl.Int128)
    return column.cast(pl.Float64)


def _narrowest(column: pl.Series) -> pl.Series:
    for dtype in (pl.Int64, pl.UInt64):
        narrow = column.cast(dtype, strict=False)
        if narrow.null_count() == column.null_count():
            return narrow
    return column
