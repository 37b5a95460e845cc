"""Text in blocks of whole lines, for files of which each line holds any number of values."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from cofilter.core.errors import DataError

_BLOCK = 1 << 23  # bytes of text at a time


def blocks(content: bytes, size: int = _BLOCK) -> Iterator[tuple[int, list[str]]]:
    """Whole lines of UTF-8 text, some MiB at a time, with the number of the first, from 1."""
    start, line = 0, 1
    while start < len(content):
        end = content.find(b"\n", start + size)
        end = len(content) if end < 0 else end + 1
        lines = content[start:end].decode().split("\n")
        if not lines[-1]:
            lines.pop()
        yield line, [text.removesuffix("\r") for text in lines]
        start, line = end, line + len(lines)


def fields_of(label: str, number: int, text: str, delimiter: str, quote: str | None) -> list[str]:
    """Fields of one line as `csv` reads them; a quote that stays open is a `DataError`."""
    try:
        return next(csv.reader([text], delimiter=delimiter, quotechar=quote, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{label}, line {number}: {error} after a quote; data.quote=null takes quotes as text"
        ) from None
