"""What commands print: a table on a terminal, plain text in a pipe, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

Row = Mapping[str, Any]
_JOINERS = "\u200c\u200d"


def show(rows: Sequence[Row], as_json: bool, title: str = "", notes: Sequence[str] = ()) -> None:
    """Print rows with the same keys; notes go to stderr where they would be no data."""
    if as_json:
        click.echo(json.dumps(list(rows), ensure_ascii=False, indent=2))
        return
    if sys.stdout.isatty():
        _table(rows, title)
    else:
        _plain(rows)
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)


def printable(text: object) -> str:
    """A text whose control characters are shown, not obeyed: a title may hold a terminal's.

    What joins letters and pictures (U+200C, U+200D) stays; what turns the direction of text does
    not.
    """
    return "".join(
        each
        if each.isprintable() or each in _JOINERS
        else each.encode("unicode_escape", "surrogatepass").decode()
        for each in str(text)
    )


def cell(value: Any) -> str:
    """A value of a table."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 0.001 else f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return printable(value)


def _plain(rows: Sequence[Row]) -> None:
    """Tab-separated, with a header; a title's own tabs were made visible."""
    if rows:
        click.echo("\t".join(rows[0]))
    for row in rows:
        click.echo("\t".join(cell(value) for value in row.values()))


def _table(rows: Sequence[Row], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=printable(title) or None)
    shown.title_justify = "left"
    for name in rows[0] if rows else ():
        numbers = all(isinstance(row[name], int | float | None) for row in rows)
        shown.add_column(name, justify="right" if numbers else "left")
    for row in rows:
        shown.add_row(*(Text(cell(value)) for value in row.values()))
    Console().print(shown if rows else "nothing")
