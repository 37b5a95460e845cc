"""Excel and OpenDocument spreadsheets, by the optional python-calamine (and xlrd, which counts)."""

from __future__ import annotations

import csv
import io
import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from cofilter.core.errors import ConfigError, DataError, MissingDependencyError
from cofilter.sources.cells import Cells
from cofilter.sources.kinds import ZIP
from cofilter.sources.sheets import extents, old_excel
from cofilter.sources.table import RawTable, demand_counted, demand_rows, resolve_columns


def read_workbook(
    label: str,
    content: bytes,
    columns: Mapping[str, str | int],
    has_header: bool,
    sheet: str | None,
) -> RawTable:
    """Read ``columns`` of one sheet; whole numbers are integers, since a cell knows no other kind.

    Parameters
    ----------
    sheet:
        Its name (`data.member`); None where only one has cells.

    Raises
    ------
    DataError
        The file is damaged, several sheets have cells and none is named, or a cell is of a kind
        that its column does not have.
    MissingDependencyError
        The extra ``cofilter[excel]`` is not installed.
    """
    start, rows, counted = _cells(label, content, sheet)
    if not rows:
        raise DataError(f"{label}: the sheet has no rows")
    rows = rows if has_header else [[*range(1, len(rows[0]) + 1)], *rows]
    first = start + 1 if has_header else start  # of the rows with values, counted from 1
    there = [str(name).strip() for name in rows[0]]
    twice = next((name for name in there if name and there.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{label}: the header names {twice} more than once")
    names = resolve_columns(label, there, columns)
    places = [there.index(name) for name in names.values()]
    kept = [(at, row) for at, row in enumerate(rows[1:], first) if _is_filled(row)]
    lines = [at for at, _ in kept]
    cells = Cells(label, list(names), list(names.values()), lambda index: f"row {lines[index]}")
    cells.add([[_value(row[place]) for place in places] for _, row in kept])
    frame = cells.frame()
    demand_rows(label, frame)
    return RawTable(
        label,
        frame,
        lines.__getitem__,
        counted - has_header,
        typed=True,
        header=tuple(there),
    )


def workbook_text(label: str, content: bytes, sheet: str | None) -> bytes:
    """One sheet as the CSV that a spreadsheet's program saves, UTF-8, a line a row.

    For matrices and lists; raises as `read_workbook` does.
    """
    start, rows, counted = _cells(label, content, sheet)
    text = io.StringIO("\n" * (start - 1))
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        if _is_filled(row):
            writer.writerow([_value(cell) for cell in row])
        else:
            text.write("\n")
    demand_counted(label, sum(map(_is_filled, rows)), counted, "rows")
    return text.getvalue().encode()


def _cells(label: str, content: bytes, sheet: str | None) -> tuple[int, list[list[Any]], int]:
    """The first row that has cells, counted from 1, the rows from there, and those with values."""
    try:
        import python_calamine  # noqa: F401 - for `_sheet`
        import xlrd  # noqa: F401 - for `old_excel`
    except ImportError:
        raise MissingDependencyError(
            f"{label}: is a spreadsheet; pip install 'cofilter[excel]' lets it be read"
        ) from None
    new = content.startswith(ZIP)
    known = (extents if new else old_excel)(label, content)
    name, top, rows = (_sheet if new else _sheet_apart)(label, content, sheet)
    return top + 1, rows, known[name].rows if name in known else 0


def _sheet_apart(label: str, content: bytes, sheet: str | None) -> tuple[str, int, list[list[Any]]]:
    """As `_sheet`, in a process of its own, which some damage to old Excel files makes it abort."""
    spawning = multiprocessing.get_context("spawn")  # a fork would have our threads' locks
    try:
        with ProcessPoolExecutor(1, mp_context=spawning) as pool:
            return pool.submit(_sheet, label, content, sheet).result()
    except BrokenProcessPool:
        raise DataError(f"{label}: the spreadsheet is damaged (its reader aborted)") from None


def _sheet(label: str, content: bytes, sheet: str | None) -> tuple[str, int, list[list[Any]]]:
    """The sheet's name, the first row that has cells, counted from 0, and the rows from there."""
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
            name = _chosen(label, {name: one.height for name, one in sheets.items()}, sheet)
            top = sheets[name].start or (0, 0)
            rows = sheets[name].to_python(skip_empty_area=True)
    except calamine.CalamineError as error:
        raise DataError(f"{label}: the spreadsheet is damaged or locked ({error})") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust, below no other class
            raise
        reason = " ".join(str(error).split())
        raise DataError(f"{label}: the spreadsheet is damaged ({reason})") from None
    return name, top[0], rows


def _chosen(label: str, heights: Mapping[str, int], sheet: str | None) -> str:
    """The sheet that is named, or the one that has cells."""
    if sheet is not None and sheet not in heights:
        shown = ", ".join(heights)
        raise ConfigError(f"data.member: {sheet} is no sheet of {label} (there are: {shown})")
    if not heights:
        raise DataError(f"{label}: the spreadsheet has no sheet")
    filled = [name for name, height in heights.items() if height]
    if sheet is None and len(filled) > 1:
        raise DataError(
            f"{label}: {len(filled)} sheets have cells ({', '.join(filled)}); "
            "name one in data.member"
        )
    return sheet or [*filled, *heights][0]


def _is_filled(row: list[Any]) -> bool:
    return any(cell != "" for cell in row)


def _value(cell: Any) -> Any:
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell
