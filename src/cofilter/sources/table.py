"""Columns of a file as it has them, before any of them is checked."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from string import whitespace

import polars as pl

from cofilter.core.errors import DataError


@dataclass(frozen=True)
class RawTable:
    """Columns as the file has them: strings from text, the file's own types from Parquet.

    ``line`` gives the 1-based line of the file (header counted) on which a row of ``frame``
    stands; for Parquet it is the 1-based row. ``file`` names that file where there are several.

    Raises
    ------
    DataError
        The frame has other than ``records`` rows: whoever reads a form also counts its rows, by
        another way than its parser.
    """

    label: str
    frame: pl.DataFrame
    line: Callable[[int], int]
    records: int  # rows by a count of their own
    typed: bool = False  # the file says which columns are text, as Parquet and JSON do
    skipped: Mapping[str, int] = field(default_factory=dict)  # lines that are no rows, by reason
    file: Callable[[int], str] | None = None
    header: tuple[str, ...] = ()  # names of all its columns; () where the form has none

    def __post_init__(self) -> None:
        demand_counted(self.label, len(self.frame), self.records, "rows")

    def number(self, index: int) -> str:
        """Line of a row, and the file where there are several: ``"7"``, ``"7 of logs/b.csv"``."""
        return f"{self.line(index)}{f' of {self.file(index)}' if self.file else ''}"

    def place(self, index: int) -> str:
        """File and line of a row, for messages."""
        return f"{self.file(index) if self.file else self.label}, row {self.line(index)}"


def resolve_columns(
    label: str, there: list[str], columns: Mapping[str, str | int], line: int = 1
) -> dict[str, str]:
    """The file's own name of each wanted column; raises `DataError` for one that is not there."""
    missing = [
        str(column)
        for column in columns.values()
        if not (1 <= column <= len(there) if isinstance(column, int) else column in there)
    ]
    if missing:
        shown = ", ".join(map(_shown, there[:20])) + _near(missing, there)
        raise DataError(
            f"{label}, line {line}: no column {', '.join(missing)} (the columns are: {shown}); "
            "data.columns and data.items.columns say which are which"
        )
    return {
        name: there[column - 1] if isinstance(column, int) else column
        for name, column in columns.items()
    }


def _near(missing: list[str], there: list[str]) -> str:
    """The first column that differs from a missing one in blanks and case alone."""
    for name in there:
        bare = name.strip(f"\ufeff{whitespace}").casefold()
        alike = next((wanted for wanted in missing if wanted.casefold() == bare), None)
        if alike is not None:
            return f'; "{_shown(name)}" is not "{alike}"'
    return ""


def _shown(name: str) -> str:
    """A name in one line, with letters that are not seen by their codes."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in name[:40])


def demand_counted(label: str, read: int, counted: int, what: str) -> None:
    """Raise `DataError` when a reader found other than what a count of its own did."""
    if read != counted:
        raise DataError(
            f"{label}: {read:,} {what} were read, but {counted:,} are counted in it; this is a "
            "fault of cofilter's, and nothing is loaded"
        )


def demand_rows(label: str, frame: pl.DataFrame) -> None:
    """Raise `DataError` when a file has no rows."""
    if frame.is_empty():
        raise DataError(f"{label}: the file has no rows")


def below_each_other(label: str, tables: Sequence[RawTable]) -> RawTable:
    """The rows of several files as one table, in the files' order.

    Raises
    ------
    DataError
        Their headers differ, or a column is text in one file and something else in another; the
        message names both files.
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    for table in tables[1:]:
        _demand_same(first, table)
    ends = list(accumulate(len(table.frame) for table in tables))
    starts = [0, *ends[:-1]]

    def at(index: int) -> tuple[RawTable, int]:
        which = bisect_right(ends, index)
        return tables[which], index - starts[which]

    def line(index: int) -> int:
        table, row = at(index)
        return table.line(row)

    frame = pl.concat([table.frame for table in tables], how="vertical_relaxed")
    return RawTable(
        label,
        frame,
        line,
        sum(table.records for table in tables),
        first.typed,
        sum((Counter(table.skipped) for table in tables), Counter()),
        lambda index: at(index)[0].label,
        first.header,
    )


def _demand_same(first: RawTable, other: RawTable) -> None:
    if first.header != other.header:
        lacks = [name for name in first.header if name not in other.header]
        has = [name for name in other.header if name not in first.header]
        differs = [f"no {', '.join(lacks)}"] * bool(lacks) + [f"besides {', '.join(has)}"] * bool(
            has
        )
        raise DataError(
            f"{other.label}: has {' and '.join(differs) or 'its columns in another order'} beside "
            f"{first.label}; files of one table have one header"
        )
    for name, dtype in first.frame.schema.items():
        there = other.frame.schema[name]
        if _sort(dtype) != _sort(there):
            raise DataError(
                f"{other.label}: {name} is {there}, but {dtype} in {first.label}; "
                "files of one table have one type a column"
            )


def _sort(dtype: pl.DataType) -> str:
    if dtype.is_numeric():
        return "number"
    return "time" if dtype.is_temporal() else str(dtype)
