"""What a person is shown of a file before its form is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.onboarding.understand import Understood

ROWS = 10
WORDS = {
    "ratings": "ratings",
    "clicks": "clicks: no ratings, every row says the same",
    "counts": "counts: how often, or how many",
}


def show(console: Console, found: Understood) -> None:
    """The first rows as they were understood, and what was decided."""
    ratings, changes = found.obtained.ratings, found.changes
    console.print(_table(ratings.head(ROWS), changes.get("columns", {})))
    users, items = (ratings[name].nunique() for name in (USER, ITEM))
    lines = [
        f"{len(ratings):,} rows, {users:,} users, {items:,} items",
        f"kind: {WORDS[found.feedback]}",
    ]
    if changes["scale"]:
        low, high = changes["scale"]
        lines.append(
            f"scale: {low:g} to {high:g}; relevant from {changes['relevance_threshold']:g} "
            "(data.scale, data.relevance_threshold)"
        )
    if TIMESTAMP in ratings:
        first, last = (
            _moment(int(each)) for each in (ratings[TIMESTAMP].min(), ratings[TIMESTAMP].max())
        )
        lines.append(f"times: {first} to {last} UTC")
    else:
        lines.append("times: none, so the split is random within each user")
    for line in [*lines, *(f"note: {each}" for each in found.notes)]:
        console.print(Text(line))


def _table(rows: pd.DataFrame, columns: dict[str, str | int | None]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="the first rows, as they are understood")
    of = {USER: "user", ITEM: "item", RATING: "rating", TIMESTAMP: "timestamp"}
    names = [name for name in of if name in rows]
    for name in names:
        column = columns.get(of[name])
        head = of[name] if column is None else f"{of[name]}\n({column})"
        table.add_column(Text(head), justify="right")
    cells = [[Text(_cell(name, value)) for value in rows[name].tolist()] for name in names]
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    return table


def _cell(name: str, value: object) -> str:
    if name == TIMESTAMP:
        return _moment(int(str(value)))
    return f"{value:g}" if name == RATING else str(value)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
