"""Stacked regression: what weights blend several models' predicted ratings best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls

ROWS_AT_ONCE = 1 << 16
_RIDGE = 1e-9  # of the largest squared error: makes equal members a solvable system


def error_products(predicted: np.ndarray, rating: np.ndarray) -> np.ndarray:
    """Σ e eᵀ over rows, e = rating − prediction of each model; float64[models, models].

    All that least squares needs to know of any number of rows: weights w that sum to 1 have the
    squared error wᵀ (Σ e eᵀ) w. O(rows · models²) once, `ROWS_AT_ONCE` rows of float64 at a time.
    """
    total = np.zeros((predicted.shape[1], predicted.shape[1]))
    for start in range(0, len(rating), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        error = rating[rows, None].astype(np.float64) - predicted[rows]
        total += error.T @ error
    return total


def stack(folds: Sequence[np.ndarray], rows: np.ndarray, most_members: int) -> np.ndarray:
    """Stacked weights (Wolpert 1992; Breiman 1996) of few models, float64[models].

        min_w  Σ (rating − Σ_m w_m prediction_m)²,   w_m ≥ 0,   Σ_m w_m = 1

    over the models that `path` takes in. How many of them is decided by cross-validation over the
    folds: the fewest whose mean squared error is no more than one standard error, of its paired
    difference over the folds, above the least (the one-standard-error rule, Breiman et al. 1984).
    With a single fold nothing can be compared, and one model is taken.

    The sum is 1 and there is no intercept, since the models that are blended in the end have been
    fitted again on train + validation: they have learned how high ratings now are, and an
    intercept or another sum, learned beside models that had not, would correct the level twice.

    Parameters
    ----------
    folds:
        `error_products` of disjoint groups of users; at least one.
    rows:
        int[folds], how many rows each has, at least one.
    most_members:
        How many models may have a weight.
    """
    total = sum(folds[1:], folds[0])
    whole = path(total, most_members)
    if len(folds) == 1:
        return whole[0]
    errors = np.empty((len(folds), len(whole)))
    for at, (fold, n) in enumerate(zip(folds, rows, strict=True)):
        others = path(total - fold, most_members)
        errors[at] = [w @ fold @ w / n for w in others]
    above = errors - errors[:, [int(np.argmin(errors.mean(axis=0)))]]
    standard_error = above.std(axis=0, ddof=1) / np.sqrt(len(folds))
    return whole[int(np.argmax(above.mean(axis=0) <= standard_error))]


def path(errors: np.ndarray, most_members: int) -> list[np.ndarray]:
    """Best weights of 1, 2, … models, forward: each size adds the model that helps most.

    Gives min(most_members, models) arrays float64[models], each summing to 1. A later one may
    have no more members than the one before, when nobody else helps. O(sizes · models) small
    least-squares problems.
    """
    chosen: list[int] = []
    weights = []
    for _ in range(min(most_members, len(errors))):
        left = [model for model in range(len(errors)) if model not in chosen]
        found = [convex(errors, [*chosen, model]) for model in left]
        best = int(np.argmin([w @ errors @ w for w in found]))
        chosen.append(left[best])
        weights.append(found[best])
    return weights


def convex(errors: np.ndarray, models: Sequence[int]) -> np.ndarray:
    """Weights ≥ 0 of some models, summing to 1, that minimise wᵀ E w; float64[all models].

    Without the sum's condition, min_{w ≥ 0} wᵀ E w / 2 − Σ w has its solution in the same
    direction; with E = L Lᵀ it is min ‖Lᵀ w − L⁻¹ 1‖², which non-negative least squares solves.
    """
    inner = errors[np.ix_(models, models)]
    weights = np.zeros(len(errors))
    largest = float(np.diag(inner).max())
    if largest == 0:  # all are right about everything
        weights[list(models)] = 1 / len(models)
        return weights
    scaled = inner / largest
    lower = cholesky(scaled + _RIDGE * np.eye(len(models)), lower=True)
    found, _ = nnls(lower.T, solve_triangular(lower, np.ones(len(models)), lower=True))
    weights[list(models)] = found / found.sum()
    return weights
