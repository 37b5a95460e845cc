"""The few figures that a person compares between two runs: DVC's metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import (
    BACKTEST,
    FAMILY,
    HIGH,
    LOW,
    POINT,
    SELECTED,
    VALIDATION,
    backtest_column,
    column,
    validation_column,
)
from cofilter.scoring.config import lower_is_better

MOST = 40  # numbers in all, so that `dvc metrics diff` and `dvc exp show` fit a screen
SHIPPED, USERS, MODEL, MARGIN = "shipped", "users", "model", "margin"
DIGITS = 6


def headline(table: pd.DataFrame, config: EvaluateConfig) -> dict[str, Any]:
    """At most `MOST` numbers of the leaderboard, two levels deep.

    ``users``
        Warm test users that the primary metric's mean is over, the most of any model.
    ``shipped``
        The model to ship: its name, its primary metric on validation and in the backtest, its
        figures; null when no model is selected.
    A family's name
        The point that validation prefers (of those without validation the leaderboard's first),
        and its figures.

    Figures are of warm test rows: the primary metric, its margin (half the width of its interval),
    RMSE and the coverage of as long a list; those that a model has not are left out. Where a sweep
    has so many families that they would be more than `MOST`, figures go, the last named first,
    for all families alike. Everything else stands in the leaderboard.
    """
    best = _best_of_families(table, config)
    shipped = table[table[SELECTED]]
    found: dict[str, Any] = {USERS: _most_users(table, config), SHIPPED: None}
    names = _figure_names(config)
    if len(shipped):
        row = shipped.iloc[0]
        columns = {VALIDATION: validation_column(config), BACKTEST: backtest_column(config)}
        chosen = {name: _rounded(row[each]) for name, each in columns.items()}
        model = {MODEL: f"{row[FAMILY]}/{row[POINT]}"}
        there = {name: value for name, value in chosen.items() if value is not None}
        found[SHIPPED] = model | there | _figures(row, config, names)
    room = MOST - n_numbers(found)
    while names and sum(len(_figures(row, config, names)) for _, row in best.iterrows()) > room:
        names = names[:-1]
    for _, row in best.iterrows():
        found[row[FAMILY]] = {POINT: row[POINT]} | _figures(row, config, names)
    return found


def n_numbers(tree: Any) -> int:
    """How many numbers a tree of figures holds."""
    if isinstance(tree, Mapping):
        return sum(n_numbers(value) for value in tree.values())
    return int(isinstance(tree, int | float))


def _figure_names(config: EvaluateConfig) -> list[str]:
    margin, coverage = f"{config.primary}_{MARGIN}", f"coverage@{config.list_length}"
    return list(dict.fromkeys([config.primary, margin, "rmse", coverage]))


def _figures(row: Mapping[Any, Any] | pd.Series, config: EvaluateConfig, names: list[str]) -> Any:
    primary = column("warm", config.primary)
    low, high = row[f"{primary}_{LOW}"], row[f"{primary}_{HIGH}"]
    values = {
        name: (high - low) / 2 if name.endswith(f"_{MARGIN}") else row[column("warm", name)]
        for name in names
    }
    return {name: _rounded(value) for name, value in values.items() if not pd.isna(value)}


def _best_of_families(table: pd.DataFrame, config: EvaluateConfig) -> pd.DataFrame:
    """A row a family, families by name."""
    ordered = table.sort_values(
        validation_column(config), ascending=lower_is_better(config.primary), kind="stable"
    )
    return ordered.drop_duplicates(FAMILY).sort_values(FAMILY)


def _most_users(table: pd.DataFrame, config: EvaluateConfig) -> int | None:
    counted = table[column("warm", "ranked_users" if "@" in config.primary else "rated_rows")]
    return None if counted.isna().all() else int(counted.max())


def _rounded(value: Any) -> float | None:
    return None if pd.isna(value) else round(float(value), DIGITS)
