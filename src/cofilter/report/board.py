"""The leaderboard as cells of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import (
    BEST_SET,
    DEVICE,
    DIFFERENCE,
    EFFECT_SIZE,
    ENGINE,
    FAMILY,
    HIGH,
    LOW,
    P_HOLM,
    POINT,
    RANK,
    SEED_SD,
    SELECTED,
    TUNED,
    backtest_column,
    column,
    reported_metrics,
    validation_column,
)
from cofilter.evaluation.plots import MODEL
from cofilter.scoring.config import lower_is_better
from cofilter.scoring.scores import SCOPES

# How the comparison's columns are headed.
COMPARED = {DIFFERENCE: "difference", P_HOLM: "p (Holm)", EFFECT_SIZE: "effect size"}
REASONS = ("fall without them", "needed to go")  # places beyond random ones, number
FALL = "fall_difference"
ABSENT = "–"


@dataclass(frozen=True)
class Cell:
    """One figure of the table with its interval; ``best`` of its column is set in bold."""

    text: str
    best: bool = False
    interval: str = ""


@dataclass(frozen=True)
class Group:
    """Columns under one heading."""

    title: str
    names: list[str]
    cells: list[list[Cell]]  # of each row


@dataclass(frozen=True)
class Board:
    """A table of all models: the head of each row, and groups of columns."""

    rows: list[dict[str, Any]]
    groups: list[Group]


def shown_metrics(config: EvaluateConfig) -> dict[str, list[str]]:
    """The metrics of a table that fits a screen, by scope; the others stand in a second one.

    Warm: the primary, those at its k, RMSE and MAE. All: the primary, recall, RMSE and MAE.
    """
    _, _, k = config.primary.partition("@")
    at = int(k) if k else config.k[0]
    ranked = [f"{name}@{at}" for name in ("ndcg", "recall", "precision", "map", "mrr", "hit_rate")]
    warm = list(dict.fromkeys([config.primary, *ranked, "rmse", "mae"]))
    few = {config.primary, f"recall@{at}", "rmse", "mae"}
    return {"warm": warm, "all": [name for name in warm if name in few]}


def main_board(table: pd.DataFrame, seconds: pd.Series, config: EvaluateConfig) -> Board:
    """The leaderboard: the primary metric, how it compares, the other metrics, tuning, seconds."""
    shown = shown_metrics(config)
    first, rest = shown["warm"][:1], shown["warm"][1:]
    headings = {name: title for name, title in COMPARED.items() if name in table}
    warm = _metrics(table, "warm", first)
    compared = [_compared(table, name) for name in headings]
    warm += compared + _metrics(table, "warm", rest)
    names = [*first, *headings.values(), *rest]
    groups = [
        _group("Warm users and items", names, warm),
        _group("All, cold included", shown["all"], _metrics(table, "all", shown["all"])),
    ]
    if FALL in table and table[FALL].notna().any():
        groups.append(_group("Reasons", list(REASONS), _reasons(table)))
    training = {}
    if TUNED in table and table[TUNED].notna().any():
        training[TUNED] = [Cell(ABSENT if pd.isna(told) else told) for told in table[TUNED]]
    if len(seconds):
        training["seconds"] = [Cell(_seconds(seconds.get(name))) for name in table[MODEL]]
    if training:
        groups.append(_group("Training", list(training), list(training.values())))
    return Board(_heads(table), groups)


def whole_board(table: pd.DataFrame, config: EvaluateConfig) -> Board:
    """Every metric of both scopes, without intervals."""
    titles = {"warm": "Warm users and items", "all": "All, cold included"}
    names = list(reported_metrics(config))
    groups = [
        _group(titles[scope], names, _metrics(table, scope, names, interval=False))
        for scope in SCOPES
    ]
    if SEED_SD in table and table[SEED_SD].notna().any():
        spread = [Cell(ABSENT if pd.isna(v) else f"{v:.4f}") for v in table[SEED_SD]]
        groups.append(_group("Over seeds", [f"sd of {config.primary}"], [spread]))
    return Board(_heads(table), groups)


def ship(table: pd.DataFrame, config: EvaluateConfig) -> dict[str, Any] | None:
    """The model to ship with its figures; None when none is selected."""
    chosen = table[table[SELECTED]]
    if chosen.empty:
        return None
    row = chosen.iloc[0]
    warm = column("warm", config.primary)
    figures = {
        "on validation, warm": row[validation_column(config)],
        "in the backtest": row.get(backtest_column(config)),
        "on test, warm": row[warm],
        "on test, all rows": row[column("all", config.primary)],
    }
    counted = {scope: row[column(scope, "ranked_users")] for scope in SCOPES}
    return {
        "model": row[MODEL],
        "figures": {
            name: ABSENT if pd.isna(value) else f"{value:.4f}"
            for name, value in figures.items()
            if name != "in the backtest" or not pd.isna(value)
        },
        "interval": _interval(row, warm),
        "users": {scope: None if pd.isna(n) else int(n) for scope, n in counted.items()},
        "alike": bool(row.get(BEST_SET, False)),
        "n_alike": int(table[BEST_SET].sum()) if BEST_SET in table else 0,
    }


def _heads(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "rank": ABSENT if pd.isna(row[RANK]) else row[RANK],
            "family": row[FAMILY],
            "point": row[POINT],
            "engine": f"{row[ENGINE]}, {row[DEVICE]}",
            "selected": bool(row[SELECTED]),
            "alike": bool(row.get(BEST_SET, False)),
        }
        for row in table.to_dict("records")
    ]


def _group(title: str, names: Sequence[str], columns: Sequence[Sequence[Cell]]) -> Group:
    return Group(title, list(names), [list(row) for row in zip(*columns, strict=True)])


def _metrics(
    table: pd.DataFrame, scope: str, names: Sequence[str], *, interval: bool = True
) -> list[list[Cell]]:
    return [_cells(table, column(scope, name), lower_is_better(name), interval) for name in names]


def _cells(table: pd.DataFrame, name: str, lower: bool, interval: bool) -> list[Cell]:
    best = table[name].min() if lower else table[name].max()
    rows = table.filter(items=[name, f"{name}_{LOW}", f"{name}_{HIGH}"])
    return [
        Cell(ABSENT)
        if pd.isna(row[name])
        else Cell(
            f"{row[name]:.4f}", bool(row[name] == best), _interval(row, name) if interval else ""
        )
        for row in rows.to_dict("records")
    ]


def _interval(row: Mapping[Any, Any] | pd.Series, name: str) -> str:
    low, high = row.get(f"{name}_{LOW}"), row.get(f"{name}_{HIGH}")
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return ""
    return _minus(f"{low:.3f} – {high:.3f}")


def _minus(text: str) -> str:
    """With the sign for minus that is as wide as a plus."""
    return text.replace("-", "\N{MINUS SIGN}")


def _compared(table: pd.DataFrame, name: str) -> list[Cell]:
    cells = []
    for row in table.to_dict("records"):
        value = row[name]
        if pd.isna(value):
            cells.append(Cell(ABSENT))
        elif name == P_HOLM:
            cells.append(Cell("<0.001" if value < 0.001 else f"{value:.3f}"))
        else:
            headings = f"{value:+.4f}" if name == DIFFERENCE else f"{value:+.2f}"
            cells.append(Cell(_minus(headings), interval=_interval(row, name)))
    return cells


def _reasons(table: pd.DataFrame) -> list[list[Cell]]:
    """How far an item falls without its reasons beyond random ones, and how many make it go."""
    fell = [
        Cell(ABSENT)
        if pd.isna(row[FALL])
        else Cell(_minus(f"{row[FALL]:.1f}"), interval=_interval(row, FALL))
        for row in table.to_dict("records")
    ]
    number = [Cell(ABSENT if pd.isna(value) else f"{value:g}") for value in table["removed"]]
    return [fell, number]


def _seconds(value: float | None) -> str:
    return ABSENT if value is None or pd.isna(value) else f"{value:.1f}"
