"""Score every model once on test and write the leaderboard, DVC's metrics and plots."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from cofilter.errors import DataError
from cofilter.evaluation import plots
from cofilter.evaluation.bands import COLUMNS as BAND_COLUMNS
from cofilter.evaluation.bands import Bands, band_scores
from cofilter.evaluation.beyond import Catalogue, beyond_accuracy, beyond_names
from cofilter.evaluation.by_model import joined
from cofilter.evaluation.calibration import COLUMNS as BIN_COLUMNS
from cofilter.evaluation.calibration import calibration
from cofilter.evaluation.cold_start import COLUMNS as CURVE_COLUMNS
from cofilter.evaluation.cold_start import Newcomers, cold_start
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.files import (
    BANDS,
    CALIBRATION,
    COLD_START,
    COMPARISON,
    FACTORS,
    FACTS,
    LEADERBOARD,
    LEARNING_CURVES,
    METRICS,
    RMSE_BY_DIM,
    SIMILARITY,
)
from cofilter.evaluation.folders import (
    ModelFolder,
    ensemble_folder,
    expected_folders,
    other_folders,
)
from cofilter.evaluation.intervals import contributions, score_intervals
from cofilter.evaluation.item_map import item_plane, item_similarities
from cofilter.evaluation.leaderboard import (
    FAMILY,
    POINT,
    Entry,
    leaderboard,
    metrics_json,
    notes_of,
)
from cofilter.evaluation.scoring import SCOPES, Scores, score_target
from cofilter.evaluation.target import Target
from cofilter.io import write_json, write_text
from cofilter.matrix import Interactions
from cofilter.models.base import Recommender
from cofilter.models.store import load
from cofilter.preparation.audit import verify_audit
from cofilter.preparation.parts import Parts
from cofilter.preparation.split import SplitConfig

log = logging.getLogger(__name__)

# Files with rows of every model.
PER_MODEL = {BANDS: BAND_COLUMNS, CALIBRATION: BIN_COLUMNS, COLD_START: CURVE_COLUMNS}


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
        Model folders that lie about but are not asked for.
    """

    leaderboard: pd.DataFrame
    notes: list[str]
    ignored: list[Path]


