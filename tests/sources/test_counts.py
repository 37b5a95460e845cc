"""Every form counts its rows by another way than its parser: a row that a reader loses is found."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cofilter.core.errors import DataError
from cofilter.sources import cells, item_lists, matrix, own_tables, unpack, workbook
from cofilter.sources.source import obtain
from tests.sources.archives import zipped
from tests.sources.configs import source
from tests.sources.test_workbook import book, open_document

CSV = b"user_id,item_id,rating,timestamp\n1,10,4,100\n2,11,3,200\n"
QUOTED = CSV.replace(b"1,10", b'"1",10')
FRAME = pl.read_csv(CSV)
ROWS = [FRAME.columns, *map(list, FRAME.rows())]
LINES = b"".join(
    b'{"user_id": %d, "item_id": %d, "rating": %d, "timestamp": %d}\n' % row for row in FRAME.rows()
)


def saved(write: Callable[[Any], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


OLD_EXCEL = (Path(__file__).parent / "cases" / "ratings.xls").read_bytes()
Lose = Callable[[pytest.MonkeyPatch], None]


def short(place: object, name: str) -> Lose:
    """What a reader's function gives, without its last row."""
    whole = getattr(place, name)

    def lossy(*args: Any, **options: Any) -> Any:
        found = whole(*args, **options)
        return (found[0][:-1], *found[1:]) if isinstance(found, tuple) else found[:-1]

    return lambda patch: patch.setattr(place, name, lossy)


def short_cells(patch: pytest.MonkeyPatch) -> None:
    whole = cells.Cells.add

    def add(self: cells.Cells, rows: Sequence[Sequence[Any]]) -> None:
        whole(self, rows[:-1])

    patch.setattr(cells.Cells, "add", add)


def short_sheet(patch: pytest.MonkeyPatch) -> None:
    whole = workbook._cells

    def lossy(*args: Any) -> Any:
        top, rows, counted = whole(*args)
        return top, rows[:-1], counted

    patch.setattr(workbook, "_cells", lossy)


FORMS: dict[str, tuple[str, bytes, Lose]] = {
    "delimited text": ("csv", CSV, short(pl, "read_csv")),
    "text with quotes": ("csv", QUOTED, short(pl, "read_csv")),
    "Parquet": ("csv", saved(FRAME.write_parquet), short(pl, "read_parquet")),
    "Arrow": ("csv", saved(FRAME.write_ipc), short(pl, "read_ipc")),
    "JSON lines": ("csv", LINES, short_cells),
    "a JSON array": ("csv", b"[" + b",".join(LINES.splitlines()) + b"]", short_cells),
    "JSON over lines": ("csv", LINES.replace(b", ", b",\n "), short_cells),
    "Excel": ("csv", book(ratings=ROWS), short_sheet),
    "old Excel": ("csv", OLD_EXCEL, short_cells),
    "OpenDocument": ("csv", open_document(ROWS), short_sheet),
    "a matrix": ("matrix", b"1,,3\n2,99,1\n", short(matrix, "_rated")),
    "a matrix in a sheet": ("matrix", book(m=[[1, None, 3], [2, 99, 1]]), short_sheet),
    "adjacency lists": ("adjacency", b"u a b\n\nv c\nw\n", short(item_lists, "_pairs")),
    "baskets": ("baskets", b"a,b\nc,,\n", short(item_lists, "_pairs")),
    "a zip": ("csv", zipped({"r.csv": CSV}), short(unpack, "_within")),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_row_that_a_reader_loses_stops_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    kind, content, lose = FORMS[form]
    (tmp_path / "mine").write_bytes(content)
    config = source(kind, path="mine")
    whole = obtain(config, tmp_path, tmp_path)
    assert len(whole.ratings) >= 2
    lose(monkeypatch)
    with pytest.raises(DataError, match=r"^mine.*, but .* this is a fault of cofilter's") as told:
        obtain(config, tmp_path, tmp_path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("path", ["parts", "parts/*.csv"])
def test_of_several_files_the_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "parts").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "parts" / name).write_bytes(CSV)
    config = source("csv", path=path)
    assert obtain(config, tmp_path, tmp_path).report["rows"] == 4
    read, times = pl.read_csv, iter((None, -1))
    monkeypatch.setattr(
        pl, "read_csv", lambda *args, **options: read(*args, **options)[: next(times)]
    )
    with pytest.raises(DataError, match=r"^parts/b.csv: 1 rows were read, but 2 are counted in it"):
        obtain(config, tmp_path, tmp_path)


def database(folder: Path) -> None:
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute("create table r (user_id, item_id, rating, timestamp)")
    connection.executemany("insert into r values (?, ?, ?, ?)", FRAME.rows())
    connection.commit()
    connection.close()


@pytest.mark.parametrize("end", ["", "; ", " -- all"])
def test_the_database_counts_a_querys_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    database(tmp_path)
    config = source("sql", path="sqlite:///shop.db", query=f"select * from r{end}")
    assert obtain(config, tmp_path, tmp_path).report["rows"] == 2
    short_cells(monkeypatch)
    with pytest.raises(DataError, match=r"data.query gave 1 rows, but 2 when the database counted"):
        obtain(config, tmp_path, tmp_path)


def test_a_query_that_a_database_cannot_count_is_refused(tmp_path: Path) -> None:
    database(tmp_path)
    query = "pragma table_info(r)"
    columns = {"user": "name", "item": "cid", "rating": None, "timestamp": None}
    config = source("sql", path="sqlite:///shop.db", query=query, columns=columns)
    with pytest.raises(DataError, match=r"cannot count the rows of data.query .*; a select that"):
        obtain(config, tmp_path, tmp_path)


def test_a_folder_is_read_file_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of one is gone before the next is opened, and is read again for a message."""
    (tmp_path / "parts").mkdir()
    for name, text in (("a.csv", CSV), ("b.csv", CSV), ("c.csv", CSV.replace(b"4", b"x"))):
        (tmp_path / "parts" / name).write_bytes(text)
    order: list[str] = []
    read, parse = own_tables.unpacked, own_tables.read_form
    monkeypatch.setattr(
        own_tables, "unpacked", lambda *args: order.append(f"open {args[0]}") or read(*args)
    )
    monkeypatch.setattr(
        own_tables, "read_form", lambda *args: order.append(f"read {args[0].label}") or parse(*args)
    )
    with pytest.raises(DataError, match=r'parts/c.csv, row 2, rating: "x"'):
        obtain(source("csv", path="parts"), tmp_path, tmp_path)
    files = ["parts/a.csv", "parts/b.csv", "parts/c.csv", "parts/c.csv"]
    assert order == [f"{step} {name}" for name in files for step in ("open", "read")]
