"""How much users and items differ, against how noisy a rating is: what biases should shrink by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cofilter.core.matrix import Interactions

MOST = 1e6  # pseudo-ratings; stands for a side whose members do not differ


class Variances(NamedTuple):
    """Of user effects, item effects and what is left of a rating."""

    user: float
    item: float
    error: float


def variance_components(data: Interactions) -> Variances | None:
    """Variances of a, b and ε in r_ui = μ + a_u + b_i + ε_ui, all independent and of mean 0.

    By moments (Henderson 1953, method I; in this form Gao and Owen 2017, "Efficient moment
    calculations for variance components in large unbalanced crossed random effects models"). With
    n ratings of U users and I items, n_u and n_i of each, the expected sums of squares are

        within users:  (n − U) (σ_b² + σ_ε²)
        within items:  (n − I) (σ_a² + σ_ε²)
        of all, × n:   (n² − Σ n_u²) σ_a² + (n² − Σ n_i²) σ_b² + (n² − n) σ_ε²

    and the three are solved for. An estimate may be below 0. None where the ratings cannot tell
    them apart, as when nobody has rated twice. O(n) operations.
    """
    rating = data.rating.astype(np.float64)
    rating -= rating.mean()
    n = float(len(rating))
    count = [np.bincount(data.user), np.bincount(data.item)]
    total = [np.bincount(side, rating) for side in (data.user, data.item)]
    squares = float(rating @ rating)
    found = [squares - float((t**2 / c).sum()) for t, c in zip(total, count, strict=True)]
    users, items = (n - len(c) for c in count)
    both = [n**2 - float((c.astype(np.float64) ** 2).sum()) for c in count]
    # In shares of their largest, so that the test of rank below means the same for any n.
    system = np.array([[0.0, users, users], [items, 0.0, items], [*both, n**2 - n]])
    size = np.abs(system).max(axis=1)
    if not size.all():
        return None
    system /= size[:, None]
    if np.linalg.matrix_rank(system) < 3:
        return None
    return Variances(*np.linalg.solve(system, np.array([*found, n * squares]) / size).tolist())


def shrinkage(data: Interactions) -> tuple[float, float] | None:
    """(λ_user, λ_item) of the best linear prediction of the effects, σ_ε² / σ_a² and σ_ε² / σ_b².

    From 0 to `MOST`; None where `variance_components` are unknown.
    """
    found = variance_components(data)
    if found is None:
        return None
    error = max(found.error, 0.0)
    user, item = (
        error / each if each > error / MOST else MOST for each in (found.user, found.item)
    )
    return user, item
