"""Score every model once on test and write the leaderboard, DVC's metrics and plots."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from cofilter.core.config import plain
from cofilter.core.io import write_json, write_text
from cofilter.evaluation import plots
from cofilter.evaluation.by_model import joined
from cofilter.evaluation.examples import examples
from cofilter.evaluation.files import (
    COMPARISON,
    EXAMPLES,
    FACTORS,
    FACTS,
    IGNORE_WEIGHTS,
    LEADERBOARD,
    LEARNING_CURVES,
    METRICS,
    PREMIUM,
    PRUNING,
    RERANKING,
    RMSE_BY_DIM,
    SIMILARITY,
)
from cofilter.evaluation.headline import headline
from cofilter.evaluation.item_map import item_plane, item_similarities
from cofilter.evaluation.judge import PER_MODEL, Judge, Verdict
from cofilter.evaluation.leaderboard import (
    FAMILY,
    POINT,
    leaderboard,
    notes_of,
)
from cofilter.evaluation.premium import SelectionPremium
from cofilter.evaluation.pruning import PruningInflation
from cofilter.evaluation.request import Request
from cofilter.evaluation.reranking import columns as reranking_columns
from cofilter.evaluation.reranking import reranking_curves
from cofilter.evaluation.shipping import Shipped, shipped
from cofilter.preparation.audit import verify_audit
from cofilter.preparation.pruned import verify_pruned
from cofilter.recommender.base import Recommender
from cofilter.recommender.store import load
from cofilter.scoring.folders import (
    ModelFolder,
    ensemble_folder,
    expected_folders,
    left_out,
    other_folders,
)
from cofilter.scoring.target import Target

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes
    ----------
    leaderboard:
        As written to ``leaderboard.csv``.
    notes:
        Warnings that head it.
    ignored:
        Model folders that lie about and are no point of the sweep.
    shipped:
        The model to ship, and why; None when none is selected.
    """

    leaderboard: pd.DataFrame
    notes: list[str]
    ignored: list[Path]
    shipped: Shipped | None


def evaluate(request: Request, results: Path) -> Evaluation:
    """Compare exactly the requested models, and their ensemble if any, on the test part.

    Nothing is written before everything has succeeded; then ``results`` gets
    ``leaderboard.csv``, ``metrics.json``, ``facts.json``, ``examples.json`` and ``plots/*.csv``,
    which are equal byte for byte in two equal runs. `cofilter.report.page.write_report` makes a
    page of them.

    Raises
    ------
    LeakError
        The parts leak or do not match the audit.
    DataError
        A model is missing, unreadable or was fitted on other data than this split's.
    """
    config = request.config
    verify_audit(request.parts, request.audit, request.split)
    if request.pruned is not None:
        verify_pruned(request.pruned, request.audit, request.parts)
    folders = _folders(request)
    ignored = other_folders(request.models, request.points)
    if ignored:
        log.warning("ignored, since no point of the sweep: %s", ", ".join(map(str, ignored)))
    judge, premium = Judge.of(request.parts, config, request.scale), SelectionPremium(config)
    pruning = PruningInflation.of(request.parts, request.pruned, config, request.scale)
    verdicts = {
        folder.name: judge.verdict(folder, premium, pruning)
        for folder in tqdm(folders, desc="evaluate", unit="model", disable=None, delay=2)
    }
    evaluable = judge.target.evaluable_warm_users
    notes = notes_of(evaluable, request.audit, config, request.source)
    figures = request.backtested.figures
    entries = [
        replace(verdict.entry, backtest=figures.get(name), tuned=request.tuned.get(name))
        for name, verdict in verdicts.items()
    ]
    table = leaderboard(entries, config, notes)
    chosen = shipped(entries, config, request.backtested)
    names = table[FAMILY] + "/" + table[POINT]  # in the leaderboard's order
    tables = {
        LEADERBOARD: table,
        COMPARISON: plots.comparison(table, config),
        LEARNING_CURVES: plots.learning_curves(folders),
        RMSE_BY_DIM: plots.rmse_by_dim(table, _dims(verdicts.values())),
        SIMILARITY: item_similarities(folders, config.primary, request.titles),
        FACTORS: item_plane(folders, request.titles),
        PREMIUM: premium.table(),
        PRUNING: pruning.table(list(names)),
    }
    for file, columns in PER_MODEL.items():
        tables[file] = joined({name: verdicts[name].tables[file] for name in names}, columns)
    ships = None if chosen is None else _folder_of(chosen, folders)
    model = None if ships is None else load(ships.path)
    tables[RERANKING] = _reranked(request, judge, ships, model)
    documents = {
        METRICS: headline(table, config),
        FACTS: _facts(request, chosen, ships) | _weights(request, verdicts),
        EXAMPLES: _examples(request, judge.target, model),
    }
    _write(results, tables, documents)
    return Evaluation(table, notes, ignored, chosen)


def _folders(request: Request) -> list[ModelFolder]:
    folders = expected_folders(request.models, request.points)
    if request.ensemble is not None:
        folders.append(ensemble_folder(request.ensemble))
    return folders


def _folder_of(chosen: Shipped, folders: Iterable[ModelFolder]) -> ModelFolder:
    named = {(folder.family, folder.point): folder for folder in folders}
    return named[chosen.family, chosen.point]


def _facts(request: Request, chosen: Shipped | None, ships: ModelFolder | None) -> dict[str, Any]:
    return {
        "evaluate": plain(request.config),
        "split": request.audit,
        "source": request.source,
        "filter": request.filtered,
        "feedback": request.parts.feedback(request.scale),
        "left_out": left_out(request.models, request.points),
        "shipped": plain(chosen),
        "trained": None if ships is None else _trained(ships, request.audit["parts"]),
    }


def _weights(request: Request, verdicts: Mapping[str, Verdict]) -> dict[str, list[str]]:
    """Who learns as if the rows had no weights; nothing where they have none."""
    if not request.parts.weighted:
        return {}
    return {IGNORE_WEIGHTS: [name for name, each in verdicts.items() if not each.uses_weights]}


def _trained(ships: ModelFolder, parts: Mapping[str, Any]) -> dict[str, Any]:
    """On how many rows the model was fitted, and the time of the latest (None without times)."""
    on = [parts[name] for name in ("train", "validation")[: 1 + bool(ships.selection["refit"])]]
    times = [part["last_time"] for part in on if part["last_time"] is not None]
    return {"rows": sum(part["rows"] for part in on), "until": max(times, default=None)}


def _reranked(
    request: Request, judge: Judge, ships: ModelFolder | None, model: Recommender | None
) -> pd.DataFrame:
    if ships is None or model is None:
        return pd.DataFrame(columns=reranking_columns(request.config))
    made_of = ships.name, model, request.genres
    return reranking_curves(*made_of, judge.target, judge.catalogue, request.config)


def _examples(request: Request, target: Target, model: Recommender | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    k = request.config.list_length
    return examples(model, request.parts, target, k, request.titles)


def _dims(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], int]:
    """Length of the factors of each model that has some."""
    return {
        (verdict.entry.family, verdict.entry.point): verdict.dim
        for verdict in verdicts
        if verdict.dim is not None
    }


def _write(results: Path, tables: Mapping[str, pd.DataFrame], documents: Mapping[str, Any]) -> None:
    """Write what is there in full by now, so that a failure leaves the earlier results whole."""
    for name, table in tables.items():
        write_text(results / name, table.to_csv(index=False, lineterminator="\n"))
    for name, document in documents.items():
        write_json(results / name, document)
