"""Rows of cofilter alone: its stages, and what a rating costs as data grows."""

from __future__ import annotations

from typing import Any

from benchmarks.judging import within
from benchmarks.row import OURS, Line, Outcomes, Row, fact_of
from benchmarks.rows.parties import CSV, FACTORS, LARGE, PIPELINE, SMALL, side


def preparation() -> Row:
    """The first three stages, from a CSV file."""
    return Row(
        "preparation",
        (side(OURS, PIPELINE, "preparation", CSV),),
        within("download (local CSV) + filter + split, 20 M rows", 45, "s"),
    )


def pipeline() -> Row:
    """Every stage once, on the same rows."""
    points = {
        "knn": {"kind": ["item", "user"]},
        "mf": {"kind": ["biased"], "dim": [10, 20, 50, 100]},
        "als": {"kind": ["implicit", "explicit"], "dim": [64]},
    }
    settings = ["mf.epochs=20", "mf.patience=null", "knn.similarity=cosine"]
    few = {"settings": ["mf.epochs=2", "mf.patience=null", "als.epochs=2"]}
    return Row(
        "pipeline",
        (side(OURS, PIPELINE, "whole", CSV, points=points, settings=settings, smoke=few),),
        within("whole pipeline, 20 M ratings", 15 * 60, "min", memory_gb=6),
        runs=1,
    )


def scaling() -> Row:
    """Cost a rating at 20 M against 2 M: ten times the users, the same items."""
    told: dict[str, Any] = {"n_epochs": 3, "dim": 64, "smoke": {"dim": 8, "n_epochs": 1}}

    def judge(outcomes: Outcomes) -> list[Line]:
        lines = []
        names = {"MF": "an MF epoch", "ALS": "an explicit ALS epoch", "iALS": "an implicit one"}
        for fact, what in names.items():
            large, small = (fact_of(outcomes[name], fact) for name in (OURS, "cofilter at 2 M"))
            figures = (f"{large:,.1f} ns a rating", f"{small:,.1f} ns a rating (ours at 2 M)")
            ratio = large / small
            title = f"cost a rating of {what}, dim 64, 20 M against 2 M"
            lines.append(Line(title, "≤ 1.3 ×", *figures, ratio, ratio <= 1.3))
        return lines

    return Row(
        "scaling",
        (
            side(OURS, FACTORS, "scaling", LARGE, **told),
            side("cofilter at 2 M", FACTORS, "scaling", SMALL, **told),
        ),
        judge,
        runs=3,
    )
