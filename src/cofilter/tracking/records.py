"""What a run holds, written to a `wandb.Run`; wandb's own errors pass through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Chart(NamedTuple):
    """A chart of a table's columns.

    Attributes
    ----------
    kind:
        ``bar``: one for each row; ``line``: through all rows of one value of ``by``.
    x, y, by:
        Columns; a bar's label is in ``x``.
    """

    kind: Literal["bar", "line"]
    x: str
    y: str
    title: str
    by: str | None = None


def define_metrics(run: Any, names: Iterable[str], axis: str) -> None:
    """Have the metrics ``names`` drawn over the metric ``axis``."""
    for name in names:
        run.define_metric(name, step_metric=axis)


def log_table(run: Any, name: str, table: pd.DataFrame) -> None:
    """Log a table; its index is left out, and a missing value becomes None."""
    run.log({name: _table(table)})


def log_chart(run: Any, name: str, table: pd.DataFrame, chart: Chart) -> None:
    """Log a chart that W&B draws; nothing when ``table`` has no row with both numbers."""
    import wandb

    shown = table.dropna(subset=[chart.x, chart.y])
    if shown.empty:
        return
    drawn: Any = (
        wandb.plot.bar(_table(shown), chart.x, chart.y, title=chart.title)
        if chart.kind == "bar"
        else wandb.plot.line(_table(shown), chart.x, chart.y, stroke=chart.by, title=chart.title)
    )
    run.log({name: drawn})


def log_page(run: Any, name: str, html: str) -> None:
    """Log HTML. Charts go this way too: `wandb.Image` needs a further library, takes no SVG."""
    import wandb

    run.log({name: wandb.Html(html, inject=False)})


def _table(table: pd.DataFrame) -> Any:
    import wandb

    # NaN in a column of text is a second type to wandb, which refuses a column of two.
    rows: list[Any] = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    return wandb.Table(columns=[str(name) for name in table.columns], data=rows)
