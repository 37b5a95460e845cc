"""What is to be compared, as one description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.config import parse
from cofilter.core.io import read_json
from cofilter.core.parts import AUDIT, Parts, load_parts
from cofilter.core.paths import BLENDED, FILTER_REPORT, MODELS, RESULTS, SOURCE, SPLIT
from cofilter.evaluation.backtested import NO_BACKTEST, Backtested, read_backtested
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.tuning import how_tuned
from cofilter.preparation.pruned import load_pruned
from cofilter.preparation.split import SplitConfig
from cofilter.training.points import expected_points


@dataclass(frozen=True)
class Request:
    """What is to be compared.

    Attributes
    ----------
    parts:
        The split.
    audit:
        Its recorded audit, which is computed again from ``parts`` first.
    split:
        The configuration that made it.
    points:
        (family, point) of each model; it lies in ``models/<family>/<point>``. Other folders there
        are named in the log and ignored.
    models:
        Folder of all models.
    config:
        How they are compared.
    ensemble:
        Folder that the stage blend left; one more row. None: no such row.
    titles:
        Title by item id, for the pictures of items; without it they are called by their ids.
    genres:
        Genres by item id, separated by "|", for re-ranked lists; without it none are by genres.
    backtested:
        The backtest's figures, which `EvaluateConfig.select_on` may choose by.
    source:
        Where the ratings come from, which the facts repeat.
    filtered:
        What the filter counted, which the facts repeat too.
    scale:
        (lowest, highest) rating, when the source names it.
    pruned:
        Test rows that the filter's counting rules dropped; None where it dropped none.
    tuned:
        How the values of each point were found, by ``family/point``.
    """

    parts: Parts
    audit: Mapping[str, Any]
    split: SplitConfig
    points: Sequence[tuple[str, str]]
    models: Path
    config: EvaluateConfig
    ensemble: Path | None = None
    titles: pd.Series | None = None
    genres: pd.Series | None = None
    source: Mapping[str, Any] | None = None
    filtered: Mapping[str, Any] | None = None
    backtested: Backtested = NO_BACKTEST
    scale: tuple[float, float] | None = None
    pruned: pd.DataFrame | None = None
    tuned: Mapping[str, str] = field(default_factory=dict)


def request_of(
    cfg: Mapping[str, Any], titles: pd.Series | None = None, genres: pd.Series | None = None
) -> Request:
    """The pipeline's comparison: its split, the points of its sweep, and their ensemble.

    Raises
    ------
    ConfigError
        The groups ``evaluate``, ``split`` or ``points`` are impossible.
    DataError
        A file is missing or unreadable.
    """
    config, parts = parse(EvaluateConfig, cfg["evaluate"], "evaluate"), load_parts(SPLIT)
    audit = read_json(SPLIT / AUDIT)
    return Request(
        parts=parts,
        audit=audit,
        split=parse(SplitConfig, cfg["split"], "split"),
        points=expected_points(cfg),
        models=MODELS,
        ensemble=BLENDED,
        config=config,
        titles=titles,
        genres=genres,
        source=read_json(SOURCE),
        filtered=read_json(FILTER_REPORT),
        backtested=read_backtested(RESULTS, config.primary),
        scale=cfg["data"]["scale"] and tuple(cfg["data"]["scale"]),
        pruned=load_pruned(SPLIT, audit),
        tuned=how_tuned(cfg, parts, config),
    )
