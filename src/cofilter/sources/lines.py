"""Text in blocks of whole lines, for files of which each line holds any number of values."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np

from cofilter.core.errors import DataError
from cofilter.sources.delimited import TextFormat
from cofilter.sources.kernels import cells as kernel

BLANKS = " \t"  # around a field they are no part of it
_BLOCK = 1 << 23  # bytes of text at a time


def blocks(content: bytes, size: int = _BLOCK) -> Iterator[tuple[int, list[str]]]:
    """Whole lines of UTF-8 text, some MiB at a time, with the number of the first, from 1.

    They end with ``\\n``, ``\\r\\n`` or ``\\r``.
    """
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start, line = 0, 1
    while start < len(content):
        end = content.find(b"\n", start + size)
        end = len(content) if end < 0 else end + 1
        lines = content[start:end].decode().split("\n")
        if not lines[-1]:
            lines.pop()
        yield line, lines
        start, line = end, line + len(lines)


def fields_of(label: str, number: int, text: str, delimiter: str, quote: str | None) -> list[str]:
    """Fields of one line as `csv` reads them; a quote that stays open is a `DataError`."""
    try:
        return next(csv.reader([text], delimiter=delimiter, quotechar=quote, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{label}, line {number}: {error} after a quote; data.quote=null takes quotes as text"
        ) from None


def filled(content: bytes, text: TextFormat, skip: int = 0) -> tuple[int, int]:
    """Lines with a field that is not blank, and such fields after the first ``skip`` of a line.

    Counted apart from the readers. The first such line is left out where it is a header.
    """
    delimiter = np.frombuffer(text.delimiter.encode(), np.uint8)
    quote = -1 if text.quote is None else ord(text.quote)
    whole = np.frombuffer(content, np.uint8)
    lines, cells = kernel.count(whole, delimiter, quote, skip, text.has_header)
    return int(lines), int(cells)
