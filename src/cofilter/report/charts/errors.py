"""Charts of where a model errs: by band, by predicted rating, by how much it knows of a user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cofilter.evaluation.leaderboard import FAMILY
from cofilter.evaluation.plots import MODEL
from cofilter.report.charts.labels import spread
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
    unseeded,
)

BY = {
    "activity": "how many ratings a user has in train",
    "popularity": "how many ratings an item has in train",
}
NDCG, RMSE = "ndcg", "rmse"
PLOT_PX, LABEL_PX = 300, 15
NAMED = 6  # lines in colour; more could not be told apart


def bands(table: pd.DataFrame, models: Sequence[str]) -> Iterator[Figure]:
    """Errors and recall of ``models`` by activity and by popularity, as tables of tinted cells."""
    if table.empty:
        return
    table = table[table[MODEL].isin(models)]
    table = table.assign(**{MODEL: unseeded(table[MODEL])})
    for by, rows in table.groupby("by", sort=False):
        for measure, name in ((RMSE, "RMSE"), ("recall", "Recall")):
            measured = rows.dropna(subset=[measure])
            if len(measured):
                yield _bands(measured, str(by), measure, name)


def _bands(rows: pd.DataFrame, by: str, measure: str, name: str) -> Figure:
    lower = measure == RMSE
    order = rows.groupby(MODEL)[measure].mean().sort_values(ascending=lower).index.tolist()
    rows = rows.assign(value=rows[measure].map("{:.2f}".format))
    span = float(np.ptp(rows[measure])) or 1.0
    share = (rows[measure] - rows[measure].min()) / span
    rows["dark"] = share > 0.62
    labels = rows.sort_values("order")["band"].drop_duplicates().tolist()
    n_rows = rows.groupby("band")["rows"].max().reindex(labels)
    caption = (
        f"By {BY.get(by, by)}, of each kind the point that validation prefers. Darker: higher."
    )
    counted = ", ".join(f"{band}: {n:,.0f}" for band, n in n_rows.items())
    reading = f"Test rows by band: {counted}."

    def draw(width: int) -> alt.LayerChart:
        axis = alt.Axis(labelLimit=170, labelFontSize=11, grid=False)
        angle = 0 if width > PHONE else -90  # a phone's columns are narrower than their labels
        above = alt.Axis(orient="top", labelAngle=angle, labelOverlap=False, labelFontSize=11)
        x = alt.X("band:N", sort=labels, title=None, axis=above)
        y = alt.Y(f"{MODEL}:N", sort=order, title=None, axis=axis)
        base = alt.Chart(rows).encode(x=x, y=y)
        scale = alt.Scale(range=["#eef6f8", "#0b5563"])
        tint = alt.Color(f"{measure}:Q", scale=scale, legend=None)
        ink = alt.ColorValue(**alt.condition(alt.datum.dark, alt.value("#ffffff"), alt.value(INK)))
        cells = base.mark_rect(stroke="#ffffff", strokeWidth=2).encode(color=tint)
        text = base.mark_text(fontSize=11).encode(text=alt.Text("value:N"), color=ink)
        return fitted((cells + text).properties(height={"step": 22}), width)

    caption += " " + reading
    return figure(f"{name} by {by}", caption, reading, draw)


def calibration(table: pd.DataFrame, models: Sequence[str]) -> Iterator[Figure]:
    """Observed against predicted ratings, a small chart a model."""
    if table.empty:
        return
    rows = table[table[MODEL].isin(models)].dropna(subset=["predicted", "observed"])
    if rows.empty:
        return
    rows = rows.assign(**{MODEL: unseeded(rows[MODEL])})
    order = rows[MODEL].drop_duplicates().tolist()
    ends = rows[["predicted", "observed"]]
    domain = [float(ends.to_numpy().min()), float(ends.to_numpy().max())]
    off = (rows["predicted"] - rows["observed"]).abs() * rows["rows"]
    error = off.groupby(rows[MODEL]).sum() / rows.groupby(MODEL)["rows"].sum()
    readings = ", ".join(f"{name} {error[name]:.2f}" for name in order)
    reading = f"Mean distance from the line, by rows: {readings}."

    def draw(width: int) -> Any:
        per_row = {FULL: 6, PHONE: 2}.get(width, 3)
        cell = width // per_row - (36 if width > PHONE else 42)
        cells = [_calibration(rows[rows[MODEL] == name], name, error[name], domain, cell)
                 for name in order]  # fmt: skip
        return alt.concat(*cells, columns=per_row, spacing={"row": 14, "column": 10})

    caption = (
        "Test rows grouped by what the model predicts: mean prediction across, mean rating up; "
        "larger dots hold more rows. On the line a prediction means what it says; below it, it "
        "promises too much."
    )
    title = "Calibration of predicted ratings"
    yield figure(title, caption, reading, draw, full=len(order) > 3)


def _calibration(
    rows: pd.DataFrame, name: str, error: float, domain: list[float], cell: int
) -> alt.LayerChart:
    scale = alt.Scale(domain=domain, padding=8, nice=False)
    axis = alt.Axis(tickCount=4, labelFontSize=11, format="~g")
    x = alt.X("predicted:Q", title=None, scale=scale, axis=axis)
    y = alt.Y("observed:Q", title=None, scale=scale, axis=axis)
    line = alt.Chart(pd.DataFrame({"predicted": domain, "observed": domain})).mark_line(
        color=GHOST, strokeWidth=1.5
    )
    base = alt.Chart(rows).encode(x=x, y=y)
    size = alt.Size("rows:Q", scale=alt.Scale(range=[12, 110]), legend=None)
    title = alt.TitleParams(
        text=name,
        subtitle=f"off by {error:.2f}",
        subtitleColor=QUIET,
        fontSize=11,
        subtitleFontSize=11,
        limit=cell + 40,
    )
    chart: alt.LayerChart = (
        line.encode(x=x, y=y)
        + base.mark_line(color=CHOSEN, strokeWidth=1.5)
        + base.mark_circle(color=CHOSEN, opacity=0.9).encode(size=size)
    )
    return chart.properties(width=cell, height=110, title=title)


def cold_start(table: pd.DataFrame, models: Sequence[str], primary: str) -> Iterator[Figure]:
    """RMSE and NDCG against how many ratings of a new user are revealed."""
    if table.empty:
        return
    table = table[table[MODEL].isin(models)]
    table = table.assign(**{MODEL: unseeded(table[MODEL])})
    _, _, k = primary.partition("@")
    for measure, name in ((NDCG, f"NDCG@{k}" if k else "NDCG"), (RMSE, "RMSE")):
        rows = table.dropna(subset=[measure]) if measure in table else table.iloc[:0]
        if len(rows):
            yield _cold_start(rows, measure, name)


def _cold_start(rows: pd.DataFrame, measure: str, name: str) -> Figure:
    lower = measure == RMSE
    steps = sorted(rows["revealed"].unique().tolist())
    rows = rows.assign(step=rows["revealed"].map({value: at for at, value in enumerate(steps)}))
    last = rows.sort_values("revealed").groupby(MODEL, sort=False, as_index=False).last()
    last = last.sort_values(measure, ascending=lower, kind="stable").head(NAMED)
    best = last.iloc[0]
    reading = (
        f"With {steps[-1]} ratings revealed the best is {best[MODEL]} at {best[measure]:.3f}; "
        f"{int(best['users'])} users."
    )
    shown = rows[rows[MODEL].isin(last[MODEL])]
    others = rows[~rows[MODEL].isin(last[MODEL])]
    ends = [f"{measure}_low", f"{measure}_high"]
    banded = shown[shown[MODEL] == best[MODEL]] if set(ends) <= set(rows.columns) else None
    seen = [shown[measure], others[measure]] + ([] if banded is None else [banded[e] for e in ends])
    values: pd.Series = pd.concat(seen).dropna()
    extent = float(np.ptp(values)) or 1.0
    last = last.assign(label=spread(last[measure].to_numpy(), extent * LABEL_PX / PLOT_PX))
    low, high = float(values.min()), float(values.max())
    domain = [min(low, float(last["label"].min())), max(high, float(last["label"].max()))]

    def draw(width: int) -> alt.LayerChart:
        colours, shapes = family_scales(sorted(shown[FAMILY].unique()))
        room = len(steps) * (0.45 if width > PHONE else 0.8)
        labels = ", ".join(f"'{value}'" for value in steps)
        axis = alt.Axis(
            values=list(range(len(steps))), labelExpr=f"[{labels}][datum.value]", grid=False
        )
        x_scale = alt.Scale(domain=[0, len(steps) - 1 + room], nice=False)
        x = alt.X("step:Q", title="revealed ratings of the user", scale=x_scale, axis=axis)

        def y(column: str) -> alt.Y:
            scale = alt.Scale(domain=domain, padding=10, nice=False, zero=False)
            return alt.Y(f"{column}:Q", title=name, scale=scale)

        colour = alt.Color(f"{FAMILY}:N", scale=colours, legend=None)
        base = alt.Chart(shown).encode(
            x=x, y=y(measure), color=colour, detail=alt.Detail(f"{MODEL}:N")
        )
        behind = alt.Chart(others).mark_line(color=GHOST, strokeWidth=1.2)
        layers = [
            behind.encode(x=x, y=y(measure), detail=alt.Detail(f"{MODEL}:N")),
            base.mark_line(strokeWidth=2),
            base.mark_point(filled=True, opacity=1, size=45).encode(
                shape=alt.Shape(f"{FAMILY}:N", scale=shapes, legend=None)
            ),
            alt.Chart(last)
            .mark_text(align="left", dx=8, fontSize=11)
            .encode(x=x, y=y("label"), text=alt.Text(f"{MODEL}:N"), color=colour),
        ]
        if banded is not None:
            band = alt.Chart(banded).mark_area(opacity=0.15, color=QUIET)
            layers.insert(0, band.encode(x=x, y=y(ends[0]), y2=alt.Y2(f"{ends[1]}:Q")))
        return fitted(alt.layer(*layers).properties(height=PLOT_PX), width)

    caption = (
        f"{'Lower' if lower else 'Higher'} is better. New users are folded in with their first "
        f"ratings and judged on the rest. Named: the best {len(last)} in the end; grey: the other "
        "kinds' best points."
    )
    caption += f" Shaded: the 95 % interval of {best[MODEL]}." if banded is not None else ""
    return figure(f"Cold start: {name}", caption, reading, draw)
