"""How every chart looks, and a chart as SVG text: no script, font or network needed to show it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import pandas as pd
import vl_convert
from markupsafe import escape

PHONE, HALF, FULL = 340, 560, 1160  # widths in px: a phone's page, half a desktop's, all of it
FONT = "Helvetica, Arial, sans-serif"
INK, QUIET, GRID, GHOST = "#1f2933", "#5c6b7a", "#e4e9ef", "#c5ced8"
CHOSEN, WARNING = "#0b7285", "#b34700"
# Okabe and Ito's colours, told apart with every common kind of colour vision; darker where a thin
# line of theirs would be too faint on white. Shapes say the same again.
FAMILIES = {
    "baseline": ("#5c6b7a", "cross"),
    "knn": ("#0072b2", "circle"),
    "mf": ("#d55e00", "square"),
    "als": ("#008060", "triangle-up"),
    "bayes": ("#c05a93", "diamond"),
    "bpr": ("#2f8fc4", "triangle-down"),
    "ease": ("#b07a00", "triangle-right"),
    "ncf": ("#332288", "triangle-left"),
    "ensemble": ("#1f2933", "stroke"),
}
LOOK = alt.Config(
    font=FONT,
    background="transparent",
    padding=4,
    aria=False,
    axis=alt.AxisConfig(
        labelColor=INK,
        titleColor=INK,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
        gridColor=GRID,
        domain=False,
        ticks=False,
        labelPadding=6,
    ),
    axisY=alt.AxisConfig(grid=True),
    legend=alt.LegendConfig(
        labelFontSize=12, labelColor=INK, titleFontSize=12, titleFontWeight="normal"
    ),
    header=alt.HeaderConfig(labelFontSize=12, labelColor=INK, titleColor=INK),
    title=alt.TitleConfig(fontSize=12, fontWeight="normal", color=INK, anchor="start"),
    view=alt.ViewConfig(stroke=None),
    text=alt.MarkConfig(fontSize=12),
).to_dict()


@dataclass(frozen=True)
class Figure:
    """One chart for a desktop (``wide``) and for a phone (``narrow``).

    Attributes
    ----------
    title, caption:
        The heading, and a sentence on how to read the chart.
    reading:
        What the chart shows, in words, for those who do not see it.
    full:
        Whether it takes the page's whole width on a desktop.
    svg:
        ``wide`` and ``narrow``.
    """

    title: str
    caption: str
    reading: str
    full: bool
    svg: dict[str, str]

    @property
    def slug(self) -> str:
        """The title as a name for files, links and tracked runs."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def html(self) -> str:
        """The wide chart with its words as a piece of HTML that needs nothing else."""
        words = f"<h3>{escape(self.title)}</h3>", f"<p>{escape(self.caption)}</p>"
        return f"<figure>{words[0]}{self.svg['wide']}{words[1]}</figure>"


def figure(
    title: str, caption: str, reading: str, draw: Callable[[int], Any], *, full: bool = False
) -> Figure:
    """Draw a chart at both widths; ``draw`` makes it for a width in px."""
    widths = {"wide": FULL if full else HALF, "narrow": PHONE}
    drawn = {name: _svg(draw(width)) for name, width in widths.items()}
    bare = Figure(title, caption, reading, full, drawn)
    return replace(
        bare, svg={name: _with_own_ids(svg, f"{bare.slug}-{name}") for name, svg in drawn.items()}
    )


def fitted(chart: Any, width: int) -> Any:
    """``chart`` in ``width`` px with its axes and labels; not for grids of charts."""
    return chart.properties(
        width=width, autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    )


def family_scales(families: Sequence[str]) -> tuple[alt.Scale, alt.Scale]:
    """Colours and shapes of these families, the same in every chart."""
    known = [FAMILIES.get(name, FAMILIES["ensemble"]) for name in families]
    names = list(families)
    return (
        alt.Scale(domain=names, range=[colour for colour, _ in known]),
        alt.Scale(domain=names, range=[shape for _, shape in known]),
    )


def heading(metric: str) -> str:
    """A metric's name as prose writes it: NDCG@10, RMSE, recall@10."""
    name, at, k = metric.partition("@")
    return (name.upper() if name in ("rmse", "mae", "ndcg", "map", "mrr") else name) + at + k


def unseeded(models: pd.Series) -> pd.Series:
    """Names of models without their seed, when all that have one have the same."""
    seeds = models.str.extract(r"-(seed\d+)$")[0].dropna().unique()
    return models.str.replace(r"-seed\d+$", "", regex=True) if len(seeds) == 1 else models


def _svg(chart: Any) -> str:
    # The look is laid over the specification: `chart.configure` would copy every chart inside.
    # Vega-Lite refuses what is wrong; checking against its schema takes as long as drawing.
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.vegalite_to_svg(
        chart.to_dict(validate=False) | {"config": LOOK}, vl_version=version
    )


def _with_own_ids(svg: str, prefix: str) -> str:
    """``svg`` with ids that no other chart of a page has; the drawing library counts on forever."""
    ids = dict.fromkeys(re.findall(r' id="([^"]+)"', svg))
    for at, old in enumerate(ids):
        new = f"{prefix}-{at}"
        svg = svg.replace(f' id="{old}"', f' id="{new}"').replace(f"url(#{old})", f"url(#{new})")
    return svg
