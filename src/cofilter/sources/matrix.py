"""A wide matrix: a line a user, a column an item, and a code where nothing is rated."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import polars as pl

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import ConfigError, DataError
from cofilter.sources.delimited import TextFormat
from cofilter.sources.lines import BLANKS, blocks, fields_of, filled
from cofilter.sources.number_text import numbers
from cofilter.sources.table import RawTable

log = logging.getLogger(__name__)

_LINE = "line"
_BLOCK = 1 << 20  # bytes of lines whose cells are Python strings at a time


@dataclass(frozen=True)
class MatrixForm:
    """What the columns of a matrix are.

    ``skip_columns`` leading ones are no items; ``user`` among them holds the users' ids (a name
    or a position from 1; None: lines are numbered from 1). ``not_rated`` is the code of a cell
    without rating, beside an empty one, and ``decimal`` stands before a rating's fraction.
    """

    skip_columns: int
    user: str | int | None
    not_rated: float | str | None
    decimal: str = "."


def read_matrix(label: str, content: bytes, text: TextFormat, form: MatrixForm) -> RawTable:
    """One row for each rated cell, line by line; some MiB of the file are unfolded at a time.

    Parameters
    ----------
    content:
        UTF-8 text. With a header it names the items, otherwise they are numbered from 1.
    text:
        A delimiter of "" stands for any run of blanks and tabs.

    Raises
    ------
    DataError
        A line has another number of fields than the first, a cell is neither a number nor the
        code, a user has no id, or nothing is rated.
    """
    names: list[str] | None = None
    found, rows, blank, codes = [], 0, 0, 0
    for first, lines in blocks(content, _BLOCK):
        kept = [(number, line) for number, line in enumerate(lines, first) if line.strip(BLANKS)]
        blank += len(lines) - len(kept)
        if kept and names is None:
            names = _names(label, kept[0], text, form)
            kept = kept[1:] if text.has_header else kept
        if kept and names is not None:
            cells, of_block = _rated(label, kept, names, rows, text, form)
            found.append(cells)
            rows += len(kept)
            codes += of_block
    rated = pl.concat(found) if found else pl.DataFrame()
    if rated.is_empty():
        raise DataError(f"{label}: no cell is rated")
    _warn_of_a_code(label, rated[RATING], form)
    stands = rated[_LINE]
    _, n_cells = filled(content, text, form.skip_columns)
    skipped = {"blank_line": blank, "not_rated": codes}
    return RawTable(
        label,
        rated.select(USER, ITEM, RATING),
        lambda index: int(stands[index]),
        n_cells - codes,
        skipped={reason: count for reason, count in skipped.items() if count},
    )


def _names(label: str, line: tuple[int, str], text: TextFormat, form: MatrixForm) -> list[str]:
    """Of all columns: from the header, otherwise items from 1 and what is skipped as ``#1``."""
    fields = _fields(label, *line, text)
    items = len(fields) - form.skip_columns
    if items < 1:
        raise DataError(
            f"{label}, line {line[0]}: {len(fields)} fields, of which data.skip_columns leaves none"
        )
    if not text.has_header:
        skipped = [f"#{position}" for position in range(1, form.skip_columns + 1)]
        return [*skipped, *(str(position) for position in range(1, items + 1))]
    twice = next((name for name in fields if fields.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{label}, line {line[0]}: the header names {twice[:40]} more than once")
    return fields


def _fields(label: str, number: int, line: str, text: TextFormat) -> list[str]:
    if not text.delimiter:
        return [field for field in line.replace("\t", " ").split(" ") if field]
    if text.quote is not None and text.quote in line:
        return fields_of(label, number, line, text.delimiter, text.quote)
    return line.split(text.delimiter)


def _rated(
    label: str,
    kept: list[tuple[int, str]],
    names: list[str],
    rows: int,
    text: TextFormat,
    form: MatrixForm,
) -> tuple[pl.DataFrame, int]:
    """Line, user, item and rating of the cells that are rated, and how many have the code.

    ``rows`` are the lines before.
    """
    table = [_fields(label, number, line, text) for number, line in kept]
    for (number, _), fields in zip(kept, table, strict=True):
        if len(fields) != len(names):
            raise DataError(
                f"{label}, line {number}: {len(fields)} fields, but {len(names)} are expected, as "
                "on the first line; data.delimiter says what separates them"
            )
    lines = pl.Series(_LINE, [number for number, _ in kept], dtype=pl.Int64)
    users, items = _users(label, kept, table, rows, form, names), names[form.skip_columns :]
    cells = pl.Series([cell for fields in table for cell in fields[form.skip_columns :]])
    cells = cells.str.strip_chars(BLANKS)
    values = numbers(cells, form.decimal)
    holds = cells != ""
    coded = holds & _is_code(cells, values, form.not_rated)
    rated = holds & ~coded
    at = rated.arg_true().to_numpy()
    row, column = np.divmod(at, len(items))
    wrong = (rated & values.is_null()).arg_true()
    if len(wrong):
        number, item = lines[wrong[0] // len(items)], items[wrong[0] % len(items)]
        raise DataError(
            f'{label}, line {number}, item {item[:40]}: "{cells[wrong[0]][:40]}"; a number is '
            "expected, or the code of a cell without rating that data.not_rated names"
        )
    of_items = pl.Series(ITEM, items, dtype=pl.String)
    found = [lines.gather(row), users.gather(row), of_items.gather(column)]
    return pl.DataFrame([*found, values.gather(at).alias(RATING)]), int(coded.sum())


def _users(
    label: str,
    kept: list[tuple[int, str]],
    table: list[list[str]],
    rows: int,
    form: MatrixForm,
    names: list[str],
) -> pl.Series:
    if form.user is None:
        return pl.int_range(rows + 1, rows + 1 + len(table), dtype=pl.Int64, eager=True).alias(USER)
    place = _user_column(label, names[: form.skip_columns], form)
    users = [fields[place].strip(BLANKS) for fields in table]
    if "" in users:
        raise DataError(f"{label}, line {kept[users.index('')][0]}: no user; an id is expected")
    return pl.Series(USER, users, dtype=pl.String)


def _user_column(label: str, skipped: list[str], form: MatrixForm) -> int:
    """Where the users' ids stand among the skipped columns, from 0."""
    user = form.user
    if isinstance(user, int) and user <= len(skipped):
        return user - 1
    if isinstance(user, str) and user in skipped:
        return skipped.index(user)
    raise ConfigError(
        f"data.columns.user: {user} is none of the first {len(skipped)} columns of {label}, which "
        "data.skip_columns says are no items"
    )


def _is_code(cells: pl.Series, numbers: pl.Series, code: float | str | None) -> pl.Series:
    if code is None:
        return pl.repeat(False, len(cells), eager=True)
    return cells == code if isinstance(code, str) else (numbers == code).fill_null(False)


def _warn_of_a_code(label: str, ratings: pl.Series, form: MatrixForm) -> None:
    counts = ratings.value_counts(sort=True)
    value, count = counts.row(0)
    if form.not_rated is None and 2 * count > len(ratings) > count:
        log.warning(
            "%s: %s of %s cells are %g; if this stands for not rated: data.not_rated=%g",
            label,
            f"{count:,}",
            f"{len(ratings):,}",
            value,
            value,
        )
