"""The tables and facts of a backtest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from cofilter.backtest.job import Prepared
from cofilter.backtest.pooling import all_metrics, best_set, intervals_of, value_of
from cofilter.core.matrix import IdMap
from cofilter.evaluation.backtested import METHOD
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.intervals import Contributions
from cofilter.evaluation.leaderboard import BEST_SET, HIGH, LOW, RANK, with_ends
from cofilter.scoring.config import metric_names
from cofilter.scoring.scores import ScopeScores

WINDOW, FROM, TO, USERS, ROWS, PAIRS = "window", "from", "to", "users", "rows", "pairs"
WINDOWS_IN_BEST_SET = "windows_in_best_set"
# What a table says of its rows, after the method and before the figures.
OF_WINDOW = (WINDOW, FROM, TO, USERS, ROWS, RANK, BEST_SET)
OF_POOLED = (USERS, PAIRS, ROWS, RANK, BEST_SET, WINDOWS_IN_BEST_SET)
Scored = Mapping[str, ScopeScores]  # by method


def window_table(window: Prepared, scored: Scored, config: EvaluateConfig) -> pd.DataFrame:
    """Rows of ``backtest.csv`` of one window, a method each, in the given order.

    Columns: method, window, from, to (UTC; the window holds from ≤ time < to), users (warm ones
    with a relevant warm item), rows (of warm users and items), rank and best_set by the primary
    metric, then each metric with the ends of its interval. What a method has not is missing.
    """
    target = window.target
    about = {
        WINDOW: window.cut.window,
        FROM: _utc(window.cut.begin),
        TO: _utc(window.cut.end),
        USERS: target.evaluable_warm_users,
        ROWS: int(target.warm_rows.sum()),
    }
    by_method = {
        name: all_metrics(target.users, [(target.users, scores)], config)
        for name, scores in scored.items()
    }
    return _table(by_method, about, OF_WINDOW, config)


def pooled_table(
    windows: Sequence[Prepared],
    scored: Sequence[Scored],
    by_window: pd.DataFrame,
    config: EvaluateConfig,
) -> pd.DataFrame:
    """``backtest_pooled.csv``: a method each, best first, pooled over (user, window).

    Columns: method, users (different ones), pairs (of a warm user with a relevant warm item and a
    window), rows, windows_in_best_set (the share of windows), then as `window_table`.
    """
    targets = [window.target for window in windows]
    users = IdMap.of(np.unique(np.concatenate([target.users.ids for target in targets])))
    by_method = {
        name: all_metrics(
            users,
            [(target.users, each[name]) for target, each in zip(targets, scored, strict=True)],
            config,
        )
        for name in scored[0]
    }
    evaluable = [
        target.users.ids[target.user_is_warm & (target.n_relevant(warm=True) > 0)]
        for target in targets
    ]
    about = {
        USERS: len(np.unique(np.concatenate(evaluable))),
        PAIRS: sum(map(len, evaluable)),
        ROWS: sum(int(target.warm_rows.sum()) for target in targets),
    }
    table = _table(by_method, about, OF_POOLED, config)
    table[WINDOWS_IN_BEST_SET] = table[METHOD].map(by_window.groupby(METHOD)[BEST_SET].mean())
    return table.sort_values(RANK, kind="stable", na_position="last", ignore_index=True)


def facts_of(
    windows: Iterable[Prepared], by_window: pd.DataFrame, pooled: pd.DataFrame, primary: str
) -> dict[str, Any]:
    """``backtest.json``: the windows with their audits, and how well their orders agree."""
    return {
        "reason": None,
        "primary": primary,
        "users": int(pooled[USERS].iloc[0]),
        "pairs": int(pooled[PAIRS].iloc[0]),
        "kendall_tau": agreement(by_window, primary),
        "windows": [
            {
                WINDOW: window.cut.window,
                FROM: window.cut.begin,
                TO: window.cut.end,
                "audit": window.audit,
            }
            for window in windows
        ],
    }


def agreement(by_window: pd.DataFrame, primary: str) -> dict[str, Any]:
    """Kendall's τ-b (1945) between the methods' figures of each two windows, and its mean.

    1: the same order; 0: no relation; −1: the reverse. None where all figures of a window are
    equal, or where there are fewer than two windows or methods.
    """
    wide = by_window.pivot(index=METHOD, columns=WINDOW, values=primary).dropna(how="all")
    between = [
        {"windows": [int(one), int(other)], "tau": _tau(wide[one], wide[other])}
        for one, other in combinations(wide.columns, 2)
    ]
    there = [each["tau"] for each in between if each["tau"] is not None]
    return {"mean": float(np.mean(there)) if there else None, "between": between}


def _tau(one: pd.Series, other: pd.Series) -> float | None:
    both = ~(one.isna() | other.isna())
    if both.sum() < 2:
        return None
    found = float(kendalltau(one[both], other[both]).statistic)
    return None if np.isnan(found) else found


def _table(
    by_method: Mapping[str, Mapping[str, Contributions]],
    about: Mapping[str, Any],
    first: Sequence[str],
    config: EvaluateConfig,
) -> pd.DataFrame:
    ranked = best_set(
        {name: found.get(config.primary) for name, found in by_method.items()}, config
    )
    rows = []
    for name, found in by_method.items():
        rank, alike = ranked.get(name, (None, False))
        row = {METHOD: name, **about, RANK: rank, BEST_SET: alike}
        ends = intervals_of(found, config.uncertainty)
        for metric, each in found.items():
            low, high = ends[metric]
            row |= {metric: value_of(each), f"{metric}_{LOW}": low, f"{metric}_{HIGH}": high}
        rows.append(row)
    return pd.DataFrame(rows, columns=columns(first, config)).astype({RANK: "Int64"})


def columns(first: Sequence[str], config: EvaluateConfig) -> list[str]:
    """Columns of a table, after the method those that say what it is about."""
    figures = [each for name in metric_names(config) for each in with_ends(name)]
    return [METHOD, *first, *figures]


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
