"""The leaderboard: one row a model, its columns named here and nowhere else."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import pandas as pd

from cofilter.core.paths import SOURCE
from cofilter.evaluation.beyond import beyond_names, has_interval
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.faithfulness import Faithfulness
from cofilter.evaluation.intervals import Contributions, Interval
from cofilter.evaluation.significance import differences_to_best
from cofilter.preparation.accounting import repeats_told
from cofilter.scoring.config import lower_is_better, metric_names
from cofilter.scoring.scores import COUNTS, SCOPES

RANK, SELECTED, NOTES = "rank", "selected", "notes"
FAMILY, POINT, SEED, ENGINE, DEVICE = "family", "point", "seed", "engine", "device"
TUNED = "tuned"  # see `cofilter.evaluation.tuning`
BEST_SET, SEED_SD = "best_set", "seed_sd"
P_HOLM, EFFECT_SIZE = "p_holm", "effect_size"
DIFFERENCE, LOW, HIGH = "difference", "low", "high"
COMPARED = (DIFFERENCE, f"{DIFFERENCE}_{LOW}", f"{DIFFERENCE}_{HIGH}", P_HOLM, EFFECT_SIZE)
ChosenOn = Literal["backtest", "validation"]
BACKTEST: ChosenOn = "backtest"
VALIDATION: ChosenOn = "validation"
TOO_FEW_USERS = "too few users to rank"
NOT_TEMPORAL = "not temporal"
CHANGED = "not wholly the published split"
SEPARATOR = "; "  # of notes in a cell
WARNINGS = 3  # of a source, at most, that stand in full
REASONS = tuple(each.name for each in fields(Faithfulness))
EXPLAINED_COUNTS = ("explained_users", "unexplained_users", "not_found")
WHOLE_COUNTS = tuple(name for name in COUNTS if not name.endswith("_share"))


@dataclass(frozen=True)
class Entry:
    """What the leaderboard tells of one model.

    Attributes
    ----------
    validation:
        The primary metric on validation, warm; None when the model has none.
    summary:
        Test scores as `Scores.summary` gives them, with those beyond accuracy where there are any.
    intervals:
        By scope and metric; what is not in it has none.
    backtest:
        The primary metric pooled over the windows of the backtest; None when the model took no
        part.
    primary:
        What each user adds to the primary metric, warm; None when the model has none.
    hits:
        Whether each user finds a relevant item in the list, warm; None when the model has none.
    tuned:
        How its values were found; None for what has none of its own, the blend.
    reasons:
        How true its explanations are; None when that was not measured.
    """

    family: str
    point: str
    seed: int
    engine: str
    device: str
    validation: float | None
    summary: Mapping[str, Any]
    intervals: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    primary: Contributions | None = None
    hits: Contributions | None = None
    backtest: float | None = None
    tuned: str | None = None
    reasons: Faithfulness | None = None

    @property
    def sweep_point(self) -> tuple[str, str]:
        """Family and point without its seed: what several seeds were trained of."""
        return self.family, re.sub(r"-seed\d+$", "", self.point)

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts by family and point, numbers in a point's name by value: dim20 before dim100."""
        parts = re.split(r"(\d+)", self.point)
        return self.family, [int(p) if p.isdigit() else p for p in parts], self.point


def column(scope: str, name: str) -> str:
    """A metric's or count's column: ``warm_ndcg@10``."""
    return f"{scope}_{name}"


def validation_column(config: EvaluateConfig) -> str:
    """The column of the primary metric on validation."""
    return f"validation_{config.primary}"


def backtest_column(config: EvaluateConfig) -> str:
    """The column of the primary metric in the backtest."""
    return f"{BACKTEST}_{config.primary}"


def reported_metrics(config: EvaluateConfig) -> tuple[str, ...]:
    """Every metric of a scope, in order: those that can be the primary, then those beyond."""
    return *metric_names(config), *beyond_names(config)


def with_ends(name: str) -> list[str]:
    """A figure's own name and those of its interval, where it has one: ndcg@10, ndcg@10_low, …"""
    return [name, f"{name}_{LOW}", f"{name}_{HIGH}"] if has_interval(name) else [name]


def columns(config: EvaluateConfig) -> list[str]:
    """All columns of the leaderboard, in order."""
    scored = [
        column(scope, figure)
        for scope in SCOPES
        for name in reported_metrics(config)
        for figure in with_ends(name)
    ]
    counted = [column(scope, name) for scope in SCOPES for name in COUNTS]
    identity = [RANK, SELECTED, FAMILY, POINT, SEED, ENGINE, DEVICE, TUNED]
    compared = [BEST_SET, *COMPARED, SEED_SD]
    chosen_by = [validation_column(config), backtest_column(config)]
    return [*identity, *chosen_by, *compared, *scored, *counted, *REASONS, NOTES]


