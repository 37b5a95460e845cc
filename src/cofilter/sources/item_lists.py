"""Lines of items: adjacency lists (a user, then the items) and baskets (items alone)."""

from __future__ import annotations

import polars as pl

from cofilter.core.columns import ITEM, USER
from cofilter.core.errors import DataError
from cofilter.sources.delimited import TextFormat
from cofilter.sources.lines import BLANKS, blocks, fields_of, filled
from cofilter.sources.table import RawTable

_LINE, _FIELDS = "line", "fields"


def read_item_lists(label: str, content: bytes, text: TextFormat, user_first: bool) -> RawTable:
    """One row for each item of each line, in the file's order.

    Blanks and tabs around a field are no part of it, and delimiters at a line's end say nothing.
    Blank lines are skipped and counted, and so is a user without items. A header is the first line
    that is not blank.

    Parameters
    ----------
    content:
        UTF-8 text.
    text:
        A delimiter of "" stands for any run of blanks and tabs.
    user_first:
        Whether a line begins with its user; otherwise its number, from 1, is the user.

    Raises
    ------
    DataError
        A field is empty, a quote stays open, or no line has an item.
    """
    found, header, blank = [], text.has_header, 0
    for first, lines in blocks(content):
        numbers = pl.int_range(first, first + len(lines), eager=True, dtype=pl.Int64)
        table = pl.DataFrame({_LINE: numbers, _FIELDS: _split(label, first, lines, text)})
        table = table.filter(pl.col(_FIELDS).list.len() > 0)
        blank += len(lines) - len(table)
        if header and len(table):
            table, header = table[1:], False
        found.append(_pairs(label, table, user_first))
    pairs = pl.concat(found) if found else pl.DataFrame()
    if pairs.is_empty():
        raise DataError(f"{label}: no line has an item")
    stands = pairs[_LINE]
    if not user_first and text.has_header:
        pairs = pairs.with_columns(pl.col(USER) - 1)
    n_lines, n_fields = filled(content, text)
    skipped = {"blank_line": blank}
    if user_first:
        skipped["user_without_items"] = n_lines - stands.n_unique()
    return RawTable(
        label,
        pairs.select(USER, ITEM),
        lambda index: int(stands[index]),
        n_fields - n_lines * user_first,
        skipped={reason: lines for reason, lines in skipped.items() if lines},
    )


def _split(label: str, first: int, lines: list[str], text: TextFormat) -> pl.Series:
    values = pl.Series(_FIELDS, lines, dtype=pl.String)
    if not text.delimiter:
        values = values.str.strip_chars(BLANKS).str.replace_all(f"[{BLANKS}]+", " ").str.split(" ")
    elif text.quote is not None and values.str.contains(text.quote, literal=True).any():
        fields = [
            fields_of(label, number, line, text.delimiter, text.quote) if line else []
            for number, line in enumerate(lines, start=first)
        ]
        values = pl.Series(_FIELDS, fields, dtype=pl.List(pl.String))
        values = values.list.eval(pl.element().str.strip_chars(BLANKS))
    else:
        values = values.str.split(text.delimiter)
        values = values.list.eval(pl.element().str.strip_chars(BLANKS))
    return _without_empty_end(values)


def _without_empty_end(values: pl.Series) -> pl.Series:
    """Lists without the empty strings at their ends."""
    filled = values.list.eval(
        pl.when(pl.element() != "").then(pl.int_range(1, pl.len() + 1)).otherwise(0)
    )
    table = pl.DataFrame({_FIELDS: values, "filled": filled.list.max().fill_null(0)})
    return table.select(pl.col(_FIELDS).list.head(pl.col("filled"))).to_series()


def _pairs(label: str, table: pl.DataFrame, user_first: bool) -> pl.DataFrame:
    if user_first:
        user, items = pl.col(_FIELDS).list.first(), pl.col(_FIELDS).list.slice(1)
    else:
        user, items = pl.col(_LINE), pl.col(_FIELDS)
    table = table.select(_LINE, user.alias(USER), items.alias(ITEM))
    pairs = table.explode(ITEM).filter(pl.col(ITEM).is_not_null())
    empty = pl.col(ITEM) == ""
    if user_first:
        empty |= pl.col(USER) == ""
    wrong = pairs.filter(empty)[_LINE]
    if len(wrong):
        raise DataError(
            f"{label}, line {wrong[0]}: an empty field; an id is expected in each "
            "(data.delimiter says what separates them)"
        )
    return pairs
