"""Delimited text as columns of strings, with the line that each row stands on.

polars parses; a kernel of ours counts the records by itself and says where a line does not fit. The
parser never sees a quote: text that has quoted fields is handed to it without them.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cofilter.core.errors import DataError
from cofilter.sources.encoding import as_utf8
from cofilter.sources.kernels import records as kernel
from cofilter.sources.kinds import HEAD, what_is
from cofilter.sources.records import Records
from cofilter.sources.table import RawTable, resolve_columns

DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_LONGEST = 64 << 20  # bytes of a record; what is longer has other line ends, or an open quote
_WIDEST = 100_000  # fields of a record


@dataclass(frozen=True)
class TextFormat:
    """How a delimited file is written.

    ``quote`` and ``comment`` None: there are none. ``multiline`` allows line breaks in quoted
    fields. ``key`` is where the configuration says it, for messages.
    """

    delimiter: str
    has_header: bool
    encoding: str = "utf-8"
    quote: str | None = '"'
    multiline: bool = False
    comment: str | None = None
    key: str = "data"


def read_text(
    label: str, content: bytes, text: TextFormat, columns: Mapping[str, str | int]
) -> RawTable:
    """Read ``columns`` (wanted name → header's name or 1-based position) of delimited text.

    Lines whose fields are all blank are no rows.

    Raises
    ------
    DataError
        The file is empty, is no such file, lacks a column, is not in the encoding, or has a line
        with more or fewer fields than the first one.
    """
    found = what_is(content[:HEAD])
    if found is not None and found != "a binary file":  # UTF-16 looks binary before it is decoded
        raise DataError(f"{label}: is {found}; delimited text or Parquet is expected")
    records = Records(
        as_utf8(label, content, text.encoding), text.delimiter, text.quote, text.comment
    )
    _demand_records(label, records, text)
    there = _names(label, records, text)
    header = records.line(0)
    _demand_header(f"{label}, line {header}", there, records, text, columns)
    names = resolve_columns(label, there, columns, header)
    _demand_even(label, records, text)
    places = [there.index(name) for name in names.values()]
    rows = records[kernel.RECORDS] - text.has_header
    if rows == 0:
        raise DataError(f"{label}: the file has no rows")
    frame = _parse(label, records, text, sorted(set(places)))
    skipped = {"blank_line": records[kernel.BLANK], "comment": records[kernel.COMMENTS]}
    return RawTable(
        label,
        frame.select(pl.col(str(at)).alias(name) for name, at in zip(names, places, strict=True)),
        lambda index: records.line(index + text.has_header),
        records=rows,
        skipped={reason: count for reason, count in skipped.items() if count},
        header=tuple(there),
    )


def _demand_records(label: str, records: Records, text: TextFormat) -> None:
    """Raise `DataError` unless the text has records whose quotes are in order."""
    as_characters = "data.quote=null takes quotes for characters"
    line = f"{label}, line {records[kernel.LINE]}"
    if records[kernel.FAULT] == kernel.AFTER_QUOTE:
        raise DataError(
            f"{line}: text after a field's closing {text.quote}; a delimiter is expected. "
            f"{as_characters}, data.delimiter says what separates fields"
        )
    if records[kernel.FAULT] == kernel.OPEN_QUOTE:
        raise DataError(
            f"{line}: a field begins with {text.quote} and has no end; a closing {text.quote} is "
            f"expected. {as_characters}"
        )
    if records[kernel.RECORDS] == 0:
        raise DataError(f"{label}: the file is empty")
    if records[kernel.BROKEN_LINE] and not text.multiline:
        raise DataError(
            f"{label}, line {records[kernel.BROKEN_LINE]}: a field in {text.quote} goes on over a "
            f"line break; one line a row is expected. {as_characters}, data.multiline=true allows "
            "line breaks in fields"
        )
    longest, width = records[kernel.LONGEST], records[kernel.WIDTH]
    if width > _WIDEST:
        raise DataError(
            f"{label}: {width:,} fields in the first line, up to {_WIDEST:,} are expected; line "
            f"ends or {text.key}.delimiter are others"
        )
    if longest > _LONGEST:
        raise DataError(
            f"{label}, line {records[kernel.LONGEST_LINE]}: {longest:,} bytes long, up to "
            f"{_LONGEST:,} are expected; line ends, data.quote or data.encoding are others"
        )


def _demand_even(label: str, records: Records, text: TextFormat) -> None:
    uneven = records[kernel.UNEVEN]
    if not uneven:
        return
    found, width = records[kernel.UNEVEN_FIELDS], records[kernel.WIDTH]
    more = f" ({uneven:,} lines differ so)" if uneven > 1 else ""
    expected = "are named" if text.has_header else "are in the first line"
    quoted = "" if text.quote is None else f"; a delimiter in a field needs {text.quote} around it"
    raise DataError(
        f"{label}, line {records[kernel.UNEVEN_LINE]}: {found} fields, but {width} {expected}{more}"
        f"{quoted}. {text.key}.delimiter says what separates fields"
    )


def _names(label: str, records: Records, text: TextFormat) -> list[str]:
    """Names of the columns; for a file without header ``"1"``, ``"2"``, …"""
    if not text.has_header:
        return [str(position) for position in range(1, records[kernel.WIDTH] + 1)]
    names = [name or f"column {at}" for at, name in enumerate(records.first(), start=1)]
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = sorted({name for name in names if name in seen or seen.add(name)})  # type: ignore[func-returns-value]
        raise DataError(
            f"{label}, line {records.line(0)}: the header names {_shown(', '.join(twice))} more "
            f"than once; with {text.key}.has_header=false columns go by position"
        )
    return names


def _demand_header(
    where: str,
    there: list[str],
    records: Records,
    text: TextFormat,
    columns: Mapping[str, str | int],
) -> None:
    """Raise `DataError` for a first line that is one column, or Excel's ``sep=;``."""
    if text.has_header and there[0].lower().startswith("sep="):
        raise DataError(
            f'{where}: "{_shown(there[0])}" tells Excel the delimiter and is no header; '
            "data.comment='sep=' leaves it out"
        )
    if len(there) > 1 or set(columns.values()) <= {there[0], 1}:
        return
    if records[kernel.UNEVEN]:
        fields, line = records[kernel.UNEVEN_FIELDS], records[kernel.UNEVEN_LINE]
        raise DataError(
            f'{where}: one column, "{_shown(there[0])}", but {fields} in line {line}; lines above '
            "the header are taken out, or left out by how they begin in data.comment"
        )
    other = [name for name, mark in DELIMITERS.items() if mark in there[0]]
    if other:
        raise DataError(
            f'{where}: one column, "{_shown(there[0])}"; {text.key}.delimiter={other[0]} seems to '
            "be what separates fields"
        )


def _shown(text: str) -> str:
    """Text of a file in one line, for messages."""
    return " ".join(text[:80].split())


def _parse(label: str, records: Records, text: TextFormat, places: list[int]) -> pl.DataFrame:
    """The columns at ``places`` as strings, named by their place; null where a field is empty."""
    plain = not any(
        records[fact] for fact in (kernel.QUOTED, kernel.BLANK, kernel.COMMENTS, kernel.LONE_CR)
    )
    if plain and len(text.delimiter.encode()) == 1 and records[kernel.WIDTH] > 1:
        return _by_polars(
            label, records.text, places, separator=text.delimiter, skip_rows=int(text.has_header)
        )
    try:
        field_end, record_end, in_field = (mark.decode() for mark in records.spare)
    except ValueError as error:
        raise DataError(f"{label}: {error}; delimited text is expected") from None
    frames = []
    for block in records.blocks(skip=int(text.has_header)):
        if records[kernel.WIDTH] == 1:  # polars would take an empty field for no row
            fields = block.decode().removesuffix(record_end).split(record_end)
            frames.append(
                pl.DataFrame({"0": [field or None for field in fields]}, {"0": pl.String})
            )
        else:
            frames.append(
                _by_polars(label, block, places, separator=field_end, eol_char=record_end)
            )
    frame = pl.concat(frames)
    if records[kernel.BROKEN_LINE]:
        frame = frame.with_columns(pl.all().str.replace_all(in_field, "\r", literal=True))
    return frame


def _by_polars(label: str, content: bytes, places: list[int], **form: Any) -> pl.DataFrame:
    if content.startswith(codecs.BOM_UTF8):  # here it is a character of the first field, and
        content = codecs.BOM_UTF8 + content  # polars takes one off
    try:
        frame = pl.read_csv(
            content,
            has_header=False,
            columns=places,
            quote_char=None,
            infer_schema=False,
            raise_if_empty=False,
            **form,
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{label}: not readable as delimited text ({reason})") from None
    return frame.rename(dict(zip(frame.columns, map(str, places), strict=True)))
