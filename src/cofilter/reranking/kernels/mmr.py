"""Maximal marginal relevance: the greedy choice, and the similarities that it asks for."""

from __future__ import annotations

import numba
import numpy as np

from cofilter.core.compiled import compiled

WORD = 64  # users whose ratings of an item lie in one word


@numba.njit
def _shared(one: np.ndarray, other: np.ndarray) -> int:
    """How many bits are set in both."""
    total = np.uint64(0)
    for at in range(len(one)):
        x = one[at] & other[at]
        x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
        x = (x & np.uint64(0x3333333333333333)) + (
            (x >> np.uint64(2)) & np.uint64(0x3333333333333333)
        )
        x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        total += (x * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return int(total)


@numba.njit
def _by_raters(raters: np.ndarray, count: np.ndarray, one: int, other: int) -> float:
    """Cosine of two rows of bits; 0 for a row without any."""
    square = count[one] * count[other]
    return _shared(raters[one], raters[other]) / np.sqrt(square) if square > 0 else 0.0


@numba.njit
def _by_factors(factors: np.ndarray, length: np.ndarray, one: int, other: int) -> float:
    """Cosine of two rows of factors; 0 for a row of zeros."""
    product = 0.0
    for f in range(factors.shape[1]):
        product += np.float64(factors[one, f]) * np.float64(factors[other, f])
    square = length[one] * length[other]
    return product / square if square > 0 else 0.0


@numba.njit
def _choose(relevance: np.ndarray, strength: float, largest: np.ndarray, left: np.ndarray) -> int:
    """The best candidate that is left, of equals the first; it is not left then."""
    best, chosen = -np.inf, -1
    for at in range(len(relevance)):
        value = (1.0 - strength) * relevance[at] - strength * largest[at]
        if left[at] and value > best:
            best, chosen = value, at
    left[chosen] = False
    return chosen


@compiled(parallel=True)
def mmr_by_factors(
    items: np.ndarray,
    own: np.ndarray,
    relevance: np.ndarray,
    strength: float,
    factors: np.ndarray,
    k: int,
) -> np.ndarray:
    """The k candidates of each user in the order that maximal marginal relevance chooses them.

    Parameters
    ----------
    items:
        int32[users, n], candidates in the model's order, n ≥ k.
    own:
        int64[users], how many from the first take part; what follows stays where it is.
    relevance:
        float64[users, n].
    strength:
        λ of (1 − λ) · relevance − λ · largest cosine to what is chosen.
    factors:
        float32[items, d].

    Returns
    -------
    int32[users, k], places among the candidates. Of equals the first, so the model's order.

    Cost: O(n · d · k) a user. Users are independent, so the result does not depend on threads.
    """
    places = np.empty((len(items), k), np.int32)
    for row in numba.prange(len(items)):
        n = min(own[row], items.shape[1])
        places[row] = np.arange(k)
        left, largest = np.ones(n, np.bool_), np.zeros(n)
        vectors = np.empty((n, factors.shape[1]), factors.dtype)
        length = np.zeros(n)
        for at in range(n):
            vectors[at] = factors[items[row, at]]
            for value in vectors[at]:
                length[at] += np.float64(value) * np.float64(value)
        length = np.sqrt(length)
        for step in range(min(n, k)):
            chosen = _choose(relevance[row, :n], strength, largest, left)
            places[row, step] = chosen
            for at in range(n):
                if left[at]:
                    alike = _by_factors(vectors, length, chosen, at)
                    largest[at] = alike if step == 0 else max(largest[at], alike)
    return places


@compiled(parallel=True)
def mmr_by_raters(
    items: np.ndarray,
    own: np.ndarray,
    relevance: np.ndarray,
    strength: float,
    start: np.ndarray,
    rater: np.ndarray,
    n_users: int,
    k: int,
) -> np.ndarray:
    """As `mmr_by_factors`, by the cosine of who has rated two items.

    ``start``, ``rater``: CSR index of each item's raters among ``n_users``.

    Cost: a user's candidates' ratings, and O(n · n_users / 64 · k); n · n_users / 8 bytes a thread.
    """
    places = np.empty((len(items), k), np.int32)
    for row in numba.prange(len(items)):
        n = min(own[row], items.shape[1])
        places[row] = np.arange(k)
        left, largest = np.ones(n, np.bool_), np.zeros(n)
        raters = np.zeros((n, (n_users + WORD - 1) // WORD), np.uint64)
        count = np.zeros(n)
        for at in range(n):
            item = items[row, at]
            count[at] = start[item + 1] - start[item]
            for entry in range(start[item], start[item + 1]):
                user = np.uint64(rater[entry])
                raters[at, user // np.uint64(WORD)] |= np.uint64(1) << (user % np.uint64(WORD))
        for step in range(min(n, k)):
            chosen = _choose(relevance[row, :n], strength, largest, left)
            places[row, step] = chosen
            for at in range(n):
                if left[at]:
                    alike = _by_raters(raters, count, chosen, at)
                    largest[at] = alike if step == 0 else max(largest[at], alike)
    return places
