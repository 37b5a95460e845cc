"""Rows of the tables on leaking procedures, published figures, pruning and reasons."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leak import OPTIMISM
from cofilter.evaluation.plots import MODEL
from cofilter.report.board import shown_metrics
from cofilter.report.published import by_claim, claims


def leak_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Both procedures' errors of each method, the most flattered first."""
    if table.empty:
        return []
    return _records(table.sort_values(OPTIMISM, ascending=False, kind="stable"))


def claim_rows(table: pd.DataFrame, board: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Published figures by claim, beside ours and what the leaderboard says of the same method."""
    if table.empty:
        return {}
    return {claim: _records(rows) for claim, rows in by_claim(claims(table, board))}


def premium_rows(table: pd.DataFrame, config: EvaluateConfig) -> list[dict[str, Any]]:
    """The selection premium of the metrics that the leaderboard shows first."""
    if table.empty:
        return []
    return _records(table[table["metric"].isin(shown_metrics(config)["warm"])])


def pruning_rows(table: pd.DataFrame, few: Collection[str], primary: str) -> list[dict[str, Any]]:
    """Both figures of the primary metric of ``few`` models; empty where nothing was pruned."""
    if table.empty:
        return []
    return _records(table[table["model"].isin(few) & (table["metric"] == primary)])


def reason_rows(board: pd.DataFrame, few: Collection[str]) -> list[dict[str, Any]]:
    """How true the reasons of ``few`` models are; empty where it was not measured."""
    if "explained_users" not in board:
        return []
    return _records(board[board[MODEL].isin(few) & (board["explained_users"] > 0)])


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
