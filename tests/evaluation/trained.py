"""Model folders as the train stages write them, for tests that need some."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.core.io import write_json, write_text
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.models.baseline.model import KINDS
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.folder import save
from cofilter.scoring.folders import LEARNING_CURVE, SELECTION
from cofilter.scoring.scores import score

POINTS = [("baseline", name) for name in ("global_mean", "bias", "popularity")]


def train(
    parts: Parts, models: Path, config: EvaluateConfig, model_config: ModelConfig, *, refit: bool
) -> list[tuple[str, str]]:
    """Train every baseline; gives their (family, point)."""
    both = pd.concat([parts.train, parts.validation], ignore_index=True)
    for family, point in POINTS:
        fitted = KINDS[point](model_config).fit(parts.train)
        scores = score(fitted, parts.train, None, parts.validation, config).summary()
        shipped = KINDS[point](model_config).fit(both) if refit else fitted
        write_folder(shipped, models, family, point, scores, refit=refit)
    return POINTS


def write_folder(
    model: Recommender, models: Path, family: str, point: str, validation: dict, *, refit: bool
) -> None:
    """Save a model with its selection, as `cofilter.training.point` does."""
    folder = models / family / point
    save(model, folder)
    selection = {
        "family": family,
        "point": point,
        "seed": 0,
        "engine": model.engine_,
        "device": model.device_,
        "epochs": None,
        "refit": refit,
        "validation": validation,
    }
    write_json(folder / SELECTION, selection)


def write_curve(folder: Path, rmse: list[float]) -> None:
    """A learning curve with these validation errors."""
    epochs = range(1, len(rmse) + 1)
    curve = pd.DataFrame({"phase": "fit", "epoch": epochs, "loss": rmse, "lr": 0.005, "rmse": rmse})
    write_text(folder / LEARNING_CURVE, curve.to_csv(index=False))
