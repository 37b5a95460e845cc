"""One half of an alternating least squares iteration: every row of one side solved exactly.

Each *row* (a user, or an item) is solved against the *fixed* other side. Its normal equations
are summed from gathered factors tile by tile, so that the cost is that of a matrix product:
per rating width² / 2 multiply-adds and width · 4 + 8 bytes read; per row, on top, width³ / 6
multiply-adds for Cholesky, or (steps + 1) · width² for conjugate gradient.

A row's result depends on nothing but its ratings and the fixed side, so rows may be solved in
any order by any worker: the bits are the same for any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.models.als.kernels.dual import Few, solve_dual
from cofilter.models.als.kernels.solve import CHUNK, FAST, add_gram, cholesky, conjugate_gradient
from cofilter.models.als.kernels.tile import LANES, take_task
from cofilter.recommender.sparse import Sparse

WORKERS = 64  # most threads that can take part
PIECES = 64  # parts that a table's Gram matrix is summed in
GRAB = 4  # rows that a worker takes at a time


class Table(NamedTuple):
    """One side's parameters: float32 factor[n, width], width a multiple of LANES and unused
    columns 0, and bias[n].
    """

    factor: np.ndarray
    bias: np.ndarray


class Objective(NamedTuple):
    """What is minimised; v = slope · rating + shift is a rating's part in it.

    ``implicit`` False: Σ w (v − b_u − b_i − p_u·q_i)² + λ Σ over ratings (|p_u|² + b_u² + …).
    ``implicit`` True: Σ over all pairs c (1[rated] − p_u·q_i)² + λ (Σ|p_u|² + Σ|q_i|²),
    c = 1 + w v where rated, otherwise 1; no biases.
    """

    implicit: bool
    slope: np.float32
    shift: np.float32
    regularization: np.float32


@numba.njit(fastmath=FAST)
def _assemble(
    rows: Sparse,
    weight: np.ndarray,
    row: int,
    fixed: Table,
    base: np.ndarray,
    objective: Objective,
    gathered: np.ndarray,
    sums: np.ndarray,
    normal: np.ndarray,
) -> float:
    """Fill ``normal`` with the row's normal equations; gives the part of its loss without x.

    ``gathered``: float32[CHUNK, width]; ``sums``: float32[2, width], both scratch.
    """
    width = fixed.factor.shape[1]
    first, last = rows.start[row], rows.start[row + 1]
    normal[:] = np.float32(0.0)
    if objective.implicit:
        for i in range(width):
            for j in range(width):
                normal[i, j] = base[i, j]
    edge, right = sums[0], sums[1]
    every = 1 if len(weight) > 1 else 0
    constant, target_sum, total = 0.0, 0.0, 0.0
    for start in range(first, last, CHUNK):
        n = min(CHUNK, last - start)
        sums[:] = np.float32(0.0)
        for k in range(n):
            at = rows.at[start + k]
            value = objective.slope * rows.value[start + k] + objective.shift
            w = weight[(start + k) * every]
            if objective.implicit:
                surplus = w * value
                root, pull = np.sqrt(surplus), np.float32(1.0) + surplus
                constant += np.float64(pull)
            else:
                target = value - fixed.bias[at]
                root, pull = np.sqrt(w), w * target
                constant += np.float64(pull) * np.float64(target)
                target_sum += np.float64(pull)
                total += np.float64(w)
            factor, to = fixed.factor[at], gathered[k]
            for i in range(width):
                to[i] = root * factor[i]
                edge[i] += w * factor[i]
                right[i] += pull * factor[i]
        add_gram(gathered, 0, n, normal)
        for i in range(width):
            normal[i, width] += edge[i]
            normal[i, width + 1] += right[i]
    ridge = objective.regularization
    if objective.implicit:
        normal[:, width] = np.float32(0.0)
        normal[width, width] = np.float32(1.0)
    else:
        ridge *= np.float32(last - first)
        normal[width, width] = np.float32(total) + ridge
        normal[width, width + 1] = np.float32(target_sum)
    for i in range(width):
        normal[i, i] += ridge
    return constant


@numba.njit(fastmath=FAST)
def _surplus(
    rows: Sparse, weight: np.ndarray, first: int, last: int, objective: Objective
) -> np.ndarray:
    """float32[last − first], what each of a row's entries weighs beyond 1 when implicit."""
    surplus = np.empty(last - first, np.float32)
    every = 1 if len(weight) > 1 else 0
    for k in range(first, last):
        value = objective.slope * rows.value[k] + objective.shift
        surplus[k - first] = weight[k * every] * value
    return surplus


