"""Whether a predicted rating means what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.scoring.scores import Scores
from cofilter.scoring.target import Target

COLUMNS = ("model", "family", "bin", "predicted", "observed", "rows")


def calibration(scores: Scores, target: Target, config: EvaluateConfig) -> pd.DataFrame:
    """Mean predicted and mean observed rating of warm rows, in bins of predicted ratings.

    Bins are cut at quantiles of the model's predictions, so that each holds about as many rows;
    equal predictions share a bin, so that there may be fewer bins than asked for (one when all
    predictions are equal). Columns: bin (from 1), predicted, observed, rows; empty when the model
    predicts no ratings or no row is warm.
    """
    warm = target.warm_rows
    if scores.predicted is None or not warm.any():
        return pd.DataFrame(columns=list(COLUMNS[2:]))
    predicted = scores.predicted[warm].astype(np.float64)
    observed = target.rating[warm].astype(np.float64)
    n = config.calibration_bins
    last = np.unique(np.quantile(predicted, np.arange(1, n + 1) / n, method="inverted_cdf"))
    at = np.searchsorted(last, predicted)
    rows = np.bincount(at, minlength=len(last))
    return pd.DataFrame(
        {
            "bin": np.arange(1, len(last) + 1),
            "predicted": np.bincount(at, predicted, len(last)) / rows,
            "observed": np.bincount(at, observed, len(last)) / rows,
            "rows": rows,
        }
    )
