"""A spreadsheet's XML: its rows counted apart from the parser, and its size before that."""

from __future__ import annotations

import html
import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers import expat

from cofilter.core.errors import DataError
from cofilter.core.memory import require_memory
from cofilter.sources.unpack import demand_room

_BYTES = 48  # of a cell, in the parser's rectangle and in the list of Python's
# What a damaged file ends in; RuntimeError where a member is encrypted or packed in another way.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError),
    *(KeyError, ValueError, StopIteration, ElementTree.ParseError, expat.ExpatError),
)
# What xlrd raises of damaged bytes, besides its own errors.
_XLRD = (
    *(LookupError, ValueError, AssertionError, TypeError, AttributeError, struct.error),
    RecursionError,
)
_BOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_STRINGS, _OPEN_DOCUMENT = "xl/sharedStrings.xml", "content.xml"
_INSIDE = rb"((?:\s(?:[^>/]|/(?!>))*)?)"  # an element's attributes, as long as it is not empty
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>/])")
_CELL = re.compile(rb"<(?:\w+:)?c" + _INSIDE + rb">(.*?)</(?:\w+:)?c>", re.DOTALL)
_TEXT = re.compile(rb"<(?:\w+:)?[vt]" + _INSIDE + rb">[^<]")  # a value, or a text written in place
_CONTENT = re.compile(rb"<(?:\w+:)?(?:v|is|t)[\s>/]")
_SHARED, _ERROR = re.compile(rb'\st="s"'), re.compile(rb'\st="e"')
_NUMBER = re.compile(rb">(\d+)<")
_PLACE = re.compile(rb'\sr="([A-Z]+)\d+"')
_AT = re.compile(rb'\sr="(\d+)"')

_TABLE = re.compile(
    rb'<table:table\s[^>]*?table:name="([^"]*)"[^>]*>(.*?)</table:table>', re.DOTALL
)
_TABLE_ROW = re.compile(
    rb"<table:table-row" + _INSIDE + rb"(?:/>|>(.*?)</table:table-row>)", re.DOTALL
)
_TABLE_CELL = re.compile(
    rb"<table:(?:covered-)?table-cell"
    + _INSIDE
    + rb"(?:/>|>(.*?)</table:(?:covered-)?table-cell>)",
    re.DOTALL,
)
_ROWS = re.compile(rb'number-rows-repeated="(\d+)"')
_COLUMNS = re.compile(rb'number-columns-repeated="(\d+)"')
_VALUE = re.compile(rb'office:(?:value|date-value|boolean-value|time-value|string-value)="[^"]')
_PARAGRAPH = re.compile(rb"<text:\w+" + _INSIDE + rb">[^<]")


@dataclass
class Extent:
    """Rows that have a value, and the rectangle around all cells that have content.

    Rows and columns count from 1.
    """

    rows: int = 0
    first: int = 0
    last: int = 0
    columns: int = 0

    def add(self, at: int, times: int, columns: int, *, filled: bool) -> None:
        """Rows with content from ``at`` on, ``filled`` if they have a value."""
        self.rows += times * filled
        self.first = self.first or at
        self.last = at + times - 1
        self.columns = max(self.columns, columns)


