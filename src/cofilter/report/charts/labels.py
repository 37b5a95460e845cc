"""Names beside lines and points, placed so that they do not cover each other."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

LETTER_PX, LINE_PX, MARK_PX = 5.9, 13.0, 6.0  # a letter's width, a line's height, a mark's radius
SIDE = "side"
# Where a name may stand, the most natural first: alignment, and the shift from the point in px.
_SIDES: dict[str, tuple[Literal["left", "center", "right"], int, int]] = {
    "right": ("left", 9, 0),
    "left": ("right", -9, 0),
    "above": ("center", 0, -13),
    "below": ("center", 0, 13),
}


def spread(values: np.ndarray, gap: float) -> np.ndarray:
    """Positions of labels near ``values``, float64[n], at least ``gap`` apart, in the same order.

    Labels that would overlap stand around the mean of their values (pool of adjacent violators),
    so that none wanders farther off than it must.
    """
    order = np.argsort(values, kind="stable")
    blocks: list[tuple[float, int]] = []  # mean of value − gap · rank, and how many
    for rank, at in enumerate(order):
        mean, n = float(values[at]) - rank * gap, 1
        while blocks and blocks[-1][0] > mean:
            before, m = blocks.pop()
            mean, n = (mean * n + before * m) / (n + m), n + m
        blocks.append((mean, n))
    starts = np.repeat([mean for mean, _ in blocks], [n for _, n in blocks])
    result = np.empty(len(values))
    result[order] = starts + gap * np.arange(len(values))
    return result


def sides(at: np.ndarray, names: list[str], width: float) -> list[str]:
    """On which side of its point each name fits: a key of the four sides, or "" for nowhere.

    Parameters
    ----------
    at:
        float64[n, 2]: places of the points in px, the most important first; each name must keep
        clear of all points and of the names before it, and stay within 0 … ``width``.
    """
    taken = [(x - MARK_PX, x + MARK_PX, y - MARK_PX, y + MARK_PX) for x, y in at]
    found = []
    for (x, y), name in zip(at, names, strict=True):
        found.append("")
        for side in _SIDES:
            box = _box(float(x), float(y), len(name) * LETTER_PX, side)
            if box[0] >= 0 and box[1] <= width and not any(_meet(box, other) for other in taken):
                found[-1] = side
                taken.append(box)
                break
    return found


def names(rows: pd.DataFrame, name: str, **encoding: Any) -> list[alt.Chart]:
    """Layers of text beside points; ``rows`` has the column ``side`` that `sides` gives."""
    layers = []
    for side, (align, dx, dy) in _SIDES.items():
        some = rows[rows[SIDE] == side]
        if len(some):
            mark = alt.Chart(some).mark_text(align=align, dx=dx, dy=dy, fontSize=11)
            layers.append(mark.encode(text=alt.Text(f"{name}:N"), **encoding))
    return layers


def pixels(values: pd.Series, length: float) -> np.ndarray:
    """Places of ``values`` on an axis of ``length`` px, the smallest at 0."""
    extent = float(np.ptp(values)) or 1.0
    return (values.to_numpy(np.float64) - float(values.min())) / extent * length


def _box(x: float, y: float, length: float, side: str) -> tuple[float, float, float, float]:
    align, dx, dy = _SIDES[side]
    left = x + dx - {"left": 0.0, "center": length / 2, "right": length}[align]
    return left, left + length, y + dy - LINE_PX / 2, y + dy + LINE_PX / 2


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
