"""Charts of training: learning curves, and what a longer factor or a longer training buys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cofilter.evaluation.leaderboard import FAMILY, column
from cofilter.evaluation.plots import DIM, EPOCH, LOSS, MODEL, PHASE, kind_of
from cofilter.report.charts.labels import SIDE, names, pixels, sides, spread
from cofilter.report.charts.style import (
    CHOSEN,
    FULL,
    GHOST,
    INK,
    PHONE,
    QUIET,
    Figure,
    family_scales,
    figure,
    fitted,
    heading,
    unseeded,
)
from cofilter.scoring.config import lower_is_better

SECONDS, KIND = "seconds", "kind"
CURVES = 6  # charts a row on a desktop
CLIP = 0.75  # share of the epochs whose values set the axis; the first ones would flatten the rest
LABEL_PX, PLOT_PX = 15, 300  # height of a label and of the plot that labels stand beside


def costs(
    board: pd.DataFrame, by_dim: pd.DataFrame, seconds: pd.Series, primary: str
) -> Iterator[Figure]:
    """RMSE by dim, RMSE and the primary metric by training time; none for an empty table.

    Parameters
    ----------
    board:
        The leaderboard with a column ``model``.
    seconds:
        Seconds of training by model name; models that were not timed are left out.
    """
    if len(by_dim.dropna(subset=[column("warm", "rmse")])):
        yield _by_dim(by_dim)
    timed = board.assign(**{SECONDS: board[MODEL].map(seconds)}).dropna(subset=[SECONDS])
    for metric in dict.fromkeys(["rmse", primary]):
        scored = timed.dropna(subset=[column("warm", metric)])
        if len(scored):
            yield _by_time(scored, metric)


def learning(curves: pd.DataFrame) -> Iterator[Figure]:
    """Validation metrics and training loss by epoch, of the first fit."""
    first = curves[curves[PHASE] == "fit"]
    measures = [name for name in first.columns if name == "rmse" or "@" in name]
    for metric in measures:
        rows = first.dropna(subset=[metric])
        if len(rows):
            yield _curves(rows, metric, f"validation {heading(metric)}", lower_is_better(metric))
    rows = first.dropna(subset=[LOSS])
    if len(rows):
        yield _curves(rows, LOSS, "training loss", lower=True)


def _by_dim(by_dim: pd.DataFrame) -> Figure:
    warm = column("warm", "rmse")
    rows = by_dim.dropna(subset=[warm]).astype({DIM: "int64"})
    rows = rows.groupby([MODEL, FAMILY, DIM], sort=False)[[warm]].mean().reset_index()
    ends = rows.sort_values(DIM).groupby(MODEL, sort=False, as_index=False).last()
    extent = float(rows[warm].max() - rows[warm].min()) or 1.0
    ends["label"] = spread(ends[warm].to_numpy(), extent * LABEL_PX / PLOT_PX)
    low, high = rows[warm].min(), max(rows[warm].max(), ends["label"].max())
    best = rows.sort_values(warm, kind="stable").iloc[0]
    reading = f"Lowest: {best[warm]:.4f} by {best[MODEL]} at dim {best[DIM]}."

    def draw(width: int) -> alt.LayerChart:
        colours, shapes = family_scales(sorted(rows[FAMILY].unique()))
        ticks = alt.Axis(values=sorted(rows[DIM].unique().tolist()), format="d", grid=False)
        room = float(rows[DIM].max()) * (3.2 if width > PHONE else 6.0)  # for the names at the ends
        x_scale = alt.Scale(type="log", domain=[float(rows[DIM].min()) * 0.9, room], nice=False)
        y_scale = alt.Scale(domain=[low, high], padding=10, nice=False)
        x = alt.X(f"{DIM}:Q", title="dim", axis=ticks, scale=x_scale)
        base = alt.Chart(rows).encode(
            x=x,
            y=alt.Y(f"{warm}:Q", title="RMSE, warm rows", scale=y_scale),
            color=alt.Color(f"{FAMILY}:N", scale=colours, legend=None),
            detail=alt.Detail(f"{MODEL}:N"),
        )
        names = (
            alt.Chart(ends)
            .mark_text(align="left", dx=8)
            .encode(
                x=alt.X(f"{DIM}:Q"),
                y=alt.Y("label:Q"),
                text=alt.Text(f"{MODEL}:N"),
                color=alt.Color(f"{FAMILY}:N", scale=colours, legend=None),
            )
        )
        points = base.mark_point(filled=True, opacity=1, size=55).encode(
            shape=alt.Shape(f"{FAMILY}:N", scale=shapes, legend=None)
        )
        chart = (base.mark_line(strokeWidth=2) + points + names).properties(height=PLOT_PX)
        return fitted(chart, width)

    caption = "Warm rows, lower is better; one line for each kind of factor model."
    return figure("RMSE against the length of the factors", caption, reading, draw)


def frontier(rows: pd.DataFrame, cost: str, value: str, *, lower: bool) -> pd.Series:
    """bool[rows]: is no other row at least as good at no more cost? (The first of equals.)"""
    sign = 1.0 if lower else -1.0
    ordered = rows.assign(_signed=sign * rows[value]).sort_values([cost, "_signed"], kind="stable")
    best_before = ordered["_signed"].cummin().shift(fill_value=np.inf)
    return (ordered["_signed"] < best_before).reindex(rows.index)


def _by_time(board: pd.DataFrame, metric: str) -> Figure:
    warm, lower = column("warm", metric), lower_is_better(metric)
    rows = board[[MODEL, FAMILY, SECONDS, warm]].assign(**{MODEL: unseeded(board[MODEL])})
    far = _far_off(rows[warm], lower=lower)
    outside = ", ".join(f"{name} ({value:.3f})" for name, value in rows[far][[MODEL, warm]].values)
    rows = rows[~far]
    rows["front"] = frontier(rows, SECONDS, warm, lower=lower)
    rows = rows.sort_values(["front", warm], ascending=[False, lower], kind="stable")
    front = rows[rows["front"]].sort_values(SECONDS)
    reading = "Best for its time, quickest first: " + ", ".join(
        f"{row[MODEL]} ({row[SECONDS]:.2g} s, {row[warm]:.3f})" for row in front.to_dict("records")
    )

    def draw(width: int) -> alt.LayerChart:
        plot = width - 95  # px, without the axis
        seconds = np.log10(rows[SECONDS].clip(lower=1e-6))
        at = np.stack([pixels(seconds, plot) + 10, -pixels(rows[warm], PLOT_PX - 32)], axis=1)
        spots = rows.assign(**{SIDE: sides(at, rows[MODEL].tolist(), plot + 20)})
        colours, shapes = family_scales(sorted(rows[FAMILY].unique()))
        legend = alt.Legend(title=None, orient="bottom", columns=4, symbolOpacity=1)
        x = alt.X(
            f"{SECONDS}:Q",
            title="seconds of training, both fits",
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(format="~g", tickCount=5, grid=False),
        )
        scale = alt.Scale(zero=False, padding=16, nice=False)
        y = alt.Y(f"{warm}:Q", title=f"{heading(metric)}, warm rows", scale=scale)
        line = alt.Chart(front).mark_line(color=GHOST, strokeWidth=2, interpolate="step-after")
        points = alt.Chart(rows).mark_point(filled=True, opacity=0.9, size=75)
        points = points.encode(
            x=x,
            y=y,
            color=alt.Color(f"{FAMILY}:N", scale=colours, legend=legend),
            shape=alt.Shape(f"{FAMILY}:N", scale=shapes, legend=legend),
        )
        layers = [line.encode(x=x, y=y), points, *names(spots, MODEL, x=x, y=y)]
        return fitted(alt.layer(*layers).properties(height=PLOT_PX), width)

    caption = (
        f"Further left is quicker, {'lower' if lower else 'higher'} is better. The line joins the "
        "models that no other beats at no more time; names that would cover others are left out. "
        "Wall-clock of the machine that trained them."
    )
    caption += f" Off the chart: {outside}." if outside else ""
    return figure(f"{heading(metric)} against training time", caption, reading, draw)


def _far_off(values: pd.Series, *, lower: bool) -> pd.Series:
    """bool[rows]: so bad that they would flatten the others (Tukey's outer fence)."""
    bad = values if lower else -values
    first, third = bad.quantile(0.25), bad.quantile(0.75)
    return bad > third + 3 * (third - first)


def _curves(rows: pd.DataFrame, measure: str, name: str, lower: bool) -> Figure:
    """Small multiples: a chart a kind, its best point in colour, the others behind it in grey."""
    rows = rows.assign(**{KIND: rows[MODEL].map(kind_of)})[[KIND, MODEL, EPOCH, measure]]
    rows[MODEL] = unseeded(rows[MODEL])
    found = rows.groupby([KIND, MODEL], sort=False)[measure]
    chosen = found.min() if lower else found.max()
    shown = (chosen.groupby(KIND).idxmin() if lower else chosen.groupby(KIND).idxmax()).tolist()
    best = {str(kind): str(model) for kind, model in shown}
    reading = (
        "Best: " + ", ".join(f"{best[k]} {chosen[k, best[k]]:.4f}" for k in sorted(best)) + "."
    )
    shared = measure != LOSS  # losses of two methods cannot be compared
    domain = _domain(rows[rows[MODEL].isin(best.values())], measure, lower) if shared else None

    def draw(width: int) -> Any:
        per_row = {FULL: CURVES, PHONE: 2}.get(width, 3)
        cell = width // per_row - (45 if width > PHONE else 52)
        cells = [_curve(rows[rows[KIND] == kind], measure, best[kind], lower, domain, cell)
                 for kind in sorted(best)]  # fmt: skip
        return alt.concat(*cells, columns=per_row, spacing={"row": 14, "column": 10})

    caption = (
        "The first fit, on train. Colour: the best point of the kind, named; grey: the others. "
    )
    caption += "All with the same vertical axis. " if shared else ""
    caption += "Steep starts are cut off. " if shared and lower else ""
    caption += "The ring is the epoch that early stopping keeps." if shared else ""
    title = f"{name[0].upper()}{name[1:]} by epoch"
    return figure(title, caption, reading, draw, full=len(best) > 3)


def _domain(rows: pd.DataFrame, measure: str, lower: bool) -> list[float]:
    """The range of the shared axis; of errors the first, large ones are left outside."""
    curves = rows.groupby(MODEL)[measure]
    highest = curves.quantile(CLIP).max() if lower else rows[measure].max()
    return [float(rows[measure].min()), float(highest)]


def _curve(
    rows: pd.DataFrame, measure: str, best: str, lower: bool, domain: list[float] | None, cell: int
) -> Any:
    chosen = rows[rows[MODEL] == best]
    kept = chosen.loc[[chosen[measure].idxmin() if lower else chosen[measure].idxmax()]]
    kept = kept.assign(label=f"{float(kept[measure].iloc[0]):.3f}")
    if domain is None:
        scale = alt.Scale(zero=False, padding=6, nice=False)
    else:
        scale = alt.Scale(domain=domain, padding=8, nice=False, clamp=False)
    x = alt.X(
        f"{EPOCH}:Q",
        title=None,
        axis=alt.Axis(format="d", tickCount=3, tickMinStep=1, grid=False, labelFontSize=11),
        scale=alt.Scale(zero=False, nice=False),
    )
    axis = alt.Axis(tickCount=3, labelFontSize=11, format="~g")
    y = alt.Y(f"{measure}:Q", title=None, scale=scale, axis=axis)

    def line(table: pd.DataFrame, colour: str, thick: float) -> alt.Chart:
        mark = alt.Chart(table).mark_line(clip=True, color=colour, strokeWidth=thick)
        return mark.encode(x=x, y=y, detail=alt.Detail(f"{MODEL}:N"))

    last = alt.Chart(kept).encode(x=x, y=y)
    layers = [line(rows[rows[MODEL] != best], GHOST, 1.2), line(chosen, CHOSEN, 2)]
    if domain is not None:
        layers += [last.mark_point(size=55, color=INK, strokeWidth=1.5)]
    title = alt.TitleParams(
        text=best,
        subtitle=f"best {kept['label'].iloc[0]}, epoch {int(kept[EPOCH].iloc[0])}"
        if domain is not None
        else "",
        subtitleColor=QUIET,
        fontSize=11,
        subtitleFontSize=11,
        limit=cell + 45,
    )
    return alt.layer(*layers).properties(width=cell, height=110, title=title)
