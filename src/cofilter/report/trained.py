"""What a tracked run shows of a trained point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.parts import Parts
from cofilter.recommender.iterative import RANKED
from cofilter.report.samples import sample_predictions, sample_recommendations
from cofilter.scoring.config import lower_is_better
from cofilter.scoring.folders import ModelFolder
from cofilter.tracking.beside import TrackerBeside
from cofilter.tracking.data import MODEL
from cofilter.tracking.records import Chart
from cofilter.training.point import TrainedPoint

CURVES = ("loss", "rmse", f"ndcg@{RANKED}")  # columns of a learning curve, where it has them


def shown_metrics(primary: str) -> list[str]:
    """The few metrics that a line on a model has room for."""
    return list(dict.fromkeys([primary, "rmse"]))


def warm_metric(selection: Mapping[str, Any], name: str) -> float | None:
    """A metric on warm validation rows; None where there is none."""
    value: float | None = selection["validation"]["warm"].get(name)
    return value


def better_first(primary: str) -> Callable[[Mapping[str, Any] | None], tuple[bool, float]]:
    """The sorting key of selections, best first; those without the metric come last."""
    sign = 1 if lower_is_better(primary) else -1

    def order(selection: Mapping[str, Any] | None) -> tuple[bool, float]:
        value = None if selection is None else warm_metric(selection, primary)
        return value is None, 0.0 if value is None else sign * value

    return order


def quality(selection: Mapping[str, Any], primary: str) -> str:
    """One line on what a trained point reached on warm validation rows."""
    values = {name: warm_metric(selection, name) for name in shown_metrics(primary)}
    figures = [f"{name} {value:.4f}" for name, value in values.items() if value is not None]
    epochs = selection["epochs"]
    best = "" if epochs is None else f" (best epoch {epochs})"
    reached = ", ".join(figures) or "no figure"
    return f"{selection['family']}/{selection['point']}: on validation {reached}{best}"


def artifact_name(family: str, point: str) -> str:
    """The name of a model's artifact, whose versions are trainings of one point."""
    return f"{family}-{point}"


def use_models(tracker: TrackerBeside, folders: Iterable[ModelFolder]) -> None:
    """Note which models a stage has read."""
    for folder in folders:
        tracker.use_data(artifact_name(folder.family, folder.point), MODEL, folder.path)


def log_trained(
    tracker: TrackerBeside, trained: TrainedPoint, parts: Parts, titles: pd.Series, folder: Path
) -> None:
    """Log figures, samples with titles, and the model and its checkpoint as artifacts."""
    model = trained.model
    artifact = artifact_name(trained.selection["family"], trained.selection["point"])
    tracker.log_summary(trained.selection["validation"] | trained.timings)
    for name in CURVES:
        if name in trained.curve.columns:
            chart = Chart("line", "epoch", name, f"{name} by epoch", by="phase")
            tracker.log_chart(f"learning_curve_{name}", trained.curve, chart)
    tracker.log_table("predictions", sample_predictions(model, parts.validation, titles))
    tracker.log_table("recommendations", sample_recommendations(model, parts, titles))
    tracker.log_artifact(artifact, MODEL, folder, aliases=["best"])
    if trained.checkpoint is not None:
        tracker.log_artifact(
            f"{artifact}-checkpoint", "checkpoint", trained.checkpoint, aliases=["last"]
        )
