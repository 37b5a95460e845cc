"""Delimited text and Parquet as columns, with the line that each row stands on."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from cofilter.core.errors import ConfigError, DataError
from cofilter.sources.files import Member, what_is
from cofilter.sources.parquet import read_parquet
from cofilter.sources.table import RawTable, demand_rows, resolve_columns

_UNIT = "\x1f"  # ASCII "unit separator" stands in for delimiters of several characters


@dataclass(frozen=True)
class TextFormat:
    """How a delimited file is written."""

    delimiter: str
    has_header: bool
    encoding: str = "utf-8"
    quote: str | None = '"'


def read_table(
    member: Member, content: bytes, text: TextFormat, columns: Mapping[str, str | int]
) -> RawTable:
    """Read ``columns`` (wanted name → header's name or 1-based position) of a file.

    Parquet is recognised by its first bytes, and gzip is unpacked first. Wholly blank lines are
    no rows.

    Raises
    ------
    DataError
        The file is empty, is no such file, lacks a column, is not in the encoding, or has a line
        with too many fields.
    """
    content = _unpacked(member.label, content)
    if not content.strip():
        raise DataError(f"{member.label}: the file is empty")
    if content.startswith(b"PAR1"):
        return read_parquet(member.label, content, columns)
    if member.name.endswith((".parquet", ".pq")):
        found = what_is(content[:1024]) or "a text file"
        raise DataError(f"{member.label}: is {found}, not a Parquet file")
    return _read_text(member.label, content, text, columns)


def _unpacked(label: str, content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise DataError(f"{label}: the gzip file is truncated or damaged ({error})") from None


def _read_text(
    label: str, content: bytes, text: TextFormat, columns: Mapping[str, str | int]
) -> RawTable:
    found = what_is(content[:1024])
    if found is not None:
        raise DataError(f"{label}: is {found}; delimited text or Parquet is expected")
    content = _as_utf8(label, content, text.encoding)
    separator = text.delimiter
    if len(separator.encode()) > 1:
        content = content.replace(separator.encode(), _UNIT.encode())
        separator = _UNIT
    text = TextFormat(separator, text.has_header, "utf-8", text.quote)
    there = _header(label, content, text)
    names = resolve_columns(label, there, columns)
    if text.has_header and not content.partition(b"\n")[2].strip():
        raise DataError(f"{label}: the file has no rows")
    frame = _parse(label, content, text, there, list(dict.fromkeys(names.values())))
    frame = frame.select(pl.col(source).alias(name) for name, source in names.items())
    demand_rows(label, frame)
    return RawTable(label, frame, lambda index: _line(content, text, index))


def _header(label: str, content: bytes, text: TextFormat) -> list[str]:
    """Names of the columns; for a file without header ``"1"``, ``"2"``, …"""
    first = next(_records(content, text), ([], 0))[0]
    if not text.has_header:
        return [str(position) for position in range(1, len(first) + 1)]
    twice = sorted({name for name in first if first.count(name) > 1})
    if twice:
        raise DataError(f"{label}: the header names {', '.join(twice)} more than once")
    return first


def _parse(
    label: str, content: bytes, text: TextFormat, there: list[str], wanted: list[str]
) -> pl.DataFrame:
    try:
        return pl.read_csv(
            content,
            has_header=False,
            skip_lines=0,
            skip_rows=1 if text.has_header else 0,
            new_columns=there,
            columns=[there.index(name) for name in wanted],
            separator=text.delimiter,
            quote_char=text.quote,
            infer_schema=False,
            raise_if_empty=False,
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{label}{_what_is_wrong(content, text, len(there), error)}") from None


def _what_is_wrong(content: bytes, text: TextFormat, width: int, error: Exception) -> str:
    for fields, line in _records(content, text):
        if len(fields) > width:
            return f", line {line}: {len(fields)} fields, but {width} are expected"
    return f": not readable as delimited text ({str(error).splitlines()[0]})"


def _records(content: bytes, text: TextFormat) -> Iterator[tuple[list[str], int]]:
    """Fields of each record with the line that it begins on; slow, for headers and messages."""
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    quoting: Literal[0, 3] = csv.QUOTE_NONE if text.quote is None else csv.QUOTE_MINIMAL
    reader = csv.reader(lines, delimiter=text.delimiter, quotechar=text.quote, quoting=quoting)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        yield fields, line


def _line(content: bytes, text: TextFormat, index: int) -> int:
    position = index + 1 if text.has_header else index
    if text.quote is None or text.quote.encode() not in content:
        return position + 1
    return next(itertools.islice(_records(content, text), position, None))[1]


def _as_utf8(label: str, content: bytes, encoding: str) -> bytes:
    try:
        if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
            content = content.removeprefix(b"\xef\xbb\xbf")
            if not content.isascii():
                content.decode("utf-8")
            return content
        return content.decode(encoding).encode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{label}, line {line}: not {encoding} text (byte 0x{content[error.start]:02x}); "
            "name the file's encoding in data.encoding"
        ) from None
    except LookupError:
        raise ConfigError(f'data.encoding: "{encoding}" is no encoding that Python knows') from None
