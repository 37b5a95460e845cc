"""Charts of the leaderboard: the primary metric and RMSE with intervals, paired differences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cofilter.evaluation.leaderboard import BEST_SET, COMPARED, P_HOLM, SELECTED, column
from cofilter.evaluation.plots import MODEL
from cofilter.report.charts.style import (
    CHOSEN,
    GHOST,
    INK,
    PHONE,
    QUIET,
    WARNING,
    Figure,
    figure,
    fitted,
    heading,
    unseeded,
)
from cofilter.scoring.config import lower_is_better

ROW = 18  # px a model
DIFFERENCE = COMPARED[:3]  # and its interval
ALPHA = 0.05


def comparisons(board: pd.DataFrame, primary: str) -> Iterator[Figure]:
    """The primary metric, the differences from the best and RMSE, as far as there are any.

    ``board`` is the leaderboard with a column ``model``.
    """
    board = board.assign(**{MODEL: unseeded(board[MODEL])})
    for name in dict.fromkeys([primary, "rmse"]):
        ranked = board.dropna(subset=[column("warm", name)])
        if len(ranked):
            yield _forest(ranked, name, primary)
    if set(DIFFERENCE) <= set(board.columns):
        compared = board.dropna(subset=list(DIFFERENCE))
        if len(compared):
            yield _differences(compared, primary)


def _forest(board: pd.DataFrame, metric: str, primary: str) -> Figure:
    warm, everything = column("warm", metric), column("all", metric)
    low, high = f"{warm}_low", f"{warm}_high"
    ascending = lower_is_better(metric)
    rows = board.sort_values(warm, ascending=ascending, kind="stable")
    needed = [MODEL, SELECTED, warm, everything]
    with_interval = {low, high} <= set(rows.columns)
    needed += [low, high] if with_interval else []
    marked = metric == primary and BEST_SET in rows.columns
    rows = rows[needed].assign(best=rows[BEST_SET].eq(True) if marked else rows[SELECTED])
    rows["value"] = rows[warm].map("{:.3f}".format)
    ends = rows[[warm, everything, *([low, high] if with_interval else [])]]
    first, last = (float(end(ends.to_numpy(np.float64))) for end in (np.nanmin, np.nanmax))
    room = (last - first or 1.0) * 0.04
    best = rows.iloc[0]
    caption = ("Lower" if ascending else "Higher") + " is better. Dots: warm users and items"
    caption += ", with 95 % intervals over users. " if with_interval else ". "
    caption += "Ticks: all rows, cold users and items included. "
    caption += "Dark: not distinguishable from the best. " if marked else ""
    caption += "Diamond: the model to ship."
    reading = f"{len(rows)} models; best {best['value']} by {best[MODEL]}."

    def draw(width: int) -> alt.LayerChart:
        domain = [first - room, last + room * (4.5 if width > PHONE else 9)]  # for the figures
        return fitted(_rows(rows, metric, with_interval, domain), width)

    return figure(f"{heading(metric)} on test", caption, reading, draw)


def _rows(rows: pd.DataFrame, metric: str, with_interval: bool, domain: list[float]) -> Any:
    warm, everything = column("warm", metric), column("all", metric)
    base = alt.Chart(rows).encode(y=_models(rows[MODEL].tolist()))
    colour = alt.ColorValue(
        **alt.condition(alt.datum.best, alt.value(CHOSEN), alt.value("#8494a5"))
    )
    axis = alt.Axis(tickCount=5, labelFlush=False, orient="top")

    def x(name: str) -> alt.X:  # the scale in every layer, since theirs are united
        scale = alt.Scale(domain=domain, nice=False, zero=False)
        return alt.X(f"{name}:Q", title=heading(metric), scale=scale, axis=axis)

    layers = []
    if with_interval:
        ends = {"x": x(f"{warm}_low"), "x2": f"{warm}_high:Q"}
        layers.append(base.mark_rule(strokeWidth=3, opacity=0.45).encode(**ends, color=colour))
    layers += [
        base.mark_tick(color=INK, thickness=1.5, height=9).encode(x=x(everything)),
        base.transform_filter(~alt.datum[SELECTED])
        .mark_circle(size=64, opacity=1)
        .encode(x=x(warm), color=colour),
        base.transform_filter(alt.datum[SELECTED])
        .mark_point(shape="diamond", size=130, filled=True, opacity=1, color=CHOSEN)
        .encode(x=x(warm)),
        base.mark_text(align="right", dx=-2, fontSize=11, color=QUIET).encode(
            x=alt.XValue("width"), text=alt.Text("value:N")
        ),
    ]
    return alt.layer(*layers).properties(height={"step": ROW})


def _differences(board: pd.DataFrame, primary: str) -> Figure:
    value, low, high = DIFFERENCE
    lower = lower_is_better(primary)
    rows = board.sort_values(value, ascending=lower, kind="stable")
    with_p = P_HOLM in rows.columns
    rows = rows[[MODEL, value, low, high, *([P_HOLM] if with_p else [])]]
    rows = rows.assign(clear=(rows[P_HOLM] < ALPHA) if with_p else False)
    caption = (
        f"Paired over the same warm users: a model's {heading(primary)} less that of the best "
        "model, with its 95 % interval. "
    )
    caption += f"Orange: p below {ALPHA:g} after Holm's correction." if with_p else ""
    reading = (
        f"{int(rows['clear'].sum())} of {len(rows)} models differ clearly from the best."
        if with_p
        else f"{len(rows)} models beside the best."
    )

    def draw(width: int) -> alt.LayerChart:
        base = alt.Chart(rows).encode(y=_models(rows[MODEL].tolist()))
        colour = alt.ColorValue(
            **alt.condition(alt.datum.clear, alt.value(WARNING), alt.value(CHOSEN))
        )
        axis = alt.Axis(tickCount=5, labelFlush=False, orient="top")
        x = alt.X(f"{value}:Q", title=f"difference in {heading(primary)}", axis=axis)
        zero = (
            alt.Chart(pd.DataFrame({"zero": [0.0]}))
            .mark_rule(color=GHOST)
            .encode(x=alt.X("zero:Q"))
        )
        chart = (
            zero
            + base.mark_rule(strokeWidth=3, opacity=0.45).encode(
                x=alt.X(f"{low}:Q"), x2=alt.X2(f"{high}:Q"), color=colour
            )
            + base.mark_circle(size=64, opacity=1).encode(x=x, color=colour)
        )
        return fitted(chart.properties(height={"step": ROW}), width)

    return figure(f"Differences in {heading(primary)} from the best", caption, reading, draw)


def _models(order: list[str]) -> alt.Y:
    return alt.Y(
        f"{MODEL}:N", sort=order, title=None, axis=alt.Axis(labelLimit=190, labelFontSize=11)
    )
