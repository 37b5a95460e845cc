"""Gradient steps of matrix factorization: stochastic over a grid of blocks, and full-batch.

The same bits for any number of threads: a row of factors is only ever touched by one worker at a
time, in an order that the data alone sets, and the pieces of work are fixed in number.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.models.mf.kernels.blocks import GROUPS, Grid

PIECES = 64  # pieces of a full-batch pass: enough to balance
# Sums may be taken in SIMD lanes; NaN and infinity must still come through.
FAST = {"reassoc", "contract"}


class Side(NamedTuple):
    """What is learned of the users or of the items, one row each.

    ``factors`` float32[rows, width], zero beyond the model's dim; ``bias`` float32[rows];
    ``squares`` float32[rows], AdaGrad's running sum (not used by plain SGD).
    """

    factors: np.ndarray
    bias: np.ndarray
    squares: np.ndarray


class Step(NamedTuple):
    """How a step is made: ``lr``, ``l2`` and the model's ``dim``, over which squares are averaged;
    ``adaptive`` (AdaGrad or plain SGD) and ``biased`` (whether biases are learned).
    """

    lr: np.float32
    l2: np.float32
    dim: np.float32
    adaptive: bool
    biased: bool


@numba.njit(fastmath=FAST)
def _sgd_block(
    grid: Grid,
    keys: int,
    begin: int,
    end: int,
    users: Side,
    items: Side,
    step: Step,
) -> float:
    """The steps of users ``begin`` to ``end`` on one item group; gives Σ w e².

    A function of its own, since Numba drops stores to a tuple's arrays inside a `prange`.
    """
    error = 0.0
    one, two = np.float32(1.0), np.float32(2.0)
    share = one / step.dim
    width = users.factors.shape[1]
    every = 1 if len(grid.weight) > 1 else 0
    for u in range(begin, end):
        for at in range(grid.start[keys + u], grid.start[keys + u + 1]):
            i = grid.item[at]
            product, p_square, q_square = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for f in range(width):
                p, q = users.factors[u, f], items.factors[i, f]
                product += p * q
                p_square += p * p
                q_square += q * q
            user_rate, item_rate = step.lr, step.lr
            if step.adaptive:
                user_rate /= np.sqrt(users.squares[u])
                item_rate /= np.sqrt(items.squares[i])
            e = grid.value[at] - product - users.bias[u] - items.bias[i]
            pull = grid.weight[at * every] * e
            error += np.float64(pull) * np.float64(e)
            if step.adaptive:
                # |pull · q − λ p|² and |pull · p − λ q|² from the three sums above.
                both = two * pull * step.l2 * product
                own, other = step.l2 * step.l2, pull * pull
                users.squares[u] += (other * q_square - both + own * p_square) * share
                items.squares[i] += (other * p_square - both + own * q_square) * share
            user_keep, user_pull = one - user_rate * step.l2, user_rate * pull
            item_keep, item_pull = one - item_rate * step.l2, item_rate * pull
            if step.biased:
                users.bias[u] = user_keep * users.bias[u] + user_pull
                items.bias[i] = item_keep * items.bias[i] + item_pull
            for f in range(width):
                p, q = users.factors[u, f], items.factors[i, f]
                users.factors[u, f] = user_keep * p + user_pull * q
                items.factors[i, f] = item_keep * q + item_pull * p
    return error


@compiled(parallel=True, fastmath=FAST)
def sgd_diagonal(
    grid: Grid,
    shift: int,
    part: int,
    parts: int,
    users: Side,
    items: Side,
    step: Step,
) -> tuple[np.ndarray, np.ndarray]:
    """One step for each rating of one diagonal's blocks, or of part ``part`` of ``parts`` of it.

    With e = r − b_u − b_i − p_u·q_i and w the rating's weight, both rows at once:

        p_u += η_u (w e q_i − λ p_u),    b_u += η_u (w e − λ b_u)

    and likewise for the item. Plain SGD: η = lr. AdaGrad by rows (Duchi, Hazan and Singer 2011,
    one rate a row): η_u = lr / √S_u, where S_u has gathered |w e q_i − λ p_u|² / dim of the
    steps before (not of the present one, so that no root is waited for); the bias shares its
    row's rate.

    Parameters
    ----------
    users, items:
        Updated in place.

    Returns
    -------
    float64[GROUPS], Σ w e² of each block, e before its step; int64[GROUPS], ratings stepped.

    Cost a rating: 10 · width operations. It reads 8 bytes of rating and touches two rows of
    4 · width + 8 bytes: the item's within a group that fits L2, the user's once for all its
    ratings in the block.
    """
    errors, count = np.zeros(GROUPS), np.zeros(GROUPS, np.int64)
    for a in numba.prange(GROUPS):
        first, size = grid.user_bound[a], grid.user_bound[a + 1] - grid.user_bound[a]
        begin, end = first + size * part // parts, first + size * (part + 1) // parts
        keys = (a + shift) % GROUPS * len(users.bias)
        count[a] = grid.start[keys + end] - grid.start[keys + begin]
        errors[a] = _sgd_block(grid, keys, begin, end, users, items, step)
    return errors, count


class Rows(NamedTuple):
    """Ratings by the rows of one side: int64 start, int32 other side's row, float32 value, and
    float32 weight of each; one weight of 1 where all count alike.
    """

    start: np.ndarray
    other: np.ndarray
    value: np.ndarray
    weight: np.ndarray


@compiled(parallel=True, fastmath=FAST)
def descend(
    rows: Rows,
    bound: np.ndarray,
    own: np.ndarray,
    other: np.ndarray,
    lr: np.float32,
    l2: np.float32,
    stepped: np.ndarray,
) -> np.ndarray:
    """One step of full-batch gradient descent for some rows of one side.

        stepped_r = x_r − lr (λ x_r − Σ_ratings w e y),    e = value − x_r·y

    x_r is a row of ``own`` and y the rated row of ``other``; both stay as they are, so that the
    two sides can be stepped from the same point.

    Parameters
    ----------
    bound:
        int64[PIECES + 1], the rows of each piece of work.
    own, other, stepped:
        float32[rows, width]; ``stepped`` is written.

    Returns
    -------
    float64[PIECES], Σ w e² of each piece.

    Cost a rating: 4 · width operations, 12 bytes of rating and weight and one row of
    4 · width bytes.
    """
    errors = np.zeros(PIECES)
    width = own.shape[1]
    every = 1 if len(rows.weight) > 1 else 0
    for piece in numba.prange(PIECES):
        error = 0.0
        for row in range(bound[piece], bound[piece + 1]):
            keep = np.float32(1.0) - lr * l2
            for f in range(width):
                stepped[row, f] = keep * own[row, f]
            for at in range(rows.start[row], rows.start[row + 1]):
                y = rows.other[at]
                product = np.float32(0.0)
                for f in range(width):
                    product += own[row, f] * other[y, f]
                e = rows.value[at] - product
                pull = rows.weight[at * every] * e
                error += np.float64(pull) * np.float64(e)
                pull *= lr
                for f in range(width):
                    stepped[row, f] += pull * other[y, f]
        errors[piece] = error
    return errors


def balanced(start: np.ndarray, calls: int) -> np.ndarray:
    """Rows cut into pieces of about equal ratings, int64[calls, PIECES + 1]: where each begins."""
    n_rows, n = len(start) - 1, start[-1]
    ends = np.searchsorted(start, n * np.arange(calls * PIECES + 1) / (calls * PIECES))
    ends[0], ends[-1] = 0, n_rows
    return np.stack([ends[at : at + PIECES + 1] for at in range(0, calls * PIECES, PIECES)])