def evaluate(
    parts: Parts,
    audit: Mapping[str, Any],
    split: SplitConfig,
    expected: Sequence[tuple[str, str]],
    models: Path,
    results: Path,
    config: EvaluateConfig,
    titles: pd.Series | None = None,
    source: Mapping[str, Any] | None = None,
    ensemble: Path | None = None,
) -> Evaluation:
    """Compare exactly the expected models, and their ensemble if any, on the test part.

    Nothing is written before everything has succeeded; then ``results`` gets
    ``leaderboard.csv``, ``metrics.json``, ``facts.json`` and ``plots/*.csv``, which are equal byte
    for byte in two equal runs. `cofilter.evaluation.report.page.write_report` makes a page of them.

    Parameters
    ----------
    audit:
        The split's recorded audit; it is computed again from ``parts`` first.
    expected:
        (family, point) of each model; it lies in ``models/<family>/<point>``. Other folders there
        are named in the log and ignored.
    titles:
        Title by item id, for the pictures of items; without it they are called by their ids.
    source:
        Where the ratings come from, which the facts repeat.
    ensemble:
        Folder that the stage blend left; one more row.

    Raises
    ------
    LeakError
        The parts leak or do not match the audit.
    DataError
        A model is missing, unreadable or was fitted on other data than this split's.
    """
    verify_audit(parts, audit, split)
    folders = expected_folders(models, expected)
    if ensemble is not None:
        folders.append(ensemble_folder(ensemble))
    ignored = other_folders(models, expected)
    if ignored:
        log.warning("ignored, since not asked for: %s", ", ".join(map(str, ignored)))
    target = Target.of(parts.train, parts.validation, parts.test, config.relevance_threshold)
    fingerprints = _Fingerprints(parts)
    catalogue = Catalogue.of(parts.train, target, config)
    bands = Bands.of(parts.train, target, config.bands)
    entries, dims = [], {}
    newcomers = Newcomers.of(parts, config.cold_start)
    per_model: dict[str, dict[str, pd.DataFrame]] = {file: {} for file in PER_MODEL}
    for folder in tqdm(folders, desc="evaluate", unit="model", disable=None, delay=2):
        model = load(folder.path)
        fingerprints.check(model, folder)
        scores = score_target(model, target, config)
        entries.append(_entry(folder, scores, catalogue, config))
        per_model[BANDS][folder.name] = band_scores(scores, target, bands, config)
        per_model[CALIBRATION][folder.name] = calibration(scores, target, config)
        curve = cold_start(model, newcomers, parts.train, config)
        per_model[COLD_START][folder.name] = curve
        dim = getattr(model.config, "dim", None)
        if dim is not None:
            dims[folder.family, folder.point] = dim
    notes = notes_of(target.evaluable_warm_users, audit, config)
    table = leaderboard(entries, config, notes)
    names = table[FAMILY] + "/" + table[POINT]  # in the leaderboard's order
    tables = {
        LEADERBOARD: table,
        COMPARISON: plots.comparison(table, config),
        LEARNING_CURVES: plots.learning_curves(folders),
        RMSE_BY_DIM: plots.rmse_by_dim(table, dims),
        **{
            file: joined({name: found[name] for name in names}, PER_MODEL[file])
            for file, found in per_model.items()
        },
        SIMILARITY: item_similarities(folders, config.primary, titles),
        FACTORS: item_plane(folders, titles),
    }
    documents = {
        METRICS: metrics_json(table, config),
        FACTS: {"evaluate": config.model_dump(mode="json"), "split": audit, "source": source},
    }
    _write(results, tables, documents)
    return Evaluation(table, notes, ignored)


class _Fingerprints:
    """Hashes of what a model may have been fitted on; each computed when first needed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[bool, str] = {}

    def check(self, model: Recommender, folder: ModelFolder) -> None:
        refit = bool(folder.selection["refit"])
        if refit not in self._known:
            fitted_on = [self._parts.train] + [self._parts.validation] * refit
            table = pd.concat(fitted_on, ignore_index=True)
            self._known[refit] = Interactions.of(table).sha256
        if model.data_sha256_ != self._known[refit]:
            asked = "train + validation" if refit else "train"
            raise DataError(
                f"{folder.path}: fitted on other ratings than this split's {asked} "
                f"(fingerprint {model.data_sha256_[:12]}, expected {self._known[refit][:12]}); "
                f"{folder.remedy}"
            )


def _entry(
    folder: ModelFolder, scores: Scores, catalogue: Catalogue, config: EvaluateConfig
) -> Entry:
    told = folder.selection
    validation = told["validation"]["warm"]
    if config.primary not in validation:
        raise DataError(
            f"{folder.path}: its validation metrics have no {config.primary}; {folder.remedy}"
        )
    beyond = beyond_accuracy(scores, catalogue, config)
    summary = scores.summary()
    for scope in SCOPES:
        absent: dict[str, float | None] = dict.fromkeys(beyond_names(config))
        summary[scope] |= beyond[scope].metrics(config) if scope in beyond else absent
    return Entry(
        folder.family,
        folder.point,
        told["seed"],
        told["engine"],
        told["device"],
        validation[config.primary],
        summary,
        score_intervals(scores, beyond, config.uncertainty),
        contributions(scores, config),
    )


def _write(results: Path, tables: Mapping[str, pd.DataFrame], documents: Mapping[str, Any]) -> None:
    """Write what is there in full by now, so that a failure leaves the earlier results whole."""
    for name, table in tables.items():
        write_text(results / name, table.to_csv(index=False, lineterminator="\n"))
    for name, document in documents.items():
        write_json(results / name, document)
