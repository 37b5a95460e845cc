"""Bayesian personalised ranking: drawing triples and stepping on them, many at once.

A triple is (user u, liked item i, item j that u does not know). Two triples may be stepped on at
the same time when they share no user and no item. So the items are dealt into `GROUPS` groups
and a chunk's users into `WORKERS` blocks; a *cell* holds the triples of one block whose items lie
in one pair of groups. A round-robin tournament gives rounds of disjoint pairs, one pair a worker,
and in each round the blocks pass from worker to worker: nothing that a worker touches is touched
by another one, there are no locks, and the bits do not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.models.bpr.kernels.alias import Weighted, draw
from cofilter.recommender.kernels.random import random64
from cofilter.recommender.sparse import ItemLists

# Groups of items. More groups let more workers run at once but make more and smaller cells, for
# which all workers wait: 16 cost a quarter more on two cores, and much more on a busy machine.
GROUPS = 8
WORKERS = GROUPS // 2  # pieces of work that run at once, and blocks of users
CELLS = GROUPS * WORKERS  # of a block: GROUPS − 1 rounds of pairs, one of groups with themselves
PIECES = 16 * WORKERS  # of the drawing; a whole number of them a block
TRIES = 32  # at most so many draws of a negative for a row

# Sums may be reordered and multiply-adds fused; NaN and infinity stay what they are.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


def tournament() -> np.ndarray:
    """The cell of each pair of groups, int16[GROUPS, GROUPS], symmetric.

    Cell round · WORKERS + worker; by the circle method each of the first GROUPS − 1 rounds pairs
    all groups, and in the last one each worker has two groups, each with itself.
    """
    cell = np.empty((GROUPS, GROUPS), np.int16)
    around = GROUPS - 1
    for turn in range(around):
        for worker in range(WORKERS):
            one = (turn + worker) % around
            other = around if worker == 0 else (turn - worker) % around
            cell[one, other] = cell[other, one] = turn * WORKERS + worker
    for group in range(GROUPS):
        cell[group, group] = around * WORKERS + group // 2
    return cell


def deal(weight: np.ndarray) -> np.ndarray:
    """Groups uint8[n] of items, equal in number and nearly in weight.

    Items are dealt by falling weight, there and back again (0 … G − 1, G − 1 … 0, 0 …).
    """
    turn = np.arange(len(weight)) % (2 * GROUPS)
    group = np.empty(len(weight), np.uint8)
    group[np.argsort(-weight, kind="stable")] = np.minimum(turn, 2 * GROUPS - 1 - turn)
    return group


@numba.njit
def mark(bits: np.ndarray, items: np.ndarray) -> None:
    """Set the bit of each item; uint64[⌈n_items / 64⌉]."""
    for item in items:
        bits[item >> 6] |= np.uint64(1) << np.uint64(item & 63)


@numba.njit
def clear(bits: np.ndarray, items: np.ndarray) -> None:
    """Clear the bits that `mark` set."""
    for item in items:
        bits[item >> 6] = np.uint64(0)


@numba.njit
def negative(table: Weighted, bits: np.ndarray, key: np.uint64, row: int, tries: int) -> int:
    """An item whose bit is not set, −1 when ``tries`` draws, at most `TRIES`, found none."""
    for attempt in range(tries):
        item = draw(table, random64(key, np.uint64(row * TRIES + attempt)))
        known = (bits[item >> 6] >> np.uint64(item & 63)) & np.uint64(1)
        if known == 0:
            return item
    return -1


@compiled(parallel=True)
def draw_triples(
    users: np.ndarray,
    bounds: np.ndarray,
    offset: np.ndarray,
    liked: ItemLists,
    known: ItemLists,
    table: Weighted,
    group: np.ndarray,
    cell_of: np.ndarray,
    key: np.uint64,
    tries: int,
) -> tuple[np.ndarray, np.ndarray]:
    """One triple for each liked item of the given users, sorted by cell.

    Parameters
    ----------
    users, offset:
        int32[m] and int64[m + 1]: a chunk's users and the rows before each.
    bounds:
        int64[PIECES + 1], cuts ``users`` into pieces, PIECES / WORKERS of them a block.
    liked, known:
        Positives of all users, and what must not be drawn for them.
    table, key, tries:
        How negatives are drawn, and how often for a row; the draws of a row are functions of
        ``key`` and the row's place in ``liked`` alone.
    group, cell_of:
        `deal`'s and `tournament`'s answers.

    Returns
    -------
    (int32[triples, 3], int64[WORKERS · CELLS + 1] first triple of each block's cells). A row for
    which all draws hit known items has no triple.

    Cost a row: one or few draws of about 10 operations, marking and clearing a bit for each known
    item, a counting sort; 4 bytes read, 4 + 12 written and 4 read again. Scratch: 16 bytes a row
    of the chunk and n_items / 8 a piece.
    """
    n_rows = offset[-1]
    drawn = np.empty(n_rows, np.int32)
    place = np.zeros((PIECES, CELLS), np.int64)
    for piece in numba.prange(PIECES):
        bits = np.zeros((len(group) + 63) // 64, np.uint64)
        for at in range(bounds[piece], bounds[piece + 1]):
            user = users[at]
            seen = known.item[known.start[user] : known.start[user + 1]]
            mark(bits, seen)
            for row in range(liked.start[user], liked.start[user + 1]):
                other = negative(table, bits, key, row, tries)
                drawn[offset[at] + row - liked.start[user]] = other
                if other >= 0:
                    place[piece, cell_of[group[liked.item[row]], group[other]]] += 1
            clear(bits, seen)
    first = _places(place)
    triples = np.empty((first[-1], 3), np.int32)
    for piece in numba.prange(PIECES):
        for at in range(bounds[piece], bounds[piece + 1]):
            user = users[at]
            for row in range(liked.start[user], liked.start[user + 1]):
                item = liked.item[row]
                other = drawn[offset[at] + row - liked.start[user]]
                if other >= 0:
                    cell = cell_of[group[item], group[other]]
                    to = place[piece, cell]
                    triples[to, 0], triples[to, 1], triples[to, 2] = user, item, other
                    place[piece, cell] = to + 1
    return triples, first


@numba.njit
def _places(count: np.ndarray) -> np.ndarray:
    """Turn counts [piece, cell] into first places, by block, cell, piece; gives those of cells."""
    first = np.empty(WORKERS * CELLS + 1, np.int64)
    pieces = PIECES // WORKERS
    total = 0
    for block in range(WORKERS):
        for cell in range(CELLS):
            first[block * CELLS + cell] = total
            for piece in range(block * pieces, (block + 1) * pieces):
                size = count[piece, cell]
                count[piece, cell] = total
                total += size
    first[-1] = total
    return first


@numba.njit(fastmath=_FAST)
def softplus_of_minus(x: Any) -> Any:
    """ln(1 + e^−x) = −ln σ(x), without overflow."""
    return max(-x, np.float32(0)) + np.log1p(np.exp(-abs(x)))


@numba.njit(fastmath=_FAST)
def _step(p: np.ndarray, a: np.ndarray, b: np.ndarray, dim: int, lr: Any, l2: Any) -> Any:
    """Step on one triple in place; gives its loss before the step. Biases are a[dim], b[dim]."""
    x, size = a[dim] - b[dim], a[dim] * a[dim] + b[dim] * b[dim]
    for f in range(dim):
        x += p[f] * (a[f] - b[f])
        size += p[f] * p[f] + a[f] * a[f] + b[f] * b[f]
    pull = lr / (np.float32(1) + np.exp(x))
    shrink = np.float32(1) - lr * l2
    for f in range(dim):
        u, i, j = p[f], a[f], b[f]
        p[f] = shrink * u + pull * (i - j)
        a[f] = shrink * i + pull * u
        b[f] = shrink * j - pull * u
    a[dim] = shrink * a[dim] + pull
    b[dim] = shrink * b[dim] - pull
    return softplus_of_minus(x) + np.float32(0.5) * l2 * size


@compiled(parallel=True, fastmath=_FAST)
def train_triples(
    user_factors: np.ndarray,
    item_factors: np.ndarray,
    dim: int,
    triples: np.ndarray,
    first: np.ndarray,
    lr: np.float32,
    l2: np.float32,
) -> float:
    """Step on each triple once, in place; gives the sum of the losses before each one's step.

    The loss of a triple is −ln σ(x) + l2 / 2 · (|p_u|² + |q_i|² + |q_j|² + b_i² + b_j²) with
    x = p_u·(q_i − q_j) + b_i − b_j.

    Parameters
    ----------
    user_factors, item_factors:
        float32[users, ≥ dim] and float32[items, > dim], the item's bias in column ``dim``.
    triples, first:
        As `draw_triples` gives them.

    Cost a triple: about 15 · dim operations; 12 bytes read, and three rows of factors read and
    written, mostly in the caches. GROUPS · WORKERS steps that all workers wait for.
    """
    loss = np.zeros(WORKERS * CELLS)
    for turn in range(GROUPS):
        for shift in range(WORKERS):
            for worker in numba.prange(WORKERS):
                block = (worker + shift) % WORKERS
                cell = block * CELLS + turn * WORKERS + worker
                total = 0.0
                for at in range(first[cell], first[cell + 1]):
                    p = user_factors[triples[at, 0]]
                    a, b = item_factors[triples[at, 1]], item_factors[triples[at, 2]]
                    total += _step(p, a, b, dim, lr, l2)
                loss[cell] = total
    return loss.sum()


@compiled(parallel=True, fastmath=_FAST)
def fold_in(
    item_factors: np.ndarray,
    dim: int,
    liked: ItemLists,
    known: ItemLists,
    table: Weighted,
    keys: np.ndarray,
    tries: int,
    lr: np.float32,
    l2: np.float32,
) -> np.ndarray:
    """Factors float32[people, dim] of new users with the items fixed.

    From 0, one pass over a person's liked items for each of ``keys`` (uint64), by the steps of
    `train_triples` on the person's side alone; given is the mean over the second half of the
    passes, which takes most of the noise of the draws away (Polyak and Juditsky 1992). A draw
    depends on the pass and the liked item, so a person's factors do not depend on the others.

    Cost: about 8 · dim operations a liked item and pass.
    """
    n_people = len(liked.start) - 1
    result = np.zeros((n_people, dim), np.float32)
    averaged = len(keys) - len(keys) // 2
    shrink, share = np.float32(1) - lr * l2, np.float32(1.0 / averaged)
    for piece in numba.prange(PIECES):
        bits = np.zeros((len(item_factors) + 63) // 64, np.uint64)
        p = np.empty(dim, np.float32)
        for person in range(piece, n_people, PIECES):
            seen = known.item[known.start[person] : known.start[person + 1]]
            mark(bits, seen)
            p[:] = 0
            for turn in range(len(keys)):
                for at in range(liked.start[person], liked.start[person + 1]):
                    other = negative(table, bits, keys[turn], liked.item[at], tries)
                    if other >= 0:
                        a, b = item_factors[liked.item[at]], item_factors[other]
                        x = a[dim] - b[dim]
                        for f in range(dim):
                            x += p[f] * (a[f] - b[f])
                        pull = lr / (np.float32(1) + np.exp(x))
                        for f in range(dim):
                            p[f] = shrink * p[f] + pull * (a[f] - b[f])
                if turn >= len(keys) // 2:
                    for f in range(dim):
                        result[person, f] += share * p[f]
            clear(bits, seen)
    return result
