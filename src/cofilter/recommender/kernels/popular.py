"""The end of a ranked list where a model has nothing more to say: the most popular items."""

from __future__ import annotations

import numba
import numpy as np

from cofilter.core.compiled import compiled

PIECES = 64  # of the rows; each marks the items of one row after the other


@numba.njit
def _append_to(
    items: np.ndarray,
    scores: np.ndarray,
    popularity: np.ndarray,
    order: np.ndarray,
    left_out: tuple[np.ndarray, np.ndarray],
    rows: tuple[int, int],
) -> None:
    """Fill up the lists of ``rows`` = (first, last)."""
    (first, last), k = rows, items.shape[1]
    excluded_start, excluded = left_out
    most = np.float64(popularity[order[0]])
    taken = np.full(len(popularity) if last > first else 0, -1, np.int64)
    for row in range(first, last):
        size = 0
        while size < k and items[row, size] >= 0:
            taken[items[row, size]] = row
            size += 1
        for at in range(excluded_start[row], excluded_start[row + 1]):
            taken[excluded[at]] = row
        lowest = np.float64(scores[row, size - 1]) if size > 0 else 0.0
        alone, below, unit = size == 0, min(lowest, 0.0), max(1.0, -lowest)
        for item in order:
            if size == k:
                break
            if taken[item] != row:
                count = np.float64(popularity[item])
                score = count if alone else below - (most + 1.0 - count) * unit
                items[row, size], scores[row, size] = item, np.float32(score)
                size += 1


@compiled(parallel=True)
def _append(
    items: np.ndarray,
    scores: np.ndarray,
    popularity: np.ndarray,
    order: np.ndarray,
    left_out: tuple[np.ndarray, np.ndarray],
) -> None:
    n_rows = len(items)
    for piece in numba.prange(PIECES):
        rows = piece * n_rows // PIECES, (piece + 1) * n_rows // PIECES
        _append_to(items, scores, popularity, order, left_out, rows)


@compiled()
def _append_to_few(
    items: np.ndarray,
    scores: np.ndarray,
    popularity: np.ndarray,
    order: np.ndarray,
    left_out: tuple[np.ndarray, np.ndarray],
) -> None:
    """As `_append`, without asking for threads."""
    _append_to(items, scores, popularity, order, left_out, (0, len(items)))


def append_popular(
    items: np.ndarray,
    scores: np.ndarray,
    popularity: np.ndarray,
    order: np.ndarray,
    left_out: tuple[np.ndarray, np.ndarray],
) -> None:
    """Fill up lists, in place, with the most popular items that they do not hold.

    An empty list scores its items by their popularity. One that has a beginning goes on below it:

        score = min(l, 0) − (1 + highest popularity − popularity) · max(1, −l),

    l being its lowest score so far, so that scores fall and items of equal popularity tie.

    Parameters
    ----------
    items, scores:
        int32[rows, k] and float32[rows, k] as `top_k` gives them; −1 is padding, at the end. It
        stays where there is no further item to give.
    popularity:
        int64[items].
    order:
        `by_popularity` of it.
    left_out:
        CSR index (start, items) of the items that a row must not give.

    Cost: of each row the excluded items and the places of the popularity order that are looked at
    until it is full. Independent of the number of threads.
    """
    kernel = _append if len(items) > PIECES else _append_to_few
    start, item = left_out
    kernel(items, scores, popularity, order, (start, item))
