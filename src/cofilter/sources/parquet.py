"""Parquet and Arrow files as columns of plain types."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import polars as pl
import pyarrow
import pyarrow.dataset
import pyarrow.ipc
import pyarrow.parquet

from cofilter.core.errors import DataError
from cofilter.sources.plain_types import plain_types
from cofilter.sources.table import RawTable, demand_rows, resolve_columns

_NOT_READ = re.compile(r"precision must be between")


def read_parquet(label: str, content: bytes, columns: Mapping[str, str | int]) -> RawTable:
    """Read ``columns`` (wanted name → file's name or 1-based position) of a Parquet file.

    Its footer has the number of rows.

    Raises `DataError` when the file is damaged, lacks a column, has one of a type that is none of
    a rating's (see `plain_types`) or has no rows.
    """
    source = pyarrow.BufferReader(content)
    try:
        metadata = pyarrow.parquet.read_metadata(source)
        schema = metadata.schema.to_arrow_schema()
        names = resolve_columns(label, schema.names, columns)
        wanted = list(dict.fromkeys(names.values()))
        frame = pl.read_parquet(io.BytesIO(content), columns=wanted)
    except (pl.exceptions.PolarsError, OSError, pyarrow.ArrowException) as error:
        raise _damaged(label, "Parquet", error) from None
    return _table(label, frame, names, schema, metadata.num_rows)


def read_arrow(label: str, content: bytes, columns: Mapping[str, str | int]) -> RawTable:
    """Read ``columns`` of an Arrow file (Feather of version 2); raises as `read_parquet` does.

    Its batches' heads have their numbers of rows.
    """
    try:
        schema = pyarrow.ipc.open_file(pyarrow.BufferReader(content)).schema
        names = resolve_columns(label, schema.names, columns)
        wanted = list(dict.fromkeys(names.values()))
        frame = pl.read_ipc(io.BytesIO(content), columns=wanted)
        source = pyarrow.BufferReader(content)
        rows = pyarrow.dataset.IpcFileFormat().make_fragment(source).count_rows()
    except (pl.exceptions.PolarsError, OSError, pyarrow.ArrowException) as error:
        raise _damaged(label, "Arrow", error) from None
    return _table(label, frame, names, schema, rows)


def _table(
    label: str, frame: pl.DataFrame, names: dict[str, str], schema: pyarrow.Schema, rows: int
) -> RawTable:
    frame = frame.select(pl.col(source).alias(name) for name, source in names.items())
    demand_rows(label, frame)
    frame = plain_types(label, frame, names, _widths(schema))
    return RawTable(
        label, frame, lambda index: index + 1, rows, typed=True, header=tuple(schema.names)
    )


def _widths(schema: pyarrow.Schema) -> dict[str, int]:
    """Bytes of each column whose values are bytes of one width, a UUID among them."""
    widths = {}
    for field in schema:
        kind = field.type
        if isinstance(kind, pyarrow.BaseExtensionType):
            kind = kind.storage_type
        if pyarrow.types.is_fixed_size_binary(kind):
            widths[field.name] = kind.byte_width
    return widths


def _damaged(label: str, form: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0]
    if _NOT_READ.search(reason):
        return DataError(f"{label}: a decimal has more than 38 digits; write the column as text")
    return DataError(f"{label}: the {form} file is truncated or damaged ({reason})")
