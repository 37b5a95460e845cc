"""SVD++ by stochastic gradient, a chunk of users at a time, without a conflict.

A *chunk* is a few users with all their ratings. It is worked in two passes:

1. by user, item rows fixed: z_u = |N(u)|^-½ Σ y_j is summed once, x_u = p_u + z_u then takes a
   step for each rating of the user, and p_u is what of x_u is not z_u;
2. by item, user rows fixed: q_i takes a step for each rating that the chunk has of the item, and
   y_i the sum of what its raters ask for.

Each row is owned by one worker and visited in a fixed order, so there are no locks and the bits
do not depend on the number of threads. y is older than p and q by one chunk at most.

Cost: O(n · dim) an epoch, where summing y anew for every rating would take O(n · |N| · dim). A
rating takes 14 · dim floating-point operations (twice a dot product, a step and a sum of rows)
and gathers four rows, two of items and two of the chunk's users, of 4 · dim bytes each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.models.mf.kernels.svdpp_chunks import Columns
from cofilter.recommender.kernels.random import random64
from cofilter.recommender.sparse import Sparse

WORKERS = 16  # pieces of work of a pass: enough to balance on the cores of one machine

# What stands for the largest eigenvalue of a user's Σ w q qᵀ, as a share of its trace. Measured on
# ml_100k and on 2 M ratings: 0.1 keeps chunks of 250,000 ratings from diverging, where without
# damping 60,000 diverge, and small chunks learn no worse for it.
DAMPING = np.float32(0.1)

# Multiply-adds may be fused; NaN and infinity stay what they are. Only in dot products may sums be
# reordered. Numba optimizes a parallel loop twice, on its own and within its caller: the process
# that compiles runs the first code, those that load its cache the second. With longer formulas that
# may be reordered the two had other bits.
_FUSED = {"contract", "nsz", "arcp"}
_FAST = {"reassoc", *_FUSED}


class Tables(NamedTuple):
    """Parameters: factors float32[rows, width] of users, items and implicit items, and biases."""

    user: np.ndarray
    item: np.ndarray
    implicit: np.ndarray
    user_bias: np.ndarray
    item_bias: np.ndarray


class Step(NamedTuple):
    """Learning rate and λ, float32."""

    rate: Any
    l2: Any


class Scratch(NamedTuple):
    """For each user of a chunk: x and the step of y, float32[users, width]; float32[users]
    ``curvature``, Σ w |q_i|²; float64[users] ``error``, Σ w e².
    """

    user: np.ndarray
    implicit: np.ndarray
    curvature: np.ndarray
    error: np.ndarray


@compiled(parallel=True, fastmath=_FUSED)
def implicit_sums(start: np.ndarray, item: np.ndarray, implicit: np.ndarray) -> np.ndarray:
    """z_u = |N(u)|^-½ Σ y_j of each row of items, float32[rows, width]; 0 for an empty one.

    O(n · width); reads 4 · width bytes a rating.
    """
    n_rows = len(start) - 1
    sums = np.zeros((n_rows, implicit.shape[1]), np.float32)
    for row in numba.prange(n_rows):
        _sum_rows(start[row], start[row + 1], item, implicit, sums, row)
    return sums


@numba.njit(fastmath=_FUSED)
def _sum_rows(
    first: int, last: int, item: np.ndarray, table: np.ndarray, sums: np.ndarray, row: int
) -> None:
    """Write n^-½ times the sum of the n rows of ``table`` that ``item[first:last]`` names."""
    share = np.float32(1.0 / np.sqrt(max(last - first, 1)))
    for k in range(table.shape[1]):
        sums[row, k] = 0.0
    for at in range(first, last):
        i = item[at]
        for k in range(table.shape[1]):
            sums[row, k] += table[i, k]
    for k in range(table.shape[1]):
        sums[row, k] *= share


# Rows are indexed in place: a view of each would be counted, atomically, for every rating.
@numba.njit(fastmath=_FAST)
def _dot(left: np.ndarray, row: int, right: np.ndarray, other: int) -> Any:
    product = np.float32(0.0)
    for k in range(left.shape[1]):
        product += left[row, k] * right[other, k]
    return product


@numba.njit(fastmath=_FUSED)
def _step_user(
    user: int,
    place: int,
    turn: np.uint64,
    rows: Sparse,
    weight: np.ndarray,
    tables: Tables,
    step: Step,
    scratch: Scratch,
) -> tuple[float, Any]:
    """All ratings of one user, from a place that ``turn`` chooses on; gives (Σ w e², Σ w |q|²).

    Leaves x_u in ``scratch.user[place]`` and |N(u)|^-½ η g_u, the step of y, in
    ``scratch.implicit[place]``.
    """
    first, last = rows.start[user], rows.start[user + 1]
    n, width = last - first, tables.item.shape[1]
    kept = np.float32(np.exp(-step.rate * step.l2 * n))
    p, q, x, z = tables.user, tables.item, scratch.user, scratch.implicit
    _sum_rows(first, last, rows.at, tables.implicit, z, place)
    for k in range(width):
        p[user, k] *= kept
        x[place, k] = p[user, k] + z[place, k]
    bias, total, curvature = tables.user_bias[user], 0.0, np.float32(0.0)
    at = first + np.int64(random64(turn, np.uint64(user)) % np.uint64(n))
    for _ in range(n):
        i = rows.at[at]
        product, square = _dot(x, place, q, i), _dot(q, i, q, i)
        error = rows.value[at] - bias - tables.item_bias[i] - product
        pull = weight[i] * error
        move = step.rate * pull
        for k in range(width):
            x[place, k] += move * q[i, k]
        bias += step.rate * (pull - step.l2 * bias)
        total += np.float64(pull) * np.float64(error)
        curvature += weight[i] * square
        at = at + 1 if at + 1 < last else first
    tables.user_bias[user] = bias
    share = np.float32(1.0 / np.sqrt(n))
    for k in range(width):
        own = x[place, k] - z[place, k]
        z[place, k] = share * (own - p[user, k])
        p[user, k] = own
    return total, curvature


@numba.njit(fastmath=_FUSED)
def _step_item(
    segment: int,
    base: int,
    columns: Columns,
    weight: np.ndarray,
    tables: Tables,
    step: Step,
    scratch: Scratch,
) -> None:
    """All ratings that one item has in a chunk, whose first user is ``base``."""
    i, width = columns.item[segment], tables.item.shape[1]
    first, last = columns.start[segment], columns.start[segment + 1]
    q, y, x, pulled = tables.item, tables.implicit, scratch.user, scratch.implicit
    kept = np.float32(np.exp(-step.rate * step.l2 * (last - first)))
    curvature = np.float32(0.0)
    for at in range(first, last):
        curvature += scratch.curvature[columns.user[at]]
    damped = np.float32(1.0) / (np.float32(1.0) + DAMPING * step.rate * curvature)
    for k in range(width):
        q[i, k] *= kept
        y[i, k] *= kept
    bias = tables.item_bias[i]
    for at in range(first, last):
        u = columns.user[at]
        error = columns.rating[at] - bias - tables.user_bias[base + u] - _dot(x, u, q, i)
        pull = weight[i] * error
        move = step.rate * pull
        for k in range(width):
            q[i, k] += move * x[u, k]
        for k in range(width):
            y[i, k] += damped * pulled[u, k]
        bias += step.rate * (pull - step.l2 * bias)
    tables.item_bias[i] = bias


@compiled(parallel=True)
def step_chunks(
    chunks: np.ndarray,
    rows: Sparse,
    columns: Columns,
    weight: np.ndarray,
    tables: Tables,
    step: Step,
    turn: np.uint64,
    scratch: Scratch,
) -> float:
    """Work through chunks in the given order, changing ``tables``.

    With e = r − b_u − b_i − x_u·q_i (ratings given less their mean), w the item's weight and η
    the learning rate,

        p_u ← exp(−η λ |N(u)|) p_u, once; then for each rating x_u ← x_u + η w e q_i;
        q_i ← exp(−η λ n) q_i, n its ratings in the chunk; then for each q_i ← q_i + η w e x_u;
        y_i ← exp(−η λ n) y_i + η / (1 + η C_i) Σ_u |N(u)|^-½ g_u;    b ← b + η (w e − λ b)

    where g_u is Σ w e q_i of the user's own steps, got without a sum of its own, since x_u moved by
    η g_u; and C_i = `DAMPING` Σ_u Σ_{j ∈ N(u)} w_j |q_j|² over the chunk's raters u of i. All of a
    chunk's users pull at the same y at once; C_i bounds the curvature that they meet together (the
    row sum of the Hessian), so that the step stays stable in a large chunk. A step is half the
    gradient of a rating's term of the loss, as is usual.

    Parameters
    ----------
    chunks:
        int64, the chunks to work; a call takes as long as they are.
    weight:
        float32[items].
    tables:
        Changed in place.
    turn:
        Key by which each user's first rating is chosen.
    scratch:
        Room for the users of the largest chunk.

    Returns
    -------
    Σ w e² of the users' passes, each error taken before its own step.
    """
    total = 0.0
    curvature, errors = scratch.curvature, scratch.error
    for place in range(len(chunks)):
        chunk = chunks[place]
        base = columns.first[chunk]
        n_users = columns.first[chunk + 1] - base
        for worker in numba.prange(WORKERS):
            for user in range(worker, n_users, WORKERS):
                errors[user], curvature[user] = _step_user(
                    base + user, user, turn, rows, weight, tables, step, scratch
                )
        for worker in numba.prange(WORKERS):
            for segment in range(
                columns.segment[chunk] + worker, columns.segment[chunk + 1], WORKERS
            ):
                _step_item(segment, base, columns, weight, tables, step, scratch)
        for user in range(n_users):
            total += errors[user]
    return total