def leaderboard(
    entries: Sequence[Entry], config: EvaluateConfig, notes: Sequence[str]
) -> pd.DataFrame:
    """One row a model, best first by the primary metric on warm test rows.

    Models without that metric come last and have no rank; ties stand in the order of family and
    point. ``selected`` marks the model to ship, see `selected` (test decides nothing; no model is
    marked when none has the figure). ``notes`` stand in every row, so
    that a copied row takes its warning along. Absent values are missing (empty in CSV).

    ``best_set`` to ``effect_size`` compare the primary metric with the first row's, as
    `cofilter.evaluation.significance.Difference` explains; ``seed_sd`` is its standard deviation
    (n − 1) over the seeds of a point, missing with one seed. The last ones but ``notes`` are
    those of `Faithfulness`.

    No entries give an empty table with all columns.
    """
    by_name = sorted(entries, key=lambda entry: entry.order)
    ordered = sorted(by_name, key=lambda entry: _sort_key(_test_primary(entry, config), config))
    best = selected(by_name, config)
    rows = [_row(entry, config) for entry in ordered]
    spread = _seed_spread(ordered, config)
    for at, (entry, row) in enumerate(zip(ordered, rows, strict=True), start=1):
        row[RANK] = None if _test_primary(entry, config) is None else at
        row[SELECTED] = entry is best
        row[NOTES] = SEPARATOR.join(notes)
        row[BEST_SET] = False
        row[SEED_SD] = spread[entry.sweep_point]
    _compare(ordered, rows, config)
    table = pd.DataFrame(rows, columns=columns(config))
    return table.astype(_types(config))


def _compare(
    ordered: Sequence[Entry], rows: Sequence[dict[str, Any]], config: EvaluateConfig
) -> None:
    """Fill in how each row differs from the first."""
    able = [(entry.primary, row) for entry, row in zip(ordered, rows, strict=True) if entry.primary]
    found = differences_to_best([primary for primary, _ in able], config.uncertainty)
    for (_, row), told in zip(able, found, strict=True):
        figures = told.difference, told.low, told.high, told.p_holm, told.effect_size
        row.update({BEST_SET: told.best_set, **dict(zip(COMPARED, figures, strict=True))})


def _seed_spread(
    entries: Sequence[Entry], config: EvaluateConfig
) -> dict[tuple[str, str], float | None]:
    values: dict[tuple[str, str], list[float]] = {entry.sweep_point: [] for entry in entries}
    for entry in entries:
        value = _test_primary(entry, config)
        if value is not None:
            values[entry.sweep_point].append(value)
    return {
        point: statistics.stdev(sorted(each)) if len(each) > 1 else None
        for point, each in values.items()
    }


def chosen_on(entries: Sequence[Entry], config: EvaluateConfig) -> ChosenOn:
    """What chooses among these: the backtest, where one is wanted and one of them took part."""
    took_part = any(entry.backtest is not None for entry in entries)
    return config.select_on if took_part else VALIDATION


def figure_on(chosen: ChosenOn, entry: Entry) -> float | None:
    """The figure that an entry is chosen by."""
    return entry.backtest if chosen == BACKTEST else entry.validation


def selected(entries: Sequence[Entry], config: EvaluateConfig) -> Entry | None:
    """The entry with the best primary metric in the backtest, or, without one, on validation.

    Of equals the first. Where there is a backtest, only what took part in it can be selected.
    """
    chosen = chosen_on(entries, config)
    able = [entry for entry in entries if figure_on(chosen, entry) is not None]
    return min(able, key=lambda entry: _sort_key(figure_on(chosen, entry), config), default=None)


def notes_of(
    evaluable_users: int,
    audit: Mapping[str, Any],
    config: EvaluateConfig,
    source: Mapping[str, Any] | None = None,
) -> list[str]:
    """Warnings that head the leaderboard; empty when there is nothing to warn of.

    ``source`` is its report, whose own warnings come last.
    """
    notes = ["held-out rows count with their weights"] if config.weighted else []
    if evaluable_users < config.min_users:
        notes.append(
            f"{TOO_FEW_USERS}: {evaluable_users} warm test users have a relevant item, "
            f"{config.min_users} are asked for"
        )
    if not audit["temporal"]:
        late = audit["train_share_after_first_test"]
        share = "" if late is None else f", {late:.0%} of train is later than the first test row"
        notes.append(f"{NOT_TEMPORAL}: split {audit['kind']}{share}")
    repeats = repeats_told(audit)
    if repeats and audit["kind"] == "given":
        # What figures published for a split cannot know of: rows that it has and we have not.
        repeats[0] = f"{CHANGED}: {repeats[0]}"
    notes += repeats + _warnings(source or {})
    return [note.replace(SEPARATOR, ", ") for note in notes]


def notes_in(table: pd.DataFrame) -> list[str]:
    """The notes of a leaderboard."""
    stated = table[NOTES].dropna().head(1)
    return [note for cell in stated for note in cell.split(SEPARATOR) if note]


def _warnings(source: Mapping[str, Any]) -> list[str]:
    warnings = source.get("warnings", [])
    if len(warnings) > WARNINGS:
        return [f"the source has {len(warnings)} warnings, see {SOURCE}"]
    return [f"the source: {warning}" for warning in warnings]


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
        TUNED: entry.tuned,
        validation_column(config): entry.validation,
        backtest_column(config): entry.backtest,
    }
    if entry.reasons is not None:
        row |= asdict(entry.reasons)
    for scope in SCOPES:
        told = {**entry.summary[scope], **entry.summary["counts"][scope]}
        row.update({column(scope, name): value for name, value in told.items()})
        for name, ends in entry.intervals.get(scope, {}).items():
            for end, value in zip((LOW, HIGH), ends, strict=True):
                row[column(scope, f"{name}_{end}")] = value
    return row


def _types(config: EvaluateConfig) -> dict[str, str]:
    whole = {column(scope, name) for scope in SCOPES for name in WHOLE_COUNTS} | {RANK, SEED}
    whole |= set(EXPLAINED_COUNTS)
    text = {FAMILY, POINT, ENGINE, DEVICE, TUNED, "shares", NOTES}
    types = {}
    for name in columns(config):
        if name in text:
            types[name] = "object"
        elif name in (SELECTED, BEST_SET):
            types[name] = "bool"
        else:
            types[name] = "Int64" if name in whole else "float64"
    return types
