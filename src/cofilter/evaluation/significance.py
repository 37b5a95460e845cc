"""Which models cannot be told from the best one on the primary metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cofilter.core.errors import DataError
from cofilter.evaluation.config import UncertaintyConfig
from cofilter.evaluation.intervals import Contributions
from cofilter.evaluation.uncertainty import (
    holm,
    intervals_of,
    paired_effect_size,
    resampled_ratios,
    sign_flip_p,
)


@dataclass(frozen=True)
class Difference:
    """One model beside the best on the primary metric, warm users.

    Attributes
    ----------
    best_set:
        The best model, or one that is not told from it: ``p_holm`` ≥ 1 − confidence level.
    difference, low, high:
        Model − best, with its interval by bootstrap over users, paired.
    p_holm:
        Of the sign-flip permutation test, Holm's correction over all models but the best; None
        for the best.
    effect_size:
        Cohen's d_z of the users' differences; None for the best, or when it does not exist.
    """

    best_set: bool
    difference: float
    low: float
    high: float
    p_holm: float | None
    effect_size: float | None


def differences_to_best(
    models: Sequence[Contributions], config: UncertaintyConfig
) -> list[Difference]:
    """Compare each model with the first one, the best.

    The test flips the signs of the users' differences in what they add to the metric: their
    metric for a mean over users, Σ squared or absolute errors for pooled RMSE or MAE. For RMSE
    too this exchanges the two models' answers user by user: the sum of both models' squares stays
    as it is, so that the difference of the roots grows with the difference of the sums.

    The best is the best *on the same users*, which favours it a little: read the set as "no
    evidence against these", not as proof against the others.

    Raises
    ------
    DataError
        Models were scored on different users or rows.
    """
    if not models:
        return []
    numerator, difference, low, high = _beside_the_first(models, config)
    each = numerator[:, 1:] - numerator[:, :1]
    p = holm(sign_flip_p(each, config))
    size = paired_effect_size(each)
    level = round(1 - config.confidence_level, 12)
    rest = [
        Difference(
            bool(p[at] >= level),
            float(difference[at + 1]),
            float(low[at + 1]),
            float(high[at + 1]),
            float(p[at]),
            None if np.isnan(size[at]) else float(size[at]),
        )
        for at in range(len(models) - 1)
    ]
    return [Difference(True, 0.0, 0.0, 0.0, None, None), *rest]


def paired_difference(
    one: Contributions, other: Contributions, config: UncertaintyConfig
) -> tuple[float, float, float]:
    """other − one, and its interval by bootstrap over users, paired; without a test.

    Raises
    ------
    DataError
        They were scored on different users or rows.
    """
    _, difference, low, high = _beside_the_first([one, other], config)
    return float(difference[1]), float(low[1]), float(high[1])


def _beside_the_first(
    models: Sequence[Contributions], config: UncertaintyConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What the users add, float64[users, m], and each model − the first with its interval."""
    first = models[0]
    if any((each.denominator != first.denominator).any() for each in models):
        raise DataError("models to compare were scored on different users or rows")
    used = first.denominator > 0
    numerator = np.column_stack([each.numerator[used] for each in models])
    denominator = np.repeat(first.denominator[used][:, None], len(models), axis=1)
    samples = resampled_ratios(numerator, denominator, config, root=first.root)
    low, high = intervals_of(samples - samples[:, :1], config.confidence_level)
    ratio = numerator.sum(axis=0) / denominator.sum(axis=0)
    metric = np.sqrt(ratio) if first.root else ratio
    return numerator, metric - metric[0], low, high
