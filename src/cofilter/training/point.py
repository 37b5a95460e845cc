"""One point of a sweep: fit, choose on validation, fit again, save."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.console import messages
from cofilter.core.io import write_json, write_text
from cofilter.core.parts import Parts
from cofilter.recommender.base import Recommender
from cofilter.recommender.folder import save
from cofilter.scoring.answers import Answers, save_answers
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.folders import LEARNING_CURVE, SELECTION
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target
from cofilter.training.loop import CheckpointConfig, Observer, Trainer


@dataclass(frozen=True)
class Point:
    """What a train stage works on.

    Attributes
    ----------
    name:
        The point's folder name within its family, for example ``biased-dim50-seed0``.
    make:
        Gives the unfitted model.
    refit:
        Fit again on train + validation with everything frozen that validation chose.
    """

    family: str
    name: str
    seed: int
    make: Callable[[], Recommender]
    refit: bool
    score: ScoreConfig
    checkpoint: CheckpointConfig


@dataclass(frozen=True)
class TrainedPoint:
    """The model to ship, the first fit's metrics and answers on validation, how long it took
    (seconds), its checkpoint."""

    model: Recommender
    selection: dict[str, Any]
    answers: Answers
    curve: pd.DataFrame
    timings: dict[str, float]
    checkpoint: Path | None


def train_point(
    point: Point, parts: Parts, checkpoints: Path, observer: Observer | None = None
) -> TrainedPoint:
    """Fit on train, score on validation, and fit again on both when the point says so.

    Only the model of the second fit is given back; its epochs are those that were best in the
    first one.
    """

    def new_trainer(phase: str) -> Trainer:
        label = f"{point.family}/{point.name} {phase}"
        return Trainer(point.checkpoint, checkpoints, observer, label, phase)

    model, trainer = point.make(), new_trainer("fit")
    if parts.weighted and not model.uses_weights:
        messages.ignores_weights(f"{point.family}/{point.name}")
    if observer is not None and not model.gradient:
        observer.start(None, [], "fit")  # what a trainer does who knows of an earlier run
    started = time.monotonic()
    fitted = model.fit(parts.train, parts.validation, trainer)
    timings = {"fit_seconds": time.monotonic() - started}
    target = Target.of(
        parts.train,
        None,
        parts.validation,
        point.score.relevance_threshold,
        model.config.scale,
        weighted=point.score.weighted,
    )
    scores = score_target(fitted, target, point.score)
    answers = Answers.of(fitted, target)
    shipped, curves = fitted, [curve_of(fitted, "fit")]
    if point.refit:
        started = time.monotonic()
        both = pd.concat([parts.train, parts.validation], ignore_index=True)
        trainer = new_trainer("refit")
        shipped = fitted.for_refit().fit(both, None, trainer)
        timings["refit_seconds"] = time.monotonic() - started
        curves.append(curve_of(shipped, "refit"))
    selection = {
        "family": point.family,
        "point": point.name,
        "seed": point.seed,
        "engine": shipped.engine_,
        "device": shipped.device_,
        "epochs": getattr(fitted, "epochs_", None),
        "refit": point.refit,
        "validation": scores.summary(),
    }
    curve = pd.concat(curves, ignore_index=True)
    return TrainedPoint(shipped, selection, answers, curve, timings, trainer.last_checkpoint)


def save_point(trained: TrainedPoint, folder: Path) -> None:
    """Write the model with its selection, its answers on validation and its learning curve."""
    save(trained.model, folder)
    write_json(folder / SELECTION, trained.selection)
    save_answers(trained.answers, folder)
    if len(trained.curve):
        write_text(folder / LEARNING_CURVE, trained.curve.to_csv(index=False))


def curve_of(model: Recommender, phase: str) -> pd.DataFrame:
    """The model's history, a row an epoch; empty for a model without epochs."""
    rows = [{"phase": phase, **row} for row in getattr(model, "history_", [])]
    return pd.DataFrame(rows)
