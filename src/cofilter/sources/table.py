"""Columns of a file as it has them, before any of them is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


def resolve_columns(
    label: str, there: list[str], columns: Mapping[str, str | int]
) -> dict[str, str]:
    """The file's own name of each wanted column; raises `DataError` for one that is not there."""
    names = {
        name: there[column - 1] if isinstance(column, int) and column <= len(there) else str(column)
        for name, column in columns.items()
    }
    missing = [name for name in names.values() if name not in there]
    if missing:
        shown = ", ".join(name[:40] for name in there[:20])
        raise DataError(
            f"{label}, line 1: no column {', '.join(missing)} (the columns are: {shown})"
        )
    return names


def demand_rows(label: str, frame: pl.DataFrame) -> None:
    """Raise `DataError` when a file has no rows."""
    if frame.is_empty():
        raise DataError(f"{label}: the file has no rows")
