"""Rows of Python values, as JSON, spreadsheets and databases give them, as typed columns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from cofilter.core.columns import ITEM, USER
from cofilter.core.errors import DataError

_NUMBER, _TEXT, _TRUTH, _TIME = "a number", "text", "true or false", "a time"
_KINDS: dict[type, str] = {
    int: _NUMBER,
    float: _NUMBER,
    Decimal: _NUMBER,
    str: _TEXT,
    uuid.UUID: _TEXT,
    bool: _TRUTH,
    dt.datetime: _TIME,
    dt.date: _TIME,
}
_EXACT = 1 << 53  # whole numbers up to here are exact as floats


class Cells:
    """Gathers rows block by block; a column holds one kind of value (null aside).

    Parameters
    ----------
    label:
        What messages call the file.
    names:
        The wanted columns, and ``shown`` what the file calls them.
    place:
        The line or row on which a row of the result stands, for messages: ``"line 7"``.
    """

    def __init__(
        self, label: str, names: Sequence[str], shown: Sequence[str], place: Callable[[int], str]
    ) -> None:
        self.label = label
        self.names = names
        self.shown = shown
        self.place = place
        self.rows = 0
        self._kinds: list[tuple[str, int] | None] = [None] * len(names)  # with a row that has it
        self._blocks: list[pl.DataFrame] = []

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows; raises `DataError` for a value of another kind than the column's."""
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        self._blocks.append(
            pl.DataFrame([self._series(index, values) for index, values in enumerate(columns)])
        )
        self.rows += len(rows)

    def frame(self) -> pl.DataFrame:
        """All rows; a column with a fraction anywhere is Float64 throughout."""
        if not self._blocks:
            return pl.DataFrame(schema=dict.fromkeys(self.names, pl.String))
        whole = pl.concat(self._blocks, how="vertical_relaxed")
        return whole.with_columns(pl.selectors.by_dtype(pl.Null).cast(pl.String))

    def _series(self, index: int, values: Sequence[Any]) -> pl.Series:
        in_order = dict.fromkeys(map(type, values))  # a message names the first that differs
        in_order.pop(type(None), None)
        types = set(in_order)
        for found in in_order:
            self._check_kind(index, values, found)
        name = self.names[index]
        kind = self._kinds[index]
        if not types or kind is None:
            return pl.Series(name, [None] * len(values), dtype=pl.Null)
        if kind[0] == _NUMBER:
            return self._numbers(index, values, types)
        if kind[0] == _TEXT:
            return self._text(index, values, types)
        if kind[0] == _TIME:
            times = [None if value is None else _utc(value) for value in values]
            return pl.Series(name, times, dtype=pl.Datetime("us"))
        return pl.Series(name, values, dtype=pl.Boolean)

    def _check_kind(self, index: int, values: Sequence[Any], found: type) -> None:
        kind = _KINDS.get(found)
        before = self._kinds[index]
        if kind is not None and before is not None and before[0] == kind:
            return
        offset = next(i for i, value in enumerate(values) if type(value) is found)
        if kind is not None and before is None:
            self._kinds[index] = (kind, self.rows + offset)
            return
        where = f"{self.label}, {self.place(self.rows + offset)}, {self.shown[index]}"
        value = str(values[offset])[:60]
        if kind is None or before is None:
            what = f"a {found.__name__}"
            raise DataError(f"{where}: {value} is {what}; a number, text or a time is expected")
        raise DataError(
            f"{where}: {value} is {kind}, but {self.place(before[1])} has {before[0]}; "
            "one kind of value is expected in a column"
        )

    def _numbers(self, index: int, values: Sequence[Any], types: set[type]) -> pl.Series:
        name = self.names[index]
        if Decimal in types:
            values = [_plain(value) if isinstance(value, Decimal) else value for value in values]
            types = set(map(type, values)) - {type(None)}
        if float in types:
            if name in (USER, ITEM):
                self._refuse_inexact(index, values)
            return pl.Series(name, values, dtype=pl.Float64, strict=False)
        for dtype in (pl.Int64, pl.Int128):
            try:
                return pl.Series(name, values, dtype=dtype)
            except (OverflowError, TypeError, pl.exceptions.PolarsError):
                continue
        at = next(i for i, v in enumerate(values) if v is not None and abs(v) >= 1 << 127)
        raise DataError(
            f"{self.label}, {self.place(self.rows + at)}, {self.shown[index]}: {values[at]} has "
            "too many digits for a number; text is expected"
        )

    def _refuse_inexact(self, index: int, values: Sequence[Any]) -> None:
        for offset, value in enumerate(values):
            if value is not None and abs(value) > _EXACT:
                raise DataError(
                    f"{self.label}, {self.place(self.rows + offset)}, {self.shown[index]}: {value} "
                    "is not exact as a fraction, and other ids of this column are fractions; "
                    "whole numbers or text are expected"
                )

    def _text(self, index: int, values: Sequence[Any], types: set[type]) -> pl.Series:
        if uuid.UUID in types:
            values = [None if value is None else str(value) for value in values]
        try:
            return pl.Series(self.names[index], values, dtype=pl.String)
        except UnicodeEncodeError:
            at = next(i for i, value in enumerate(values) if _is_torn(value))
            raise DataError(
                f"{self.label}, {self.place(self.rows + at)}, {self.shown[index]}: "
                f"{ascii(values[at])[:60]} is no Unicode text (half of a surrogate pair)"
            ) from None


def _plain(value: Decimal) -> int | float:
    """The same number as an int where it is whole."""
    if value.is_finite() and value == value.to_integral_value():
        return int(value)
    return float(value)


def _utc(value: dt.date) -> dt.datetime:
    """Without a zone, in UTC; a date is its first moment."""
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    return value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)


def _is_torn(value: str | None) -> bool:
    return value is not None and any("\ud800" <= letter <= "\udfff" for letter in value)
