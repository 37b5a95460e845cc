from __future__ import annotations

from xml.etree import ElementTree

import altair as alt
import pandas as pd

from cofilter.report.charts.style import (
    FAMILIES,
    FULL,
    HALF,
    PHONE,
    family_scales,
    figure,
    fitted,
    heading,
    unseeded,
)

ROWS = pd.DataFrame({"x": [1, 2], "y": [3, 4]})


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_figure_is_drawn_at_a_desktops_and_a_phones_width() -> None:
    def draw(width: int) -> alt.Chart:
        return fitted(alt.Chart(ROWS).mark_point().encode(x="x", y="y"), width)

    for full, wide in ((False, HALF), (True, FULL)):
        drawn = figure("A & B@10", "caption", "reading", draw, full=full)
        widths = [
            float(ElementTree.fromstring(drawn.svg[name]).attrib["width"])
            for name in ("wide", "narrow")
        ]
        assert widths == [wide, PHONE]
        assert drawn.slug == "a-b-10"
        assert "<h3>A &amp; B@10</h3>" in drawn.html()


def test_families_are_told_apart_by_shape_and_stand_out_from_white() -> None:
    shapes = [shape for _, shape in FAMILIES.values()]
    assert len(set(shapes)) == len(shapes)
    for colour, _ in FAMILIES.values():
        assert 1.05 / (luminance(colour) + 0.05) >= 3  # WCAG's contrast for graphics
    colours, _ = family_scales(["mf", "unheard of"])
    assert colours.to_dict()["range"][0] == FAMILIES["mf"][0]


def test_headings_and_names() -> None:
    assert [heading(name) for name in ("ndcg@10", "rmse", "recall@5")] == [
        "NDCG@10",
        "RMSE",
        "recall@5",
    ]
    one = pd.Series(["mf/dim5-seed0", "knn/item"])
    assert unseeded(one).tolist() == ["mf/dim5", "knn/item"]
    two = pd.Series(["mf/dim5-seed0", "mf/dim5-seed1"])
    assert unseeded(two).tolist() == two.tolist()
