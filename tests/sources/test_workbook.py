from __future__ import annotations

import datetime as dt
import io
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cofilter.core.errors import CofilterError, MissingDependencyError
from cofilter.sources.source import Obtained, obtain
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


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'cofilter\[excel\]'"):
        get(tmp_path, book(a=[HEADER, [1, 2, 3, 4]]))
