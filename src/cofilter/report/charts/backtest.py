"""Charts of the backtest: figures pooled over the windows, and window by window."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt
import pandas as pd

from cofilter.evaluation.backtested import METHOD
from cofilter.evaluation.leaderboard import BEST_SET, HIGH, LOW
from cofilter.report.charts.style import (
    CHOSEN,
    INK,
    PHONE,
    QUIET,
    Figure,
    figure,
    fitted,
    heading,
    unseeded,
)
from cofilter.scoring.config import lower_is_better

WINDOW = "window"
ROW = 18  # px a method
NAMED = 6  # methods that are followed from window to window
COLOURS = ["#0072b2", "#d55e00", "#008060", "#c05a93", "#b07a00", "#332288"]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]


def backtests(by_window: pd.DataFrame, pooled: pd.DataFrame, primary: str) -> Iterator[Figure]:
    """The pooled figures and those of the best `NAMED` methods by window; none without windows."""
    if by_window.empty or pooled.empty:
        return
    pooled = pooled.dropna(subset=[primary])
    if pooled.empty:
        return
    first = pooled[METHOD].tolist()[:NAMED]
    names = pd.concat([pooled[METHOD], by_window[METHOD]])
    shown = dict(zip(names, unseeded(names), strict=True))
    yield _pooled(pooled.assign(**{METHOD: pooled[METHOD].map(shown)}), primary)
    followed = by_window[by_window[METHOD].isin(first)].dropna(subset=[primary])
    order = [shown[name] for name in first]
    yield _by_window(followed.assign(**{METHOD: followed[METHOD].map(shown)}), order, primary)


def _pooled(rows: pd.DataFrame, primary: str) -> Figure:
    # A "." or "@" in a field's name would have a meaning for the drawing library.
    rows = _plain(rows, primary).assign(told=rows[primary].map("{:.3f}".format))
    best = rows.iloc[0]
    better = "Lower" if lower_is_better(primary) else "Higher"
    caption = (
        f"{better} is better. Mean over all (user, window) pairs, with 95 % intervals by bootstrap "
        "over users, each drawn with all of its windows. Dark: not distinguishable from the best."
    )
    reading = f"{len(rows)} methods; best {best['told']} by {best[METHOD]}."

    def draw(width: int) -> alt.LayerChart:
        base = alt.Chart(rows).encode(
            y=alt.Y(
                f"{METHOD}:N",
                sort=rows[METHOD].tolist(),
                title=None,
                axis=alt.Axis(labelLimit=190, labelFontSize=11),
            )
        )
        colour = alt.condition(alt.datum[BEST_SET], alt.value(CHOSEN), alt.value("#8494a5"))
        room = (rows[HIGH].max() - rows[LOW].min()) * (0.18 if width > PHONE else 0.4)
        domain = [float(rows[LOW].min()), float(rows[HIGH].max() + room)]
        scale = alt.Scale(domain=domain, nice=False, zero=False)
        axis = alt.Axis(tickCount=5, labelFlush=False, orient="top")
        x = alt.X("low:Q", title=heading(primary), scale=scale, axis=axis)
        layers = [
            base.mark_rule(strokeWidth=3, opacity=0.45).encode(x=x, x2="high:Q", color=colour),
            base.mark_circle(size=64, opacity=1).encode(
                x=alt.X("value:Q", title=heading(primary), scale=scale, axis=axis), color=colour
            ),
            base.mark_text(align="right", dx=-2, fontSize=11, color=QUIET).encode(
                x=alt.value("width"), text="told:N"
            ),
        ]
        return fitted(alt.layer(*layers).properties(height={"step": ROW}), width)

    return figure(f"{heading(primary)} in the backtest", caption, reading, draw)


def _by_window(rows: pd.DataFrame, order: list[str], primary: str) -> Figure:
    rows = _plain(rows, primary)
    first = rows.sort_values("value", ascending=lower_is_better(primary), kind="stable")
    leaders = first.drop_duplicates(WINDOW).sort_values(WINDOW)
    reading = "Best by window: " + ", ".join(
        f"{window} {name}"
        for window, name in leaders[[WINDOW, METHOD]].itertuples(index=False, name=None)
    )
    caption = (
        f"The {len(order)} best methods over all windows, the earliest window on the left, "
        "with 95 % intervals over the window's users. Each window has a train of its own."
    )

    def draw(width: int) -> alt.LayerChart:
        legend = alt.Legend(title=None, orient="top", columns=2 if width > PHONE else 1)
        colour = alt.Color(
            f"{METHOD}:N",
            sort=order,
            scale=alt.Scale(domain=order, range=COLOURS[: len(order)]),
            legend=legend,
        )
        shape = alt.Shape(
            f"{METHOD}:N",
            sort=order,
            scale=alt.Scale(domain=order, range=SHAPES[: len(order)]),
            legend=legend,
        )
        base = alt.Chart(rows).encode(
            x=alt.X(f"{WINDOW}:O", title="window", axis=alt.Axis(labelAngle=0, grid=False)),
            xOffset=alt.XOffset(f"{METHOD}:N", sort=order),
        )
        y = alt.Y("low:Q", title=heading(primary), scale=alt.Scale(zero=False))
        chart = base.mark_rule(strokeWidth=2, opacity=0.45).encode(
            y=y, y2="high:Q", color=colour
        ) + base.mark_point(filled=True, size=60, opacity=1, color=INK).encode(
            y=alt.Y("value:Q", title=heading(primary)), color=colour, shape=shape
        )
        return fitted(chart.properties(height=300), width)

    return figure(f"{heading(primary)} by window", caption, reading, draw)


def _plain(rows: pd.DataFrame, primary: str) -> pd.DataFrame:
    """Method, window, best_set, and the metric and its ends as value, low and high."""
    ends = {primary: "value", f"{primary}_{LOW}": LOW, f"{primary}_{HIGH}": HIGH}
    kept = [name for name in (METHOD, WINDOW, BEST_SET) if name in rows]
    return rows[[*kept, *ends]].rename(columns=ends)
