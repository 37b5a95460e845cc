"""Parquet as columns of the file's own types."""

from __future__ import annotations

import io
from collections.abc import Mapping

import polars as pl

from cofilter.core.errors import DataError
from cofilter.sources.table import RawTable, demand_rows, resolve_columns


def read_parquet(label: str, content: bytes, columns: Mapping[str, str | int]) -> RawTable:
    """Read ``columns`` (wanted name → file's name or 1-based position) of a Parquet file.

    Raises `DataError` when the file is damaged, lacks a column or has no rows.
    """
    try:
        there = pl.read_parquet_schema(io.BytesIO(content))
        names = resolve_columns(label, list(there), columns)
        frame = pl.read_parquet(io.BytesIO(content), columns=list(dict.fromkeys(names.values())))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{label}: the Parquet file is truncated or damaged ({reason})") from None
    frame = frame.select(pl.col(source).alias(name) for name, source in names.items())
    demand_rows(label, frame)
    return RawTable(label, frame, lambda index: index + 1, typed=True)
