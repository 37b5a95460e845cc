"""Charts of items: what is recommended, which items are alike, where factors place them."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from cofilter.core.columns import TITLE
from cofilter.evaluation.item_map import (
    ORDER,
    OTHER_TITLE,
    RATINGS,
    SHARE,
    SIMILARITY,
    X,
    Y,
)
from cofilter.evaluation.leaderboard import FAMILY, column
from cofilter.evaluation.plots import MODEL
from cofilter.metrics.beyond import CONSUMED
from cofilter.report.charts.labels import SIDE, names, pixels, sides
from cofilter.report.charts.style import (
    CHOSEN,
    GHOST,
    INK,
    PHONE,
    Figure,
    family_scales,
    figure,
    fitted,
    heading,
    unseeded,
)

PLOT_PX = 420
NAMES = {"half": 22, "phone": 9}  # how many titles at most
TITLE_LETTERS = 26


def beyond_accuracy(board: pd.DataFrame, models: list[str], primary: str) -> Iterator[Figure]:
    """The primary metric against coverage and against popularity, where those are measured."""
    rows = board[board[MODEL].isin(models)]
    _, _, k = primary.partition("@")
    measures = {
        "coverage": ("Coverage of the catalogue", "share of the items that anybody is recommended"),
        "diversity": ("Diversity of a list", "mean distance of two items of a list"),
        "gini": ("Concentration of what is recommended", "Gini index: 0 all alike, 1 one item"),
        "novelty": (
            "Novelty of what is recommended",
            "mean −log₂ share of the users who rated an item",
        ),
        "popularity": (
            "Popularity of what is recommended",
            "mean share of the users who rated an item",
        ),
    }
    for measure, (title, meaning) in measures.items():
        name = next((c for c in _candidates(measure, k) if c in rows.columns), None)
        if name is None:
            continue
        scored = rows.dropna(subset=[name, column("warm", primary)])
        if len(scored):
            consumed = _consumed(scored) if measure == "popularity" else None
            yield _against(scored, name, title, meaning, primary, consumed)


def _candidates(measure: str, k: str) -> list[str]:
    return [
        column(scope, name) for scope in ("warm", "all") for name in (f"{measure}@{k}", measure)
    ]


def _consumed(rows: pd.DataFrame) -> float | None:
    """How popular what users rated themselves is, the same for every model."""
    consumed = column("warm", CONSUMED)
    known = rows[consumed].dropna() if consumed in rows else rows.iloc[:0, 0]
    return float(known.iloc[0]) if len(known) else None


def _against(
    rows: pd.DataFrame, name: str, title: str, meaning: str, primary: str, mark: float | None
) -> Figure:
    """The primary metric over ``name``; ``mark`` is where users' own histories stand."""
    warm = column("warm", primary)
    rows = rows[[MODEL, FAMILY, name, warm]].assign(**{MODEL: unseeded(rows[MODEL])})
    by_size = rows.sort_values(name, kind="stable")
    first, last = by_size.iloc[0], by_size.iloc[-1]
    reading = (
        f"Lowest {first[name]:.3g} by {first[MODEL]}, highest {last[name]:.3g} by {last[MODEL]}."
    )

    def draw(width: int) -> alt.LayerChart:
        plot = width - 95  # px, without the axis
        at = np.stack([pixels(rows[name], plot) + 10, -pixels(rows[warm], 290)], axis=1)
        spots = rows.assign(**{SIDE: sides(at, rows[MODEL].tolist(), plot + 20)})
        colours, shapes = family_scales(sorted(rows[FAMILY].unique()))
        scale = alt.Scale(zero=False, padding=12, nice=False)
        x = alt.X(f"{name}:Q", title=meaning, scale=scale, axis=alt.Axis(tickCount=5))
        y = alt.Y(f"{warm}:Q", title=f"{heading(primary)}, warm", scale=scale)
        points = alt.Chart(spots).mark_point(filled=True, opacity=1, size=75)
        points = points.encode(
            x=x,
            y=y,
            color=alt.Color(f"{FAMILY}:N", scale=colours, legend=None),
            shape=alt.Shape(f"{FAMILY}:N", scale=shapes, legend=None),
        )
        layers = [points, *names(spots, MODEL, x=x, y=y)]
        if mark is not None:
            own = alt.Chart(pd.DataFrame({name: [mark]})).mark_rule(color=INK, strokeDash=[4, 3])
            layers.insert(0, own.encode(x=x))
        return fitted(alt.layer(*layers).properties(height=320), width)

    caption = "Of each kind the point that validation prefers; names that would cover others are "
    caption += "left out."
    if mark is not None:
        caption += f" Dashed: what the same users rated themselves ({mark:.3f})."
    return figure(title, caption, reading, draw)


def item_maps(similarity: pd.DataFrame, factors: pd.DataFrame) -> Iterator[Figure]:
    """Which much-rated items are alike, and where a model's factors place them."""
    if len(similarity):
        yield _similarity(similarity)
    if len(factors):
        yield _factors(factors)


