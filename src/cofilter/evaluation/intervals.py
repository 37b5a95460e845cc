"""Intervals of one model's figures, and what of it is compared with other models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cofilter.evaluation.beyond import BeyondScores, has_interval
from cofilter.evaluation.config import EvaluateConfig, UncertaintyConfig
from cofilter.evaluation.uncertainty import Intervals, mean_intervals, ratio_intervals
from cofilter.metrics.rating import UserErrors
from cofilter.scoring.scores import SCOPES, ScopeScores, Scores

Interval = tuple[float, float]
POOLED = {"rmse": "squared", "mae": "absolute"}  # Σ of these over Σ rows; the others are means


def score_intervals(
    scores: Scores, beyond: Mapping[str, BeyondScores], config: UncertaintyConfig
) -> dict[str, dict[str, Interval]]:
    """Intervals by scope and metric; none for a metric without users.

    Users who take part in a scope's ratings, or rankings, are resampled; they are the same for
    every model, so that the resamples are too.
    """
    return {
        scope: _of_errors(scores.scope(scope).errors, config)
        | _of_rankings(scores.scope(scope), beyond.get(scope), config)
        for scope in SCOPES
    }


def _of_errors(errors: UserErrors | None, config: UncertaintyConfig) -> dict[str, Interval]:
    if errors is None or not errors.rows.any():
        return {}
    by_user, there = errors.by_user(), errors.rows > 0
    total = [getattr(errors, column) for column in POOLED.values()]
    total += [np.where(there, values, 0.0) for values in by_user.values()]
    below = [errors.rows] * len(POOLED) + [there] * len(by_user)
    names = [*POOLED, *by_user]
    root = [name == "rmse" for name in names]
    sums = np.column_stack(total), np.column_stack(below).astype(np.float64)
    return _by_name(names, ratio_intervals(*sums, config, root=root))


def _of_rankings(
    scores: ScopeScores, beyond: BeyondScores | None, config: UncertaintyConfig
) -> dict[str, Interval]:
    if scores.ranked is None or not len(scores.ranked.user):
        return {}
    values = scores.ranked.values | (beyond.values if beyond else {})
    names = [name for name in values if has_interval(name)]
    table = np.column_stack([values[name] for name in names])
    return _by_name(names, mean_intervals(table, config))


def _by_name(names: list[str], intervals: Intervals) -> dict[str, Interval]:
    low, high = intervals
    ends = zip(names, low.tolist(), high.tolist(), strict=True)
    return {name: (first, last) for name, first, last in ends if not np.isnan(first)}


@dataclass(frozen=True)
class Contributions:
    """What each of the target's users adds to a metric on warm rows.

    The metric is Σ numerator / Σ denominator, or its ``root``; a mean over users has denominators
    of 1 and 0.
    """

    numerator: np.ndarray
    denominator: np.ndarray
    root: bool


def contributions(scores: Scores, config: EvaluateConfig) -> Contributions | None:
    """Of a model's primary metric on warm rows; None when it has none."""
    return contributions_to(config.primary, scores.warm, len(scores.user_ids))


def contributions_to(name: str, scores: ScopeScores, n_users: int) -> Contributions | None:
    """Of any metric of a scope, for its ``n_users`` users; None when the model has none."""
    errors, ranked = scores.errors, scores.ranked
    if errors is not None and name in POOLED and errors.rows.any():
        total = getattr(errors, POOLED[name])
        return Contributions(total, errors.rows.astype(np.float64), name == "rmse")
    if errors is not None and name in errors.by_user() and errors.rows.any():
        values = errors.by_user()[name]
    elif ranked is not None and name in ranked.values and len(ranked.user):
        values = np.full(n_users, np.nan)
        values[ranked.user] = ranked.values[name]
    else:
        return None
    there = ~np.isnan(values)
    return Contributions(np.where(there, values, 0.0), there.astype(np.float64), False)
