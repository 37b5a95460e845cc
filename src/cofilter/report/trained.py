"""What a tracked run shows of a trained point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.parts import Parts
from cofilter.report.samples import sample_predictions, sample_recommendations
from cofilter.tracking.beside import TrackerBeside
from cofilter.training.point import TrainedPoint


def shown_metrics(primary: str) -> list[str]:
    """The few metrics that a line on a model has room for."""
    return list(dict.fromkeys([primary, "rmse"]))


def quality(selection: Mapping[str, Any], primary: str) -> str:
    """One line on what a trained point reached on warm validation rows."""
    warm = selection["validation"]["warm"]
    figures = [
        f"{name} {warm[name]:.4f}" for name in shown_metrics(primary) if warm.get(name) is not None
    ]
    epochs = selection["epochs"]
    best = "" if epochs is None else f" (best epoch {epochs})"
    reached = ", ".join(figures) or "no figure"
    return f"{selection['family']}/{selection['point']}: on validation {reached}{best}"


def log_trained(
    tracker: TrackerBeside, trained: TrainedPoint, parts: Parts, titles: pd.Series, folder: Path
) -> None:
    """Log figures, samples with titles, and the model and its checkpoint as artifacts."""
    model, name = trained.model, f"{trained.selection['family']}-{trained.selection['point']}"
    tracker.log_summary(trained.selection["validation"] | trained.timings)
    tracker.log_table("predictions", sample_predictions(model, parts.validation, titles))
    tracker.log_table("recommendations", sample_recommendations(model, parts, titles))
    tracker.log_artifact(name, "model", folder, aliases=["best"])
    if trained.checkpoint is not None:
        tracker.log_artifact(
            f"{name}-checkpoint", "checkpoint", trained.checkpoint, aliases=["last"]
        )
