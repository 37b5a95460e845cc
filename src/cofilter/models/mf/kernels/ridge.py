"""Exact ridge regressions of many people on fixed item factors."""

from __future__ import annotations

import numba
import numpy as np

from cofilter.core.compiled import compiled

PIECES = 64  # pieces of work: enough to balance, few enough that scratch memory stays small
FAST = {"reassoc", "contract"}


@numba.njit(fastmath=FAST)
def _add_rating(normal: np.ndarray, x: np.ndarray, weight: float, target: float) -> None:
    """Add weight · x xᵀ to the upper triangle and weight · target · x to the last column."""
    width = len(x)
    for i in range(width):
        scaled = weight * x[i]
        for j in range(i, width):
            normal[i, j] += scaled * x[j]
        normal[i, width] += scaled * target


@numba.njit(fastmath=FAST)
def _solve(normal: np.ndarray, result: np.ndarray) -> None:
    """Cholesky in place on the upper triangle, the right side carried along as last column."""
    width = len(result)
    for i in range(width):
        scale = 1.0 / np.sqrt(normal[i, i])
        for j in range(i, width + 1):
            normal[i, j] *= scale
        for row in range(i + 1, width):
            factor = normal[i, row]
            for j in range(row, width + 1):
                normal[row, j] -= factor * normal[i, j]
    for i in range(width - 1, -1, -1):
        known = 0.0
        for j in range(i + 1, width):
            known += normal[i, j] * result[j]
        result[i] = (normal[i, width] - known) / normal[i, i]


@compiled(parallel=True)
def ridge_rows(
    start: np.ndarray,
    item: np.ndarray,
    target: np.ndarray,
    table: np.ndarray,
    weight: np.ndarray,
    penalty: np.ndarray,
    constant: float,
) -> np.ndarray:
    """Minimum over x of Σ w (target − x·q_i)² + penalty |x|² for each person.

    Parameters
    ----------
    start, item, target:
        Ratings by person: int64[people + 1], int32[n], float64[n].
    table:
        float32[items, dim + 1]; q_i is a row with ``constant`` (1 for a bias, 0 for none) in
        place of its last column.
    weight, penalty:
        float64[n], or one number for all, and float64[people] > 0.

    Returns
    -------
    float64[people, dim + 1]; 0 for a person without ratings.

    Float64 normal equations and Cholesky: dim² / 2 multiply-adds a rating and dim³ / 6 a person;
    a row of 4 · dim bytes is read a rating. A person is one worker's, so that the bits do not
    depend on the number of threads; a worker holds one matrix.
    """
    n_people, width = len(start) - 1, table.shape[1]
    result = np.zeros((n_people, width))
    every = 1 if len(weight) > 1 else 0
    for piece in numba.prange(PIECES):
        normal = np.empty((width, width + 1))
        x = np.empty(width)
        for person in range(piece, n_people, PIECES):
            normal[:] = 0.0
            for at in range(start[person], start[person + 1]):
                for i in range(width - 1):
                    x[i] = table[item[at], i]
                x[width - 1] = constant
                _add_rating(normal, x, weight[at * every], target[at])
            for i in range(width):
                normal[i, i] += penalty[person]
            _solve(normal, result[person])
    return result
