from __future__ import annotations

import datetime as dt
import io
import random
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from cofilter.core.errors import CofilterError, MissingDependencyError, TooLargeError
from cofilter.sources import unpack
from cofilter.sources.sheets import extents
from cofilter.sources.source import Obtained, obtain
from tests.sources.archives import zipped
from tests.sources.configs import source

HEADER = ["user_id", "item_id", "rating", "timestamp"]


def book(**sheets: list[list[Any]]) -> bytes:
    whole = openpyxl.Workbook()
    whole.remove(whole.worksheets[0])
    for name, rows in sheets.items():
        sheet = whole.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    whole.save(buffer)
    return buffer.getvalue()


def open_document(rows: list[list[Any]], *more: str) -> bytes:
    """A spreadsheet as LibreOffice writes it: equal cells and rows are written once."""
    lines = []
    for row in rows:
        cells = []
        for value in row:
            kind = "string" if isinstance(value, str) else "float"
            said = "" if kind == "string" else f' office:value="{value}"'
            head = f'office:value-type="{kind}"{said}'
            cells.append(f"<table:table-cell {head}><text:p>{value}</text:p></table:table-cell>")
        cells.append('<table:table-cell table:number-columns-repeated="16000"/>')
        lines.append(f"<table:table-row>{''.join(cells)}</table:table-row>")
    empty = '<table:table-cell table:number-columns-repeated="16004"/>'
    lines += [
        *more,
        f'<table:table-row table:number-rows-repeated="9999">{empty}</table:table-row>',
    ]
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{spaces}><office:body>'
        f'<office:spreadsheet><table:table table:name="R&amp;D">{"".join(lines)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        "</manifest:manifest>"
    )
    members = {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest}
    return zipped({name: text.encode() for name, text in members.items()})


def get(base: Path, content: bytes, **changes: Any) -> Obtained:
    (base / "r.xlsx").write_bytes(content)
    return obtain(source("csv", path="r.xlsx", **changes), base, base)


def test_cells_keep_their_kinds_and_whole_numbers_are_integers(tmp_path: Path) -> None:
    rows = [[1.0, "007", 4.5, dt.datetime(2020, 1, 1)], [2, "8", 3, dt.datetime(2020, 1, 2, 12)]]
    found = get(tmp_path, book(ratings=[HEADER, *rows], empty=[])).ratings
    assert found["user_id"].tolist() == [1, 2]
    assert found["item_id"].tolist() == ["007", "8"]
    assert found["rating"].tolist() == [4.5, 3.0]
    assert found["timestamp"].tolist() == [1577836800, 1577966400]


def test_empty_rows_are_none_and_rows_are_named_as_the_sheet_counts(tmp_path: Path) -> None:
    rows = [[], [], HEADER, [1, 2, 3, 4], [], [1, 3, "five", 5]]
    with pytest.raises(CofilterError, match=r"r.xlsx, row 6, rating: five is text, but row 4 has"):
        get(tmp_path, book(a=rows))
    rows[-1][2] = None
    with pytest.raises(CofilterError, match=r"r\.xlsx, row 6, rating: no value; a number"):
        get(tmp_path, book(a=rows))
    assert get(tmp_path, book(a=rows[:-1])).report["rows"] == 1