def extents(label: str, content: bytes) -> dict[str, Extent]:
    """Extents of a workbook's sheets by their names, of Excel's XML or OpenDocument's.

    All of its XML is well-formed then: the parser would go on for ever over an open element.

    Raises
    ------
    DataError
        It is damaged, or Excel's binary workbook.
    TooLargeError
        Its members, or the rectangle around a sheet's values, would take too much memory.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            demand_room(label, book, content)
            if "xl/workbook.bin" in book.namelist():
                raise DataError(
                    f"{label}: is a binary Excel workbook, which is not read; save it as .xlsx"
                )
            for name in book.namelist():
                if name.endswith((".xml", ".rels")):
                    expat.ParserCreate().Parse(book.read(name), True)
            found = dict(_excel(book) if _BOOK in book.namelist() else _open_document(book))
    except _DAMAGED as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{label}: the spreadsheet is damaged ({reason})") from None
    for name, extent in found.items():
        high = extent.last - extent.first + 1
        require_memory(
            high * extent.columns * _BYTES,
            f"{label}: the {high:,} × {extent.columns:,} cells around the values of {name}",
            "a value stands far from the others; delete it, or save the sheet as CSV",
        )
    return found


def old_excel(label: str, content: bytes) -> dict[str, Extent]:
    """As `extents`, of an .xls file's sheets by xlrd, which also refuses most damaged ones."""
    import xlrd
    from xlrd.formula import FormulaError

    found = {}
    try:
        with xlrd.open_workbook(file_contents=content, logfile=io.StringIO()) as book:
            for sheet in book.sheets():
                extent = found[sheet.name] = Extent()
                for at in range(sheet.nrows):
                    cells = zip(sheet.row_types(at), sheet.row_values(at), strict=True)
                    filled = any(v != "" and kind != xlrd.XL_CELL_ERROR for kind, v in cells)
                    extent.add(at + 1, 1, sheet.row_len(at), filled=filled)
    except (*_XLRD, xlrd.XLRDError, xlrd.compdoc.CompDocError, FormulaError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{label}: the spreadsheet is damaged or locked ({reason})") from None
    return found


def _excel(book: zipfile.ZipFile) -> Iterator[tuple[str, Extent]]:
    blank = _blank_strings(book.read(_STRINGS)) if _STRINGS in book.namelist() else set()
    targets = {
        one.attrib["Id"]: one.attrib["Target"]
        for one in ElementTree.fromstring(book.read(_RELATIONS))
    }
    for sheet in ElementTree.fromstring(book.read(_BOOK)).iter():
        if sheet.tag.rpartition("}")[2] != "sheet":
            continue
        reference = next(value for key, value in sheet.attrib.items() if key.endswith("}id"))
        path = posixpath.normpath(posixpath.join("/xl", targets[reference])).lstrip("/")
        yield sheet.attrib["name"], _of_excel(book.read(path), blank)


def _blank_strings(content: bytes) -> set[bytes]:
    """Numbers of the shared strings that have no letter."""
    found = re.finditer(rb"<(?:\w+:)?si(?:\s[^>]*)?(?:/>|>(.*?)</(?:\w+:)?si>)", content, re.DOTALL)
    return {b"%d" % at for at, one in enumerate(found) if not _TEXT.search(one[1] or b"")}


def _of_excel(content: bytes, blank: set[bytes]) -> Extent:
    extent, at = Extent(), 0
    for row in _ROW.split(content)[1:]:
        attributes, _, cells = row.partition(b">")
        number = _AT.search(attributes)
        at = int(number[1]) if number else at + 1
        cells = cells[: cells.rfind(b"row>")]  # without what follows the last row
        if not attributes.endswith(b"/") and _CONTENT.search(cells):
            place = _PLACE.search(_last_cell(cells))
            columns = _column(place[1]) if place else cells.count(b"<c")
            extent.add(at, 1, columns, filled=_is_filled(cells, blank))
    return extent


def _last_cell(cells: bytes) -> bytes:
    """Attributes of a row's last cell that has content."""
    end = max(cells.rfind(mark) for mark in (b"v>", b"t>", b"v/>", b"t/>"))
    start = max(cells.rfind(b"<c ", 0, end), cells.rfind(b":c ", 0, end))
    return cells[start + 2 : cells.find(b">", start)]


def _is_filled(cells: bytes, blank: set[bytes]) -> bool:
    """Whether a cell of a row has a value."""
    if not _TEXT.search(cells):
        return False
    if not blank and not _ERROR.search(cells):  # most sheets: no cell has to be looked at by itself
        return True
    found = _CELL.finditer(cells)
    return any(_TEXT.search(cell[2]) and not _is_blank(cell, blank) for cell in found)


def _is_blank(cell: re.Match[bytes], blank: set[bytes]) -> bool:
    """Whether a cell holds an error such as #N/A, or a shared string without a letter."""
    if _ERROR.search(cell[1]):
        return True
    if not blank or not _SHARED.search(cell[1]):
        return False
    number = _NUMBER.search(cell[2])
    return number is not None and number[1] in blank


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _open_document(book: zipfile.ZipFile) -> Iterator[tuple[str, Extent]]:
    for name, table in _TABLE.findall(book.read(_OPEN_DOCUMENT)):
        extent, at = Extent(), 1
        for attributes, cells in _TABLE_ROW.findall(table):
            times = _repeated(_ROWS, attributes)
            columns = last = 0
            for of_cell, text in _TABLE_CELL.findall(cells):
                columns += _repeated(_COLUMNS, of_cell)
                if _VALUE.search(of_cell) or _PARAGRAPH.search(text):
                    last = columns
            if last:
                extent.add(at, times, last, filled=True)
            at += times
        yield html.unescape(name.decode()), extent


def _repeated(pattern: re.Pattern[bytes], attributes: bytes) -> int:
    found = pattern.search(attributes)
    return int(found[1]) if found else 1
