"""A row with few observed pairs, solved by as many unknowns as it has pairs.

The normal equations of an implicit row are A x = b with

    A = B + Σ_k s_k y_k y_kᵀ,   b = Σ_k (1 + s_k) y_k,   B = YᵀY + λ I the same for all rows,

k over its pairs, y_k the fixed side's factors and s_k what the pair weighs beyond 1. With
z_k = B⁻¹ y_k, had once for all rows, and K_kl = y_k·z_l the minimum is x = Σ_k w_k z_k (the matrix
inversion lemma), where

    (I + S½ K S½) r = S½ K (1 + s),   w = 1 + s − S½ r,   S = diag(s).

Exact as Cholesky of A is. Cost of n pairs: width · n² / 2 + n³ / 6 multiply-adds, not
width² · n / 2 + width³ / 6.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from cofilter.models.als.kernels.solve import FAST, factorize, substitute
from cofilter.models.als.kernels.tile import LANES
from cofilter.recommender.sparse import Sparse

NARROW = 64  # width up to which a row's own equations cost little


class Few(NamedTuple):
    """``most``: rows of up to so many pairs are solved so; ``solution``: float32[n, width], Z."""

    most: int
    solution: np.ndarray


NO_ROW = Few(0, np.empty((0, 0), np.float32))


def most_pairs(width: int) -> int:
    """Up to how many pairs it pays: at half the width the work is a third; none where narrow."""
    return width // 2 if width > NARROW else 0


def few_of(factor: np.ndarray, base: np.ndarray, regularization: float) -> Few:
    """Z = Y B⁻¹ of the fixed side's factors Y and their Gram matrix ``base``."""
    ridge = np.eye(len(base)) * float(regularization)
    with threadpool_limits(1, user_api="blas"):  # how a product is cut shows in its last digits
        inverse = cho_solve(cho_factor(base.astype(np.float64) + ridge), np.eye(len(base)))
        return Few(most_pairs(len(base)), factor @ inverse.astype(np.float32))


@numba.njit(fastmath=FAST, error_model="numpy")
def _product(a: np.ndarray, b: np.ndarray) -> np.float32:
    total = np.float32(0.0)
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@numba.njit(fastmath=FAST, error_model="numpy")
def solve_dual(
    rows: Sparse,
    first: int,
    last: int,
    surplus: np.ndarray,
    factor: np.ndarray,
    solution: np.ndarray,
    x: np.ndarray,
) -> float:
    """Fill x, float32[width], with the minimum for entries first … last − 1; gives its loss.

    Parameters
    ----------
    surplus:
        float32[last − first], s of each entry.
    factor, solution:
        float32[n, width], Y and Z of the fixed side.
    """
    n = last - first
    size = -(-n // LANES) * LANES
    normal = np.zeros((size + 1, size + LANES), np.float32)
    right, answer = size + 1, np.empty(size + 1, np.float32)
    root = np.sqrt(surplus)
    for i in range(n):
        own = factor[rows.at[first + i]]
        for j in range(i, n):
            between = _product(own, solution[rows.at[first + j]])
            normal[i, j] = root[i] * between * root[j]
            normal[i, right] += root[i] * between * (np.float32(1.0) + surplus[j])
            if j > i:
                normal[j, right] += root[j] * between * (np.float32(1.0) + surplus[i])
    for i in range(size):
        normal[i, i] += np.float32(1.0)
    factorize(normal, size)
    substitute(normal, size, False, answer)
    x[:] = np.float32(0.0)
    for i in range(n):
        weight = np.float32(1.0) + surplus[i] - root[i] * answer[i]
        z = solution[rows.at[first + i]]
        for at in range(len(x)):
            x[at] += weight * z[at]
    loss = 0.0
    for i in range(n):
        missing = np.float32(1.0) - _product(factor[rows.at[first + i]], x)
        loss += np.float64((np.float32(1.0) + surplus[i]) * missing)
    return loss
