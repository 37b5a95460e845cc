"""Compiled loops of the generator of made-up ratings."""

from __future__ import annotations

import math

import numba
import numpy as np

from cofilter.core.compiled import compiled

_TRIES = 30  # draws for each rating wanted, and
_SPARE = 6_000  # more for a session, before all items are looked at (as dear as 20,000 draws)


@compiled()
def alias_tables(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Walker's alias tables (Vose, 1991) for each row of weights: float64, int32, same shape."""
    rows, n = weights.shape
    keep = np.ones((rows, n))
    other = np.zeros((rows, n), dtype=np.int32)
    small = np.empty(n, dtype=np.int32)
    large = np.empty(n, dtype=np.int32)
    for row in range(rows):
        total = weights[row].sum()
        if total == 0.0:
            continue  # a month without ratings; nothing is drawn from it
        scale = n / total
        s, g = 0, 0
        for i in range(n):
            keep[row, i] = weights[row, i] * scale
            other[row, i] = i
            if keep[row, i] < 1.0:
                small[s] = i
                s += 1
            else:
                large[g] = i
                g += 1
        while s > 0 and g > 0:
            s -= 1
            i, j = small[s], large[g - 1]
            other[row, i] = j
            keep[row, j] -= 1.0 - keep[row, i]
            if keep[row, j] < 1.0:
                g -= 1
                small[s] = j
                s += 1
        while s > 0:  # only rounding is left; an item of weight 0 must not slip in
            s -= 1
            if weights[row, small[s]] > 0.0:
                keep[row, small[s]] = 1.0
    return keep, other


@compiled()
def draw_items(
    session_user: np.ndarray,
    session_start: np.ndarray,
    session_size: np.ndarray,
    session_month: np.ndarray,
    session_taste: np.ndarray,
    item_factors: np.ndarray,
    weights: np.ndarray,
    keep: np.ndarray,
    other: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Items and times of all ratings: no item twice a user, what suits the taste more often.

    An item is drawn by its weight in the session's month and kept with the chance
    ``1 / (1 + exp(−taste · factors))``. Within a session ratings follow each other by seconds.

    Returns int32[ratings], int64[ratings] in the sessions' order.
    """
    total = session_size.sum()
    item = np.empty(total, dtype=np.int32)
    time = np.empty(total, dtype=np.int64)
    n = item_factors.shape[0]
    seen = np.full(n, -1, dtype=np.int64)
    score = np.empty(n)
    row = 0
    for s in range(len(session_user)):
        user, month = session_user[s], session_month[s]
        wanted = session_size[s]
        begin = row
        tries = wanted * _TRIES + _SPARE
        while row - begin < wanted and tries > 0:
            tries -= 1
            i = int(rng.random() * n)
            if rng.random() >= keep[month, i]:
                i = other[month, i]
            if seen[i] == user or rng.random() >= _liking(session_taste[s], item_factors[i]):
                continue
            seen[i] = user
            item[row] = i
            row += 1
        missing = wanted - (row - begin)
        if missing > 0:
            # The smallest exponential times win: drawing without repetition in one pass.
            for i in range(n):
                rate = weights[month, i]
                if seen[i] == user or rate == 0.0:
                    score[i] = np.inf
                else:
                    score[i] = rng.standard_exponential() / (
                        rate * _liking(session_taste[s], item_factors[i])
                    )
            edge = np.partition(score, missing - 1)[missing - 1]
            if edge == np.inf:
                raise RuntimeError("a user wants more items than there are")
            for i in range(n):
                if score[i] <= edge and row - begin < wanted:
                    seen[i] = user
                    item[row] = i
                    row += 1
        clock = float(session_start[s])
        for r in range(begin, row):
            time[r] = int(clock)
            clock += 1.0 + 12.0 * rng.standard_exponential()
    return item, time


@compiled()
def _liking(taste: np.ndarray, factors: np.ndarray) -> float:
    dot = 0.0
    for f in range(len(taste)):
        dot += taste[f] * factors[f]
    return 1.0 / (1.0 + math.exp(-dot))


@compiled(parallel=True)
def taste_scores(
    user: np.ndarray,
    item: np.ndarray,
    years: np.ndarray,
    month: np.ndarray,
    now: np.ndarray,
    later: np.ndarray,
    trend: np.ndarray,
    item_factors: np.ndarray,
    speed: float,
) -> np.ndarray:
    """float64[rows]: (now_u cos(speed·years) + later_u sin(speed·years) + trend_month) · factors_i.

    ``years`` is the time since the user arrived. Rows do not depend on each other, so the number
    of threads does not change a bit.
    """
    scores = np.empty(len(user))
    for r in numba.prange(len(user)):
        u, i, m = user[r], item[r], month[r]
        c, s = math.cos(speed * years[r]), math.sin(speed * years[r])
        dot = 0.0
        for f in range(item_factors.shape[1]):
            dot += (now[u, f] * c + later[u, f] * s + trend[m, f]) * item_factors[i, f]
        scores[r] = dot
    return scores
