"""The shipped model's lists re-ranked, as rows under the leaderboard."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import DIFFERENCE, HIGH, LOW
from cofilter.evaluation.plots import MODEL
from cofilter.evaluation.reranking import KIND, STRENGTH
from cofilter.metrics.beyond import MISCALIBRATION

MEASURES = ("coverage", "gini", "popularity", "diversity", MISCALIBRATION)
NO_SAY = "Shown, not chosen: no backtest, no part in ranks, tests or the choice of what ships."


def reranked_rows(table: pd.DataFrame, config: EvaluateConfig) -> list[dict[str, str]]:
    """The model's own list and one strength of each kind; texts by heading, "" where absent.

    ``model`` names a re-ranked list by kind and strength: ``ease/rating+mmr0.5``.
    """
    if table.empty:
        return []
    k, listed = config.list_length, config.reranking.listed
    rows = table.to_dict("records")
    own, *_ = rows
    chosen = [row for row in rows if listed.get(row[KIND]) == row[STRENGTH]]
    return [_row(own, str(own[MODEL]), k)] + [
        _row(row, f"{row[MODEL]}+{row[KIND]}{row[STRENGTH]:g}", k) for row in chosen
    ]


def _row(row: dict[Any, Any], model: str, k: int) -> dict[str, str]:
    ndcg, moved = f"ndcg@{k}", row[STRENGTH] > 0
    cells = {
        "model": model,
        ndcg: _figure(row[ndcg]) + _interval(row, ndcg),
        DIFFERENCE: _figure(row[DIFFERENCE], "+") + _interval(row, DIFFERENCE) if moved else "",
    }
    return cells | {f"{name}@{k}": _figure(row[f"{name}@{k}"]) for name in MEASURES}


def _figure(value: float, sign: str = "") -> str:
    return "" if pd.isna(value) else f"{value:{sign}.4f}"


def _interval(row: dict[Any, Any], name: str) -> str:
    low, high = row[f"{name}_{LOW}"], row[f"{name}_{HIGH}"]
    return "" if pd.isna(low) else f" [{low:.3f}, {high:.3f}]"
