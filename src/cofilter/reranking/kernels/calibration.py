"""Calibrated genres: the greedy choice of Steck (2018)."""

from __future__ import annotations

import numba
import numpy as np

from cofilter.core.compiled import compiled


@numba.njit
def _log_gain(
    item: int,
    start: np.ndarray,
    genre: np.ndarray,
    wanted: np.ndarray,
    have: np.ndarray,
    smoothing: np.ndarray,
    before: np.ndarray,
    alpha: float,
) -> float:
    """By how much Σ p log(…) of `_choose` grows when the item's genres are added to ``have``."""
    gain, n = 0.0, start[item + 1] - start[item]
    for at in range(start[item], start[item + 1]):
        g = genre[at]
        if wanted[g] > 0:
            after = np.log((1.0 - alpha) * (have[g] + 1.0 / n) + smoothing[g])
            gain += wanted[g] * (after - before[g])
    return gain


@numba.njit
def _choose(
    items: np.ndarray,
    relevance: np.ndarray,
    strength: float,
    start: np.ndarray,
    genre: np.ndarray,
    wanted: np.ndarray,
    alpha: float,
    places: np.ndarray,
) -> None:
    """Fill ``places``, int32[k], with the candidates in the order of their choice; n ≥ k.

    With m items with genres chosen, whose shares add up to c, one more makes

        KL = Σ p log p + log(m + 1) − Σ p log((1 − α) c + α (m + 1) p),

    where only its own genres differ from candidate to candidate.
    """
    entropy = 0.0
    for p in wanted:
        if p > 0:
            entropy += p * np.log(p)
    left, have = np.ones(len(items), np.bool_), np.zeros(len(wanted))
    before, smoothing = np.zeros(len(wanted)), np.zeros(len(wanted))
    m, divergence = 0, -np.log(alpha)  # nothing chosen: q = 0
    for step in range(len(places)):
        rest = entropy + np.log(m + 1.0)
        for g in range(len(wanted)):
            if wanted[g] > 0:
                smoothing[g] = alpha * (m + 1) * wanted[g]
                before[g] = np.log((1.0 - alpha) * have[g] + smoothing[g])
                rest -= wanted[g] * before[g]
        best, chosen, reached = -np.inf, -1, divergence
        for at in range(len(items)):
            if left[at]:
                after = divergence
                if start[items[at] + 1] > start[items[at]]:
                    after = rest - _log_gain(
                        items[at], start, genre, wanted, have, smoothing, before, alpha
                    )
                value = (1.0 - strength) * relevance[at] - strength * after
                if value > best:
                    best, chosen, reached = value, at, after
        places[step], left[chosen], divergence = chosen, False, reached
        item = items[chosen]
        n = start[item + 1] - start[item]
        m += n > 0
        for at in range(start[item], start[item + 1]):
            have[genre[at]] += 1.0 / n


@compiled(parallel=True)
def calibrated(
    items: np.ndarray,
    own: np.ndarray,
    relevance: np.ndarray,
    strength: float,
    wanted: np.ndarray,
    start: np.ndarray,
    genre: np.ndarray,
    alpha: float,
    k: int,
) -> np.ndarray:
    """The k candidates of each user in the order that calibration chooses them.

    Parameters
    ----------
    items, own, relevance, k:
        As `cofilter.reranking.kernels.mmr.mmr_by_factors` takes them, and what it returns.
    strength:
        λ of (1 − λ) · Σ relevance − λ · KL(p ‖ (1 − α) q + α p).
    wanted:
        float64[users, genres], p of each user; a row of zeros keeps the model's order.
    start, genre:
        CSR index of each item's genres, which have equal shares of it.

    An item without genres leaves q as it is; q is 0 until there is one with genres.

    Cost: O(k · (n + genres)) logarithms a user.
    """
    places = np.empty((len(items), k), np.int32)
    for row in numba.prange(len(items)):
        n = min(own[row], items.shape[1])
        places[row] = np.arange(k)
        if wanted[row].any():
            chosen = places[row, : min(n, k)]
            _choose(
                items[row, :n], relevance[row, :n], strength, start, genre, wanted[row], alpha,
                chosen,
            )  # fmt: skip
    return places
