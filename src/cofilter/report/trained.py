"""What a tracked run shows of a trained point."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.core.parts import Parts
from cofilter.report.samples import sample_predictions, sample_recommendations
from cofilter.tracking.tracker import Tracker
from cofilter.training.point import TrainedPoint


def log_trained(
    tracker: Tracker, trained: TrainedPoint, parts: Parts, titles: pd.Series, folder: Path
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
