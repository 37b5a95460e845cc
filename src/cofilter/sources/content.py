"""Checksums of normalised tables, independent of how a file format stores them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.core.io import arrays_sha256


def table_sha256(table: pd.DataFrame) -> str:
    """SHA-256 of a table's columns, in their order, with their names, types and rows.

    Numbers enter as their little-endian bytes, strings as the bytes of each length (int64, in
    UTF-8 bytes) followed by all of the text.
    """
    arrays: dict[str, np.ndarray] = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy()
            arrays[str(name)] = values.astype(values.dtype.newbyteorder("<"), copy=False)
        else:
            lengths, text = _strings(column)
            arrays[f"{name}.lengths"], arrays[f"{name}.text"] = lengths, text
    return arrays_sha256(arrays)


def _strings(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    encoded = [value.encode() for value in column]
    lengths = np.fromiter(map(len, encoded), dtype="<i8", count=len(encoded))
    return lengths, np.frombuffer(b"".join(encoded), dtype=np.uint8)
