"""The report's charts as SVG text: no script, no font and no network needed to show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from cofilter.evaluation.leaderboard import FAMILY, SELECTED, column
from cofilter.evaluation.plots import DIM, EPOCH, LOSS, MODEL, PHASE

WIDTHS = {"wide": 540, "narrow": 340}  # of the plot in px: for a desktop and for a phone
FONT = "Helvetica, Arial, sans-serif"
INK, QUIET, GRID = "#1f2933", "#9fb3c8", "#e4e9ef"
CHOSEN = "#0b7285"
LOG = alt.Scale(type="log", nice=False, padding=8)  # the first epochs would flatten the rest
_ONE_FAMILY = alt.condition(alt.datum[SELECTED], alt.value(CHOSEN), alt.value(QUIET))


@dataclass(frozen=True)
class Figure:
    """One chart at each of `WIDTHS`, with its heading and a sentence on how to read it."""

    title: str
    caption: str
    svg: dict[str, str]


def figures(bars: pd.DataFrame, curves: pd.DataFrame, by_dim: pd.DataFrame) -> Iterator[Figure]:
    """Charts of the tables that `cofilter.evaluation.plots` makes; none for an empty table."""
    ranked = bars.dropna(subset=["warm"])
    if len(ranked):
        metric = str(ranked["metric"].iloc[0])
        caption = (
            "Bars: warm users and items. Ticks: all rows, cold users and items included. "
            "The model to ship is dark."
        )
        yield _figure(f"{metric} on test", caption, _bars(ranked, metric))
    rated = bars.dropna(subset=[column("warm", "rmse")])
    if len(rated):
        caption = "Lower is better. Filled: warm users and items. Hollow: all rows."
        yield _figure("RMSE on test", caption, _errors(rated))
    if len(by_dim):
        caption = "Warm rows; one line for each kind of factor model."
        yield _figure("RMSE against the length of the factors", caption, _by_dim(by_dim))
    for family, rows in curves.groupby(FAMILY):
        yield from _curves(str(family), rows)


def _curves(family: str, rows: pd.DataFrame) -> Iterator[Figure]:
    fitted = rows[rows[PHASE] == "fit"]
    fitted = fitted.assign(**{MODEL: fitted[MODEL].str.removeprefix(f"{family}/")})
    if "rmse" in fitted and fitted["rmse"].notna().any():
        yield _figure(
            f"Validation RMSE by epoch: {family}",
            "The first fit, on train; early stopping keeps the lowest point of each line.",
            _lines(fitted.dropna(subset=["rmse"]), EPOCH, "rmse", "validation RMSE", LOG),
        )
    if LOSS in fitted and fitted[LOSS].notna().any():
        yield _figure(
            f"Training loss by epoch: {family}",
            "The first fit, on train.",
            _lines(fitted.dropna(subset=[LOSS]), EPOCH, LOSS, "training loss", LOG),
        )


def _bars(rows: pd.DataFrame, metric: str) -> alt.LayerChart:
    order = rows[MODEL].tolist()
    base = alt.Chart(rows).encode(y=_models(order))
    highest = float(rows[["warm", "all"]].to_numpy().max()) or 1.0
    scale = alt.Scale(domain=[0, highest * 1.18])  # room for the figures at the bars' ends
    warm = alt.X("warm:Q", title=metric, scale=scale, axis=alt.Axis(tickCount=4, labelFlush=False))
    ends = base.transform_calculate(end="max(datum.warm, datum.all)")
    return (
        base.mark_bar(height={"band": 0.72}).encode(x=warm, color=_ONE_FAMILY)
        + base.mark_tick(color=INK, thickness=2, height={"band": 0.72}).encode(x="all:Q")
        + ends.mark_text(align="left", dx=6, color=INK).encode(
            x="end:Q", text=alt.Text("warm:Q", format=".3f")
        )
    )


def _errors(rows: pd.DataFrame) -> alt.LayerChart:
    warm, everything = column("warm", "rmse"), column("all", "rmse")
    order = rows.sort_values(warm, kind="stable")[MODEL].tolist()
    base = alt.Chart(rows).encode(y=_models(order))
    scale = alt.Scale(zero=False, padding=16)
    return (
        base.mark_rule(color=QUIET).encode(x=f"{warm}:Q", x2=f"{everything}:Q")
        + base.mark_point(size=60, color=INK).encode(x=f"{everything}:Q")
        + base.mark_circle(size=90, opacity=1).encode(
            x=alt.X(
                f"{warm}:Q", title="RMSE", scale=scale, axis=alt.Axis(tickCount=4, labelFlush=False)
            ),
            color=_ONE_FAMILY,
        )
    )


def _by_dim(rows: pd.DataFrame) -> alt.Chart:
    warm = column("warm", "rmse")
    named = rows.dropna(subset=[warm]).astype({DIM: "int64"})
    chart = _lines(named, DIM, warm, "RMSE, warm rows", alt.Scale(zero=False))
    ticks = alt.Axis(values=sorted(set(named[DIM].tolist())), format="d")
    return chart.encode(x=alt.X(f"{DIM}:Q", axis=ticks, scale=alt.Scale(type="log")))


def _lines(rows: pd.DataFrame, x: str, y: str, title: str, scale: alt.Scale) -> alt.Chart:
    names = list(dict.fromkeys(rows[MODEL]))
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=240, symbolOpacity=1)
    return (
        alt.Chart(rows)
        .mark_line(point=alt.OverlayMarkDef(size=24), strokeWidth=2)
        .encode(
            x=alt.X(
                f"{x}:Q",
                axis=alt.Axis(tickMinStep=1, format="d", labelFlush=False),
                scale=alt.Scale(zero=False),
            ),
            y=alt.Y(f"{y}:Q", title=title, scale=scale),
            color=alt.Color(
                f"{MODEL}:N", sort=names, scale=alt.Scale(scheme="tableau10"), legend=legend
            ),
        )
    )


def _models(order: list[str]) -> alt.Y:
    return alt.Y(f"{MODEL}:N", sort=order, title=None, axis=alt.Axis(labelLimit=160))


def _figure(title: str, caption: str, chart: Any) -> Figure:
    return Figure(title, caption, {name: _svg(chart, px) for name, px in WIDTHS.items()})


def _svg(chart: Any, width: int) -> str:
    """SVG of ``chart`` fitted into ``width`` pixels, axes and labels included."""
    sized = chart.properties(
        width=width, autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    )
    styled = (
        sized.configure(font=FONT, background="transparent", padding=4)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=GRID,
            domain=False,
            ticks=False,
            labelPadding=6,
        )
        .configure_axisY(grid=True)
        .configure_legend(labelFontSize=12, labelColor=INK)
        .configure_view(stroke=None)
        .configure_text(fontSize=12)
    )
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.vegalite_to_svg(styled.to_dict(), vl_version=version)
