"""Columns of a file as it has them, before any of them is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from cofilter.core.errors import DataError


@dataclass(frozen=True)
class RawTable:
    """Columns as the file has them: strings from text, the file's own types from Parquet.

    ``line`` gives the 1-based line of the file (header counted) on which a row of ``frame``
    stands; for Parquet it is the 1-based row.
    """

    label: str
    frame: pl.DataFrame
    line: Callable[[int], int]
    typed: bool = False  # Parquet: the file says which columns are text
    records: int | None = None  # rows by a count of their own, where there is one
    skipped: Mapping[str, int] = field(default_factory=dict)  # lines that are no rows, by reason


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
        shown = ", ".join(" ".join(name[:40].split()) for name in there[:20])
        raise DataError(
            f"{label}, line {line}: no column {', '.join(missing)} (the columns are: {shown}); "
            "data.columns and data.items.columns say which are which"
        )
    return {
        name: there[column - 1] if isinstance(column, int) else column
        for name, column in columns.items()
    }


def demand_rows(label: str, frame: pl.DataFrame) -> None:
    """Raise `DataError` when a file has no rows."""
    if frame.is_empty():
        raise DataError(f"{label}: the file has no rows")
