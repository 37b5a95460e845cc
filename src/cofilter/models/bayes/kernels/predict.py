"""Mean and spread of predictions over the kept draws of a Bayesian factorization."""

from __future__ import annotations

import math

import numba
import numpy as np

from cofilter.core.compiled import compiled


@compiled(parallel=True, fastmath={"reassoc", "contract", "nsz"})
def pair_moments(
    user: np.ndarray, item: np.ndarray, row: np.ndarray, column: np.ndarray, n_kept: int, dim: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each pair's rating over the kept draws.

    Draw k says p_k·q_k + b_k + c_k and noise of variance s_k · t_k; the variance given is that of
    the draws' answers plus the mean of their noise.

    Parameters
    ----------
    user, item:
        float32[n, n_kept · (dim + 2)]: all draws' factors, then biases, then noise variances.
    row, column:
        int32[pairs], into ``user`` and ``item``.

    Returns
    -------
    (float32[pairs], float32[pairs]).

    Cost: n_kept · (dim + 3) multiply-adds and 8 · n_kept · (dim + 2) bytes a pair.
    """
    mean, std = np.empty(len(row), np.float32), np.empty(len(row), np.float32)
    biases, noises = n_kept * dim, n_kept * (dim + 1)
    for pair in numba.prange(len(row)):
        p, q = user[row[pair]], item[column[pair]]
        total, squares, noise = 0.0, 0.0, 0.0
        for draw in range(n_kept):
            score = p[biases + draw] + q[biases + draw]
            for at in range(draw * dim, (draw + 1) * dim):
                score += p[at] * q[at]
            total += score
            squares += np.float64(score) * score
            noise += p[noises + draw] * q[noises + draw]
        average = total / n_kept
        spread = max(0.0, squares / n_kept - average * average)
        mean[pair] = average
        std[pair] = math.sqrt(spread + noise / n_kept)
    return mean, std
