"""The best items by inner product, exact, without a matrix of scores.

Scores are computed for some users and ITEMS items at a time and gone through at once, while they
lie in the nearest cache. A score is summed in one fixed order whoever is asked for beside, so the
bits depend neither on the number of threads nor on the other users.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.recommender.kernels.topk import drain, scan

ITEMS = 128  # × factors × 4 bytes: 32 KiB at 64 factors
USERS = 64  # that share one reading of the items
_AT_ONCE = 4  # users and factors of `_add_products`, written out there


@compiled()
def _packed(items: np.ndarray, n_factors: int) -> np.ndarray:
    """float32[blocks, n_factors · ITEMS]: factors by items of each block, zeros as padding."""
    n_items, known = items.shape
    packed = np.zeros((-(-n_items // ITEMS), n_factors * ITEMS), np.float32)
    for item in range(n_items):
        for factor in range(known):
            packed[item // ITEMS, factor * ITEMS + item % ITEMS] = items[item, factor]
    return packed


@numba.njit(fastmath={"contract", "reassoc"})
def _add_products(users: np.ndarray, block: np.ndarray, scores: np.ndarray) -> None:
    """Scores float32[4 · ITEMS] of four users with one block of items.

    Four users by four factors: each factor of an item is read once for four multiply-adds, and
    what is read fits the vector registers.
    """
    scores[:] = 0.0
    for f in range(0, users.shape[1], _AT_ONCE):
        a0, a1, a2, a3 = users[0, f], users[0, f + 1], users[0, f + 2], users[0, f + 3]
        b0, b1, b2, b3 = users[1, f], users[1, f + 1], users[1, f + 2], users[1, f + 3]
        c0, c1, c2, c3 = users[2, f], users[2, f + 1], users[2, f + 2], users[2, f + 3]
        d0, d1, d2, d3 = users[3, f], users[3, f + 1], users[3, f + 2], users[3, f + 3]
        first = np.uint64(f * ITEMS)
        for at in range(ITEMS):
            n = np.uint64(at)
            w, x = block[first + n], block[first + n + np.uint64(ITEMS)]
            y, z = block[first + n + np.uint64(2 * ITEMS)], block[first + n + np.uint64(3 * ITEMS)]
            scores[n] += a0 * w + a1 * x + a2 * y + a3 * z
            scores[n + np.uint64(ITEMS)] += b0 * w + b1 * x + b2 * y + b3 * z
            scores[n + np.uint64(2 * ITEMS)] += c0 * w + c1 * x + c2 * y + c3 * z
            scores[n + np.uint64(3 * ITEMS)] += d0 * w + d1 * x + d2 * y + d3 * z


@numba.njit
def _best_of_some(
    users: np.ndarray,
    packed: np.ndarray,
    n_items: int,
    left_out: tuple[np.ndarray, np.ndarray],
    some: tuple[int, int],
    ids: np.ndarray,
    best: np.ndarray,
) -> None:
    """Fill the lists of ``some`` = (first, how many) users, USERS at most."""
    first, count = some
    excluded_start, excluded = left_out
    n_factors = packed.shape[1] // ITEMS
    mine = np.zeros((-(-count // _AT_ONCE) * _AT_ONCE, n_factors), np.float32)
    mine[:count, : users.shape[1]] = users[first : first + count]
    scores = np.empty(_AT_ONCE * ITEMS, np.float32)
    size = np.zeros(count, np.int64)
    next_excluded = excluded_start[first : first + count].copy()
    for block in range(len(packed)):
        begin = block * ITEMS
        end = min(begin + ITEMS, n_items)
        for four in range(0, count, _AT_ONCE):
            _add_products(mine[four : four + _AT_ONCE], packed[block], scores)
            for n in range(four, min(four + _AT_ONCE, count)):
                user, own = first + n, scores[(n - four) * ITEMS :][: end - begin]
                at = next_excluded[n]
                while at < excluded_start[user + 1] and excluded[at] < end:
                    own[excluded[at] - begin] = -np.inf
                    at += 1
                next_excluded[n] = at
                size[n] = scan(own, begin, best[user], ids[user], size[n])
    for n in range(count):
        drain(best[first + n], ids[first + n], size[n])


@compiled(parallel=True)
def _best(
    users: np.ndarray,
    packed: np.ndarray,
    n_items: int,
    left_out: tuple[np.ndarray, np.ndarray],
    ids: np.ndarray,
    best: np.ndarray,
) -> None:
    n_users = len(users)
    for piece in numba.prange(-(-n_users // USERS)):
        some = piece * USERS, min(USERS, n_users - piece * USERS)
        _best_of_some(users, packed, n_items, left_out, some, ids, best)


@compiled()
def _best_of_few(
    users: np.ndarray,
    packed: np.ndarray,
    n_items: int,
    left_out: tuple[np.ndarray, np.ndarray],
    ids: np.ndarray,
    best: np.ndarray,
) -> None:
    """As `_best` of at most USERS users, which is one thread's work: without asking for threads."""
    _best_of_some(users, packed, n_items, left_out, (0, len(users)), ids, best)


class PackedItems(NamedTuple):
    """Items' factors in the order that `best_products` reads them; one more copy of them.

    Attributes
    ----------
    blocks:
        float32[blocks, n_factors · ITEMS], see `_packed`.
    n_items:
        How many there are.
    finite:
        Whether all factors are finite numbers.
    exact:
        They are all gone through.
    """

    blocks: np.ndarray
    n_items: int
    finite: bool
    exact: bool = True

    @classmethod
    def of(cls, items: np.ndarray) -> PackedItems:
        """Of float32[items, d]."""
        n_factors = -(-max(items.shape[1], 1) // _AT_ONCE) * _AT_ONCE
        return cls(_packed(items, n_factors), len(items), bool(np.isfinite(items).all()))

    def best(
        self, users: np.ndarray, excluded_start: np.ndarray, excluded: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `best_products`."""
        return best_products(users, self, excluded_start, excluded, k)


def best_products(
    users: np.ndarray,
    items: PackedItems,
    excluded_start: np.ndarray,
    excluded: np.ndarray,
    k: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The k items of each user with the largest inner product, ties by ascending item.

    Parameters
    ----------
    users:
        float32[n, d].
    items:
        `PackedItems` of float32[m, d].
    excluded_start, excluded:
        CSR index of the items that a user must not be given, ascending.

    Returns
    -------
    As `top_k` of users @ items.T, whose matrix never exists.

    Cost: n · m · d multiply-adds; the items' factors, 4 · m · d bytes, read from cache once for
    USERS users.
    """
    ids = np.full((len(users), k), -1, np.int32)
    best = np.full((len(users), k), -np.inf, np.float32)
    kernel = _best if len(users) > USERS else _best_of_few
    kernel(users, items.blocks, items.n_items, (excluded_start, excluded), ids, best)
    return ids, best
