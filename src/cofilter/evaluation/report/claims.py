"""Rows of the tables on leaking procedures and on published figures."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cofilter.evaluation.charts.leak import HONEST, LEAKING, METHOD
from cofilter.evaluation.plots import MODEL


def leak_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Both procedures' errors of each method, the most flattered first."""
    if table.empty:
        return []
    ordered = table.sort_values("optimism", ascending=False, kind="stable")
    shown = [METHOD, "rows", LEAKING, HONEST, "optimism", "leaking_mae", "honest_mae"]
    return [_plain(row) for row in ordered[shown].to_dict("records")]


def claims(table: pd.DataFrame, board: pd.DataFrame) -> list[dict[str, Any]]:
    """Published figures beside ours, and beside what the leaderboard says of the same method.

    ``honest`` is the leaderboard's value of ``model`` in ``column``; None where the row names none
    or the leaderboard has no such model or figure.
    """
    if table.empty:
        return []
    by_model = board.set_index(MODEL)
    rows = []
    for row in table.to_dict("records"):
        model, name = row["model"], row["column"]
        known = model in by_model.index and name in by_model.columns
        rows.append(_plain({**row, "honest": by_model.at[model, name] if known else None}))
    return rows


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}
