"""The backtest as rows of the page: pooled figures, ranks by window."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cofilter.evaluation import files
from cofilter.evaluation.backtested import METHOD
from cofilter.evaluation.leaderboard import BEST_SET, HIGH, LOW, RANK
from cofilter.report.results import Results

ABSENT = "–"
IN_BEST_SET = "windows_in_best_set"


def backtest_rows(found: Results) -> dict[str, Any] | None:
    """What the page tells of the backtest; None where there was none.

    ``rows``: method, figure, interval, rank in each window, best_set, in_best_set (windows);
    ``windows``, ``users``, ``pairs`` and ``tau`` (the mean, text) of all.
    """
    facts = found.backtest
    if facts is None or facts["reason"] is not None:
        return None
    primary, by_window = found.config.primary, found.tables[files.BACKTEST]
    ranks = by_window.pivot(index=METHOD, columns="window", values=RANK)
    tau, n_windows = facts["kendall_tau"]["mean"], len(facts["windows"])
    rows = [
        {
            "method": row[METHOD],
            "figure": _figure(row[primary]),
            "interval": _interval(row, primary),
            "ranks": [ABSENT if pd.isna(rank) else int(rank) for rank in ranks.loc[row[METHOD]]],
            "best_set": bool(row[BEST_SET]),
            "in_best_set": round(row[IN_BEST_SET] * n_windows),
        }
        for row in found.tables[files.BACKTEST_POOLED].to_dict("records")
    ]
    return {
        "rows": rows,
        "windows": facts["windows"],
        "sizes": by_window.drop_duplicates("window")[["users", "rows"]].to_dict("records"),
        "users": facts["users"],
        "pairs": facts["pairs"],
        "tau": None if tau is None else f"{tau:.2f}",
    }


def _figure(value: float) -> str:
    return ABSENT if pd.isna(value) else f"{value:.4f}"


def _interval(row: dict[Any, Any], primary: str) -> str:
    low, high = row[f"{primary}_{LOW}"], row[f"{primary}_{HIGH}"]
    return "" if pd.isna(low) else f"{low:.3f} – {high:.3f}"
