"""The chart of re-ranking: what each kind costs and brings as it gets stronger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import HIGH, LOW
from cofilter.evaluation.plots import MODEL
from cofilter.evaluation.reranking import KIND, STRENGTH
from cofilter.metrics.beyond import MISCALIBRATION
from cofilter.report.charts.style import CHOSEN, FULL, PHONE, WARNING, Figure, figure, heading

# Name, colour and shape of each kind.
KINDS = {
    "mmr": ("unlike items (mmr)", CHOSEN, "circle"),
    "popularity": ("fewer popular items", WARNING, "diamond"),
    "genres": ("genres as in the history", "#332288", "square"),
}
MEASURES = {
    "coverage": "Coverage: higher, more items",
    "gini": "Gini: lower, more even",
    "diversity": "Diversity within a list",
    "popularity": "Popularity of what is given",
    MISCALIBRATION: "Genres off the history",
}
HEIGHTS = {FULL: 170, PHONE: 120}  # of a small chart in px, by the width of all


def reranking(table: pd.DataFrame, config: EvaluateConfig) -> Iterator[Figure]:
    """NDCG and the measures beyond it by strength, a small chart each; none for an empty table."""
    if table.empty:
        return
    k = config.list_length
    rows = table.assign(how=table[KIND].map(lambda kind: KINDS[kind][0]))
    ndcg = f"ndcg@{k}"
    titles = {ndcg: f"{heading(ndcg)} on test, warm"}
    titles |= {
        f"{name}@{k}": title
        for name, title in MEASURES.items()
        if rows[f"{name}@{k}"].notna().any()
    }
    own = rows.iloc[0]
    reading = f"The model's own list: {heading(ndcg)} {own[ndcg]:.3f}. " + " ".join(
        _reading(str(kind), of, k) for kind, of in rows.groupby(KIND, sort=False)
    )

    def draw(width: int) -> alt.ConcatChart:
        per_row = 3 if width == FULL else 1
        cell = width // per_row - (70 if width > PHONE else 55)
        cells = [
            _cell(rows, name, title, legend=at == 0).properties(width=cell, height=HEIGHTS[width])
            for at, (name, title) in enumerate(titles.items())
        ]
        return alt.concat(*cells, columns=per_row, spacing={"row": 26, "column": 26})

    caption = (
        f"Across: the strength, from 0, the lists of {own[MODEL]} as they are, to 1, lists that "
        f"look at their aim alone. Go right until {heading(ndcg)} has lost what you can give up, "
        "and read in the other charts what that buys. The band is an interval over users; the "
        "paired difference under the leaderboard says more exactly whether there is a loss."
    )
    yield figure("Re-ranking the model to ship", caption, reading, draw, full=True)


def _reading(kind: str, rows: pd.DataFrame, k: int) -> str:
    last = rows.iloc[-1]
    return (
        f"{KINDS[kind][0].capitalize()} at {last[STRENGTH]:g}: {last[f'ndcg@{k}']:.3f}, coverage "
        f"{last[f'coverage@{k}']:.3f}, diversity {last[f'diversity@{k}']:.3f}."
    )


def _cell(rows: pd.DataFrame, name: str, title: str, *, legend: bool) -> Any:
    kinds = [KINDS[kind] for kind in rows[KIND].drop_duplicates()]
    domain = [how for how, _, _ in kinds]
    key = (
        alt.Legend(title=None, orient="top", columns=1, labelLimit=300, symbolOpacity=1)
        if legend
        else None
    )
    colour = alt.Color(
        "how:N", scale=alt.Scale(domain=domain, range=[c for _, c, _ in kinds]), legend=key
    )
    shape = alt.Shape(
        "how:N", scale=alt.Scale(domain=domain, range=[s for _, _, s in kinds]), legend=key
    )
    axis = alt.Axis(tickCount=4, labelFontSize=11, format="~g")
    x = alt.X(f"{STRENGTH}:Q", title="strength", axis=alt.Axis(tickCount=5, format="~g"))
    y = alt.Y(f"{name}:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=True))
    base = alt.Chart(rows).encode(x=x, y=y, color=colour)
    layers = [
        base.mark_line(strokeWidth=2),
        base.mark_point(filled=True, size=55, opacity=1).encode(shape=shape),
    ]
    if f"{name}_{LOW}" in rows:
        band = alt.Chart(rows).mark_area(opacity=0.1).encode(
            x=x, y=alt.Y(f"{name}_{LOW}:Q", title=None, scale=alt.Scale(zero=False)),
            y2=alt.Y2(f"{name}_{HIGH}:Q"), color=colour,
        )  # fmt: skip
        layers.insert(0, band)
    return alt.layer(*layers).properties(title=alt.TitleParams(title, fontSize=12))
