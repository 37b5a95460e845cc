"""What a tracked run shows of models that are compared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.backtest.backtest import Backtest
from cofilter.evaluation.evaluate import Evaluation
from cofilter.evaluation.files import COMPARISON, RMSE_BY_DIM
from cofilter.evaluation.request import Request
from cofilter.report.charts.style import Figure
from cofilter.report.conclusion import folder_of
from cofilter.report.trained import artifact_name, use_models
from cofilter.scoring.folders import ensemble_folder, expected_folders
from cofilter.tracking.beside import TrackerBeside
from cofilter.tracking.data import MODEL
from cofilter.tracking.records import Chart

METHOD = "method"
BARS = Chart("bar", "model", "warm", "The primary metric on test, warm users")
DIMS = Chart("line", "dim", "warm_rmse", "RMSE on test against the length of the factors", "model")


def log_backtest(tracker: TrackerBeside, found: Backtest) -> None:
    """Log the pooled figures of each method, both tables, and how far the windows agree."""
    windows = found.facts.get("windows", [])
    tracker.log_summary({**found.facts, "windows": len(windows), "pooled": _figures(found.pooled)})
    tracker.log_table("backtest", found.by_window)
    tracker.log_table("backtest_pooled", found.pooled)


def log_evaluation(
    tracker: TrackerBeside, request: Request, found: Evaluation, results: Path
) -> None:
    """Log which models were compared, the leaderboard and W&B's own charts; link what ships."""
    ensemble = [] if request.ensemble is None else [ensemble_folder(request.ensemble)]
    use_models(tracker, [*expected_folders(request.models, request.points), *ensemble])
    tracker.log_table("leaderboard", found.leaderboard)
    tracker.log_chart("comparison", pd.read_csv(results / COMPARISON), BARS)
    tracker.log_chart("rmse_by_dim", pd.read_csv(results / RMSE_BY_DIM), DIMS)
    if (chosen := found.shipped) is not None:
        name = artifact_name(chosen.family, chosen.point)
        tracker.log_summary({"shipped": name, "chosen_on": chosen.chosen_on})
        tracker.link_data(name, MODEL, folder_of(chosen))


def log_figures(tracker: TrackerBeside, figures: Iterable[Figure]) -> None:
    """Log the figures of the report."""
    for figure in figures:
        tracker.log_page(figure.slug, figure.html())


def _figures(pooled: pd.DataFrame) -> dict[str, Any]:
    """Numbers by method, the ends of intervals left out."""
    ends = tuple(name for name in pooled.columns if name.endswith(("_low", "_high")))
    plain = pooled.drop(columns=[*ends]).set_index(METHOD)
    return {
        str(method): {str(name): value for name, value in row.dropna().items()}
        for method, row in plain.astype(object).iterrows()
    }
