"""Scores of (user, item) pairs from factors."""

from __future__ import annotations

import numba
import numpy as np

from cofilter.core.compiled import compiled


@compiled(parallel=True, fastmath={"reassoc", "contract"})
def pair_scores(
    user: np.ndarray, row: np.ndarray, item: np.ndarray, column: np.ndarray, mean: float
) -> np.ndarray:
    """mean + b_u + b_i + p_u·q_i of pairs, float32[n]; the bias is each row's last column.

    ``user`` and ``item`` float32[rows, dim + 1], ``row`` and ``column`` int32[n]. Cost a pair:
    2 · dim operations and two rows read.
    """
    scores = np.empty(len(row), np.float32)
    dim = user.shape[1] - 1
    for pair in numba.prange(len(row)):
        u, i = row[pair], column[pair]
        product = np.float32(0.0)
        for f in range(dim):
            product += user[u, f] * item[i, f]
        scores[pair] = product + (mean + user[u, dim] + item[i, dim])
    return scores