@compiled(parallel=True)
def solve_rows(
    rows: Sparse,
    weight: np.ndarray,
    order: np.ndarray,
    fixed: Table,
    base: np.ndarray,
    few: Few,
    objective: Objective,
    steps: int,
    own_factor: np.ndarray,
    own_bias: np.ndarray,
    loss: np.ndarray,
    counter: np.ndarray,
) -> None:
    """Solve the rows named in ``order`` into ``own``, heaviest first for balance.

    Parameters
    ----------
    weight:
        float32 ≥ 0, w of each stored entry of ``rows``; one 1 where all count alike.
    base:
        float32[width, width], the fixed side's Gram matrix; read only when implicit.
    few:
        For the rows that `cofilter.models.als.kernels.dual` solves.
    steps:
        0: Cholesky; otherwise steps of conjugate gradient from the values in ``own``.
    loss:
        float64[rows], gets each solved row's part of the objective: its ratings' (implicit: all
        pairs') errors plus its own penalty.

    Scratch: CHUNK · width + (width + 1) · (width + LANES) floats a thread.
    """
    n, width = len(order), fixed.factor.shape[1]
    for _ in numba.prange(WORKERS):
        task = take_task(counter) * GRAB
        if task < n:
            gathered = np.empty((CHUNK, width), np.float32)
            normal = np.empty((width + 1, width + LANES), np.float32)
            sums = np.empty((2, width), np.float32)
            scratch = np.empty((4, width + 1), np.float32)
            x = np.empty(width + 1, np.float32)
            while task < n:
                for place in range(task, min(task + GRAB, n)):
                    row = order[place]
                    if rows.start[row] == rows.start[row + 1]:
                        own_factor[row] = np.float32(0.0)
                        own_bias[row] = np.float32(0.0)
                        loss[row] = 0.0
                        continue
                    first, last = rows.start[row], rows.start[row + 1]
                    if last - first <= few.most:
                        surplus = _surplus(rows, weight, first, last, objective)
                        loss[row] = solve_dual(
                            rows, first, last, surplus, fixed.factor, few.solution, x[:width]
                        )
                        own_factor[row] = x[:width]
                        own_bias[row] = np.float32(0.0)
                        continue
                    constant = _assemble(
                        rows, weight, row, fixed, base, objective, gathered, sums, normal
                    )
                    if steps == 0:
                        found = cholesky(normal, width, not objective.implicit, x)
                    else:
                        x[:width] = own_factor[row]
                        x[width] = own_bias[row]
                        found = conjugate_gradient(normal, width, steps, x, scratch)
                    own_factor[row] = x[:width]
                    own_bias[row] = x[width]
                    loss[row] = constant + found
                task = take_task(counter) * GRAB


@compiled(parallel=True)
def _gram_parts(table: np.ndarray, parts: np.ndarray) -> None:
    n = len(table)
    for piece in numba.prange(PIECES):
        end = n * (piece + 1) // PIECES
        for first in range(n * piece // PIECES, end, CHUNK):
            add_gram(table, first, min(first + CHUNK, end), parts[piece])


def gram(table: np.ndarray) -> np.ndarray:
    """tableᵀ table, float32[width, width], of float32[n, width]; summed in a fixed order.

    Cost: n · width² / 2 multiply-adds, n · width · 4 bytes.
    """
    width = table.shape[1]
    parts = np.zeros((PIECES, width, width), np.float32)
    _gram_parts(table, parts)
    upper = np.triu(parts.sum(axis=0, dtype=np.float64))
    return (upper + np.triu(upper, 1).T).astype(np.float32)
