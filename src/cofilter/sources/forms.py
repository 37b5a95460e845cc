"""A table's file of any form that is read, told by its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cofilter.core.errors import DataError
from cofilter.sources.delimited import TextFormat, read_text
from cofilter.sources.files import Member
from cofilter.sources.json_lines import read_json_lines
from cofilter.sources.json_values import read_json_values
from cofilter.sources.kinds import (
    ARROW,
    HEAD,
    OLE,
    PARQUET,
    is_json,
    is_json_lines,
    kind_of,
    what_is,
)
from cofilter.sources.parquet import read_arrow, read_parquet
from cofilter.sources.table import RawTable
from cofilter.sources.unpack import is_workbook, unpacked
from cofilter.sources.workbook import read_workbook

TEXT, JSON_LINES, JSON_VALUES = "text", "JSON lines", "JSON"
_PARQUET, _ARROW, WORKBOOK = "Parquet", "Arrow", "a spreadsheet"


def form_of(label: str, name: str, content: bytes) -> str:
    """The form of unpacked content: text, JSON, Parquet, Arrow or a spreadsheet.

    Raises `DataError` for anything else, with how to convert it, and for content that its name
    contradicts.
    """
    head = content[:HEAD]
    if not head.strip() and (not content or content.isspace()):
        raise DataError(f"{label}: the file is empty")
    if head.startswith(PARQUET):
        return _PARQUET
    if name.lower().endswith((".parquet", ".pq")):
        raise DataError(f"{label}: is {what_is(head) or 'a text file'}, not a Parquet file")
    if head.startswith(ARROW):
        return _ARROW
    if head.startswith(OLE) or is_workbook(content):
        return WORKBOOK
    kind = kind_of(head)
    if kind is not None:
        remedy = kind.remedy or "it is packed too often, or damaged"
        raise DataError(f"{label}: is {kind.name}, which is not read; {remedy}")
    if not is_json(name, head):
        return TEXT
    return JSON_LINES if is_json_lines(name, content) else JSON_VALUES


def read_form(
    member: Member,
    content: bytes,
    text: TextFormat,
    columns: Mapping[str, str | int],
    sheet: str | None = None,
) -> RawTable:
    """Read ``columns`` of unpacked content (wanted name → its name or 1-based position).

    ``text`` is how text is written; ``sheet`` says which one of a spreadsheet.
    """
    form = form_of(member.label, member.name, content)
    if form == _PARQUET:
        return read_parquet(member.label, content, columns)
    if form == _ARROW:
        return read_arrow(member.label, content, columns)
    if form == JSON_LINES:
        return read_json_lines(member.label, content, columns)
    if form == JSON_VALUES:
        return read_json_values(member.label, content, columns)
    if form == WORKBOOK:
        return read_workbook(member.label, content, columns, text.has_header, sheet)
    return read_text(member.label, content, text, columns)


def read_table(
    member: Member, content: bytes, text: TextFormat, columns: Mapping[str, str | int]
) -> RawTable:
    """Unpack a file's content and read ``columns`` of it, as `read_form` does."""
    name, content = unpacked(member.label, member.name, content, None)
    return read_form(replace(member, name=name), content, text, columns)