def _similarity(table: pd.DataFrame) -> Figure:
    titles = table.drop_duplicates(ORDER).sort_values(ORDER)[TITLE].astype(str).map(_short)
    rows = table.dropna(subset=[SIMILARITY]).assign(
        row=table[TITLE].astype(str).map(_short), col=table[OTHER_TITLE].astype(str).map(_short)
    )
    closest = rows.sort_values(SIMILARITY, kind="stable").iloc[-1]
    largest = float(rows[SIMILARITY].abs().max()) or 1.0
    model = str(table[MODEL].iloc[0])
    reading = (
        f"Closest pair: {closest[TITLE]} and {closest[OTHER_TITLE]}, {closest[SIMILARITY]:.2f}."
    )

    def draw(width: int) -> alt.Chart:
        letters = 150 if width > PHONE else 105
        order = titles.tolist()
        x = alt.X(
            "col:N", sort=order, title=None, axis=alt.Axis(labelAngle=-60, labelLimit=letters)
        )
        y = alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=letters))
        scale = alt.Scale(scheme="blueorange", domain=[-largest, largest], reverse=True)
        legend = alt.Legend(orient="top", title=None, gradientLength=160, format=".1f")
        chart = alt.Chart(rows).mark_rect(stroke="#ffffff", strokeWidth=1)
        chart = chart.encode(
            x=x, y=y, color=alt.Color(f"{SIMILARITY}:Q", scale=scale, legend=legend)
        )
        size = 11 if width > PHONE else 9
        return fitted(
            chart.properties(height={"step": 17 if width > PHONE else 12}).configure_axis(
                labelFontSize=size, grid=False, domain=False, ticks=False, labelColor=INK
            ),
            width,
        )

    caption = (
        f"The most rated items by the similarity of {model}, alike ones beside each other; "
        "blue: rated alike, orange: unlike."
    )
    return figure("Items rated alike", caption, reading, draw)


def _short(title: str) -> str:
    """A title without its year, cut to a length that fits an axis."""
    name = title.rsplit(" (", 1)[0]
    return name if len(name) <= TITLE_LETTERS else name[: TITLE_LETTERS - 1].rstrip() + "…"


def _factors(table: pd.DataFrame) -> Figure:
    model = str(table[MODEL].iloc[0])
    rows = table.sort_values(RATINGS, ascending=False, kind="stable").reset_index(drop=True)
    rows = rows.assign(short=rows[TITLE].astype(str).map(_short))
    across = rows.sort_values(X, kind="stable")
    left, right = across.iloc[0], across.iloc[-1]
    reading = f"From {left[TITLE]} on the left to {right[TITLE]} on the right."

    def draw(width: int) -> alt.LayerChart:
        most = NAMES["half" if width > PHONE else "phone"]
        named = rows.loc[_apart(rows, most, width)]
        x = alt.X(
            f"{X}:Q", title="first principal component", axis=alt.Axis(labels=False, grid=False)
        )
        y = alt.Y(f"{Y}:Q", title="second", axis=alt.Axis(labels=False, grid=False))
        size = alt.Size(f"{RATINGS}:Q", scale=alt.Scale(range=[8, 130]), legend=None)
        cloud = alt.Chart(rows).mark_circle(color=GHOST, opacity=0.8).encode(x=x, y=y, size=size)
        marked = alt.Chart(named).mark_circle(color=CHOSEN, opacity=1).encode(x=x, y=y, size=size)
        text = (
            alt.Chart(named)
            .mark_text(dy=-10, fontSize=11, stroke="#ffffff", strokeWidth=3, strokeJoin="round")
            .encode(x=x, y=y, text=alt.Text("short:N"))
        )
        over = alt.Chart(named).mark_text(dy=-10, fontSize=11, color=INK)
        over = over.encode(x=x, y=y, text=alt.Text("short:N"))
        return fitted((cloud + marked + text + over).properties(height=PLOT_PX), width)

    caption = (
        f"The {len(rows)} most rated items in the plane of the first two principal components of "
        f"the factors of {model}, which hold {float(table[SHARE].iloc[0]):.0%} of their variance; "
        "larger dots have more ratings. Directions have no names: neighbours are items that the "
        "model takes for alike."
    )
    return figure("Items by their factors", caption, reading, draw)


def _apart(rows: pd.DataFrame, most: int, width: int) -> list[int]:
    """Rows, the most rated first, whose names do not cover each other."""
    at = np.stack([pixels(rows[X], width - 60), pixels(rows[Y], PLOT_PX)], axis=1)
    chosen: list[int] = []
    for row, (left, height) in enumerate(at):
        wide = 3.1 * len(rows["short"].iloc[row]) + 4
        inside = wide - 30 <= left <= width - 30 - wide
        clear = all(
            abs(height - at[other][1]) > 16
            or abs(left - at[other][0]) > wide + 3.1 * len(rows["short"].iloc[other]) + 4
            for other in chosen
        )
        if inside and clear:
            chosen.append(row)
        if len(chosen) == most:
            break
    return chosen