def test_positions_without_a_header(tmp_path: Path) -> None:
    columns = {"user": 1, "item": 3, "rating": None, "timestamp": None}
    content = book(a=[["u", 0, "a"], ["v", 0, "b"]])
    found = get(tmp_path, content, columns=columns, has_header=False).ratings
    assert found["item_id"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("sheets", "changes", "said"),
    [
        ({"a": [HEADER, [1, 2, 3, 4]], "b": [[1]]}, {}, "r.xlsx: 2 sheets have cells (a, b); name"),
        ({"a": [HEADER]}, {"member": "x"}, "data.member: x is no sheet of r.xlsx (there are: a)"),
        ({"a": []}, {}, "r.xlsx: the sheet has no rows"),
        ({"a": [HEADER]}, {}, "r.xlsx: the file has no rows"),
        ({"a": [["u", "u"], [1, 2]]}, {}, "r.xlsx: the header names u more than once"),
        ({"a": [["u", "i"], [1, 2]]}, {}, "r.xlsx, line 1: no column user_id"),
        (
            {"a": [HEADER, [1, 2, 3, dt.time(12)]]},
            {},
            "r.xlsx, row 2, timestamp: 12:00:00 is a time; a number, text or",
        ),
    ],
)
def test_what_a_workbook_lacks_is_said(
    tmp_path: Path, sheets: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(CofilterError) as told:
        get(tmp_path, book(**sheets), **changes)
    assert str(told.value).startswith(said)
    assert "\n" not in str(told.value)


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    content = book(notes=[["x"]], ratings=[HEADER, [1, 2, 3, 4]])
    assert get(tmp_path, content, member="ratings").report["rows"] == 1


def test_a_damaged_workbook_is_one_line(tmp_path: Path) -> None:
    content = book(a=[HEADER, [1, 2, 3, 4]])
    broken = content.replace(b"xl/worksheets/sheet1.xml", b"xl/worksheets/sheet9.xml")
    with pytest.raises(CofilterError, match=r"r\.xlsx: ") as told:
        get(tmp_path, broken)
    assert "\n" not in str(told.value)


def test_damage_of_any_kind_is_one_line(tmp_path: Path) -> None:
    """The parser goes on for ever over an open element, and stops Python's process over others."""
    old = (Path(__file__).parent / "cases" / "ratings.xls").read_bytes()
    document = open_document([HEADER, [1, 2, 3, 4]])
    with zipfile.ZipFile(io.BytesIO(document)) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    torn = members["content.xml"].replace(b"</table:table-row>", b"", 1)
    generator = random.Random(0)
    damaged = [old[:3000], zipped(members | {"content.xml": torn})]
    for _ in range(50):
        content = bytearray(old)
        content[generator.randrange(8, 512)] ^= 0xFF  # of its head and its table of sectors
        damaged.append(bytes(content))
    said = []
    for content in damaged:
        try:
            get(tmp_path, content)
        except CofilterError as error:
            said.append(str(error))
    assert len(said) > 10
    assert all(line.startswith("r.xlsx: ") and "\n" not in line for line in said)


@pytest.mark.parametrize(
    ("seed", "told"),
    [(529, "damaged"), (547, "damaged"), (396, "unknown encoding"), (2370, "recursion"),
     (29666, "Unexpected token")],
)  # fmt: skip
def test_an_old_file_whose_reader_aborts_or_raises_anything_is_one_line(
    seed: int, told: str, tmp_path: Path
) -> None:
    """Eight bytes of it are others; of the first two calamine aborts its process."""
    content = bytearray((Path(__file__).parent / "cases" / "ratings.xls").read_bytes())
    generator = random.Random(seed)
    for _ in range(8):
        content[generator.randrange(len(content))] = generator.randrange(256)
    with pytest.raises(CofilterError, match=rf"^r\.xlsx: .*{told}"):
        get(tmp_path, bytes(content))


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'cofilter\[excel\]'"):
        get(tmp_path, book(a=[HEADER, [1, 2, 3, 4]]))


def test_an_old_excel_file_and_one_of_open_document_are_read(tmp_path: Path) -> None:
    old = (Path(__file__).parent / "cases" / "ratings.xls").read_bytes()
    rows = [(7, 30, 4.5, 10), (7, 20, 3.0, 20), (8, 20, 1.0, 30)]
    for content in (old, open_document([HEADER, *map(list, rows)])):
        found = get(tmp_path, content).ratings
        assert list(found.itertuples(index=False, name=None)) == rows


def test_rows_that_open_document_writes_once_are_all_read(tmp_path: Path) -> None:
    cells = "".join(
        f'<table:table-cell office:value-type="float" office:value="{n}"/>' for n in (5, 6, 2, 9)
    )
    again = f'<table:table-row table:number-rows-repeated="3">{cells}</table:table-row>'
    found = get(tmp_path, open_document([HEADER, [1, 2, 3, 4]], again))
    assert found.ratings["user_id"].tolist() == [1, 5, 5, 5]


def test_errors_and_empty_texts_are_no_values(tmp_path: Path) -> None:
    content = book(a=[HEADER, [1, 2, 3, 4], ["#N/A"], [1, 3, 3, 5]])
    assert b'<c r="A3" t="e">' in sheet_of(content)
    assert get(tmp_path, content).report["rows"] == 2
    shared = with_member(
        content,
        sheet_of(content).replace(b'<c r="A3" t="e"><v>#N/A</v></c>', b'<c t="s"><v>1</v></c>'),
        b"<sst><si><t>x</t></si><si><t/></si></sst>",
    )
    assert get(tmp_path, shared).report["rows"] == 2


SHEET = "xl/worksheets/sheet1.xml"


def sheet_of(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        return whole.read(SHEET)


def with_member(content: bytes, sheet: bytes, strings: bytes | None = None) -> bytes:
    """A workbook with another first sheet, and perhaps shared strings."""
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        members = {name: whole.read(name) for name in whole.namelist()} | {SHEET: sheet}
    if strings is not None:
        space = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        members["xl/sharedStrings.xml"] = strings.replace(b"<sst>", space)
        kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        relation = b'<Relationship Id="rId99" Type="' + kind + b'" Target="sharedStrings.xml"/>'
        end = b"</Relationships>"
        path = "xl/_rels/workbook.xml.rels"
        members[path] = members[path].replace(end, relation + end)
    return zipped(members)


@pytest.mark.parametrize("lies", [False, True], ids=["declared", "real"])
def test_a_bomb_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    content = book(a=[HEADER, [1, 2, 3, 4]])
    whole = with_member(content, sheet_of(content) + b" " * (64 << 20))
    if lies:  # the sizes that the archive declares, of the member and in its list of members
        size = struct.pack("<L", len(sheet_of(content)) + (64 << 20))
        assert whole.count(size) == 2
        whole = whole.replace(size, struct.pack("<L", 1000))
    free = unpack.psutil.virtual_memory().available
    monkeypatch.setattr(unpack, "SHARE", (32 << 20) / free)
    monkeypatch.setattr(python_calamine.CalamineWorkbook, "from_filelike", None, raising=True)
    with pytest.raises(TooLargeError, match=r"^r\.xlsx: holds more than 0\.0 GiB unpacked"):
        get(tmp_path, whole)


def test_a_value_in_the_last_corner_is_refused(tmp_path: Path) -> None:
    """The parser would make a rectangle of 17 thousand million cells of two."""
    content = book(a=[HEADER, [1, 2, 3, 4]])
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    whole = with_member(content, sheet_of(content).replace(b"</sheetData>", far))
    with pytest.raises(TooLargeError, match=r"the 1,048,576 × 16,384 cells around the values of a"):
        get(tmp_path, whole)


def test_a_binary_workbook_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CofilterError, match=r"is a binary Excel workbook, .*; save it as \.xlsx"):
        get(tmp_path, zipped({"xl/workbook.bin": b"x"}))


def test_matrices_and_lists_in_a_sheet(tmp_path: Path) -> None:
    def rows(kind: str, sheet: list[list[Any]], **changes: Any) -> list[Any]:
        (tmp_path / "m.xlsx").write_bytes(book(m=sheet))
        found = obtain(source(kind, path="m.xlsx", **changes), tmp_path, tmp_path).ratings
        return found.iloc[:, :3].to_numpy().tolist()

    named = {"columns__user": "who", "has_header": True, "skip_columns": 1}
    table = [[], ["who", "a, b", "c"], ["x", 4.5, None], [], ["y", 99, 2]]
    expected = [["x", "a, b", 4.5], ["y", "c", 2.0]]
    assert rows("matrix", table, not_rated=99, **named) == expected
    assert rows("adjacency", [["u", "a", "b"], [7, 8, None]]) == [
        ["u", "a", 1.0],
        ["u", "b", 1.0],
        ["7", "8", 1.0],
    ]
    with pytest.raises(CofilterError, match=r"m\.xlsx, line 3, item c: \"much\"; a number is"):
        rows("matrix", [[], ["who", "c"], ["x", "much"]], **named)


CELLS = st.one_of(
    st.none(),
    st.integers(-5, 10**6),
    st.floats(-9, 9),
    st.booleans(),
    st.sampled_from(["", " ", "a", "</row>", "<v>", "&", "é", "#N/A", "007"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=5), max_size=7))
def test_the_count_apart_is_that_of_rows_with_a_value(rows: list[list[Any]]) -> None:
    content = book(a=rows)
    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as whole:
        read = whole.get_sheet_by_index(0).to_python(skip_empty_area=True)
    filled = [row for row in read if any(cell != "" for cell in row)]
    extent = extents("r.xlsx", content)["a"]
    assert extent.rows == len(filled)
    if read:
        assert extent.last - extent.first + 1 >= len(read)
        assert extent.columns >= len(read[0])
