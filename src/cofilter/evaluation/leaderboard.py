"""The leaderboard: one row a model, its columns named here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cofilter.evaluation.scoring import (
    COUNTS,
    SCOPES,
    EvaluateConfig,
    lower_is_better,
    metric_names,
)

RANK, SELECTED, NOTES = "rank", "selected", "notes"
FAMILY, POINT, SEED, ENGINE, DEVICE = "family", "point", "seed", "engine", "device"
TOO_FEW_USERS = "too few users to rank"
NOT_TEMPORAL = "not temporal"
WHOLE_COUNTS = tuple(name for name in COUNTS if not name.endswith("_share"))


@dataclass(frozen=True)
class Entry:
    """What the leaderboard tells of one model.

    Attributes
    ----------
    validation:
        The primary metric on validation, warm; None when the model has none.
    summary:
        Test scores as `Scores.summary` gives them.
    """

    family: str
    point: str
    seed: int
    engine: str
    device: str
    validation: float | None
    summary: Mapping[str, Any]

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts by family and point, numbers in a point's name by value: dim20 before dim100."""
        parts = re.split(r"(\d+)", self.point)
        return self.family, [int(p) if p.isdigit() else p for p in parts], self.point


def column(scope: str, name: str) -> str:
    """A metric's or count's column: ``warm_ndcg@10``."""
    return f"{scope}_{name}"


def validation_column(config: EvaluateConfig) -> str:
    """The column by which the model to ship is selected."""
    return f"validation_{config.primary}"


def columns(config: EvaluateConfig) -> list[str]:
    """All columns of the leaderboard, in order."""
    scored = [column(scope, name) for scope in SCOPES for name in metric_names(config)]
    counted = [column(scope, name) for scope in SCOPES for name in COUNTS]
    who = [RANK, SELECTED, FAMILY, POINT, SEED, ENGINE, DEVICE]
    return [*who, validation_column(config), *scored, *counted, NOTES]


def leaderboard(
    entries: Sequence[Entry], config: EvaluateConfig, notes: Sequence[str]
) -> pd.DataFrame:
    """One row a model, best first by the primary metric on warm test rows.

    Models without that metric come last and have no rank; ties stand in the order of family and
    point. ``selected`` marks the model to ship: the best by the same metric on *validation*
    (test decides nothing; no model is marked when none has it). ``notes`` stand in every row, so
    that a copied row takes its warning along. Absent values are missing (empty in CSV).

    No entries give an empty table with all columns.
    """
    by_name = sorted(entries, key=lambda entry: entry.order)
    ordered = sorted(by_name, key=lambda entry: _sort_key(_test_primary(entry, config), config))
    best = selected(by_name, config)
    rows = [_row(entry, config) for entry in ordered]
    for at, (entry, row) in enumerate(zip(ordered, rows, strict=True), start=1):
        row[RANK] = None if _test_primary(entry, config) is None else at
        row[SELECTED] = entry is best
        row[NOTES] = "; ".join(notes)
    table = pd.DataFrame(rows, columns=columns(config))
    return table.astype(_types(config))


def selected(entries: Sequence[Entry], config: EvaluateConfig) -> Entry | None:
    """The entry with the best primary metric on validation; of equals the first."""
    able = [entry for entry in entries if entry.validation is not None]
    return min(able, key=lambda entry: _sort_key(entry.validation, config), default=None)


def notes_of(evaluable_users: int, audit: Mapping[str, Any], config: EvaluateConfig) -> list[str]:
    """Warnings that head the leaderboard; empty when there is nothing to warn of."""
    notes = []
    if evaluable_users < config.min_users:
        notes.append(
            f"{TOO_FEW_USERS}: {evaluable_users} warm test users have a relevant item, "
            f"{config.min_users} are asked for"
        )
    if not audit["temporal"]:
        late = audit["train_share_after_first_test"]
        share = "" if late is None else f", {late:.0%} of train is later than the first test row"
        notes.append(f"{NOT_TEMPORAL}: split {audit['kind']}{share}")
    return notes


def metrics_json(table: pd.DataFrame, config: EvaluateConfig) -> dict[str, Any]:
    """The leaderboard nested as ``family → point → warm | all → metric``, for DVC.

    ``selected`` holds the figures of the model to ship and is null when there is none.
    """
    nested: dict[str, Any] = {SELECTED: None}
    for row in table.to_dict("records"):
        figures = _figures(row, config)
        nested.setdefault(row[FAMILY], {})[row[POINT]] = figures
        if row[SELECTED]:
            nested[SELECTED] = {FAMILY: row[FAMILY], POINT: row[POINT], **figures}
    return nested


def _test_primary(entry: Entry, config: EvaluateConfig) -> float | None:
    return entry.summary["warm"][config.primary]


def _sort_key(value: float | None, config: EvaluateConfig) -> tuple[bool, float]:
    if value is None:
        return True, 0.0
    return False, value if lower_is_better(config.primary) else -value


def _row(entry: Entry, config: EvaluateConfig) -> dict[str, Any]:
    row: dict[str, Any] = {
        FAMILY: entry.family,
        POINT: entry.point,
        SEED: entry.seed,
        ENGINE: entry.engine,
        DEVICE: entry.device,
        validation_column(config): entry.validation,
    }
    for scope in SCOPES:
        told = {**entry.summary[scope], **entry.summary["counts"][scope]}
        row.update({column(scope, name): value for name, value in told.items()})
    return row


def _types(config: EvaluateConfig) -> dict[str, str]:
    whole = {column(scope, name) for scope in SCOPES for name in WHOLE_COUNTS} | {RANK, SEED}
    text = {FAMILY, POINT, ENGINE, DEVICE, NOTES}
    types = {}
    for name in columns(config):
        if name in text:
            types[name] = "object"
        elif name == SELECTED:
            types[name] = "bool"
        else:
            types[name] = "Int64" if name in whole else "float64"
    return types


def _figures(row: Mapping[Any, Any], config: EvaluateConfig) -> dict[str, Any]:
    figures: dict[str, Any] = {validation_column(config): _plain(row[validation_column(config)])}
    for scope in SCOPES:
        names = [*metric_names(config), *COUNTS]
        figures[scope] = {name: _plain(row[column(scope, name)]) for name in names}
    return figures


def _plain(value: Any) -> int | float | None:
    return None if pd.isna(value) else value
