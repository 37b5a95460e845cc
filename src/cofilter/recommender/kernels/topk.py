"""Exact top-k of score rows, with a rule for ties."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cofilter.core.compiled import compiled

CHUNK = 64  # scores compared with the worst of the best at once, in a few vector instructions


@numba.njit(inline="always")
def sift_down(keys: np.ndarray, ids: np.ndarray, size: int) -> None:  # pragma: no cover - compiled
    """Restore a min-heap whose root was replaced; of equal keys the larger id is the smaller."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return
        other = child + 1
        if other < size and (
            keys[other] < keys[child] or (keys[other] == keys[child] and ids[other] > ids[child])
        ):
            child = other
        if keys[at] < keys[child] or (keys[at] == keys[child] and ids[at] > ids[child]):
            return
        keys[at], keys[child] = keys[child], keys[at]
        ids[at], ids[child] = ids[child], ids[at]
        at = child


@numba.njit(inline="always")
def offer(keys: np.ndarray, ids: np.ndarray, size: int, key: Any, identity: int) -> int:
    """Offer one entry to a heap of the len(keys) best; gives the heap's new size.

    O(log k) when it enters, O(1) when not. An equal key enters only with a smaller id.
    """
    if size < len(keys):
        at = size
        while at > 0:
            parent = (at - 1) // 2
            if keys[parent] < key or (keys[parent] == key and ids[parent] > identity):
                break
            keys[at], ids[at] = keys[parent], ids[parent]
            at = parent
        keys[at], ids[at] = key, identity
        return size + 1
    if key > keys[0] or (key == keys[0] and identity < ids[0]):
        keys[0], ids[0] = key, identity
        sift_down(keys, ids, size)
    return size


@numba.njit
def drain(keys: np.ndarray, ids: np.ndarray, size: int) -> None:
    """Sort a heap in place, best first (heap sort, O(k log k))."""
    while size > 1:
        size -= 1
        keys[0], keys[size] = keys[size], keys[0]
        ids[0], ids[size] = ids[size], ids[0]
        sift_down(keys, ids, size)


@numba.njit
def _any_above(scores: np.ndarray, first: int, worst: Any) -> bool:
    """Whether one of CHUNK scores beats ``worst``; without branches, so it becomes vector code."""
    above = np.int32(0)
    for at in range(CHUNK):
        above |= np.int32(scores[np.uint64(first + at)] > worst)
    return above != 0


@numba.njit
def scan(scores: np.ndarray, column: int, best: np.ndarray, ids: np.ndarray, size: int) -> int:
    """Offer scores of the columns from ``column`` on to a heap of the best; gives its new size.

    Columns are offered in ascending order, so an equal score never enters a full heap. Scores of
    −inf or NaN never enter.
    """
    worst = best[0] if size == len(best) else np.float32(-np.inf)
    for first in range(0, len(scores), CHUNK):
        last = min(first + CHUNK, len(scores))
        if last - first == CHUNK and not _any_above(scores, first, worst):
            continue
        for at in range(first, last):
            if scores[at] > worst:
                size = offer(best, ids, size, scores[at], column + at)
                if size == len(best):
                    worst = best[0]
    return size


@numba.njit
def _top_of_row(
    scores: np.ndarray, left_out: np.ndarray, ids: np.ndarray, best: np.ndarray
) -> None:
    for at in left_out:
        scores[at] = -np.inf
    size = scan(scores, 0, best, ids, 0)
    drain(best, ids, size)


@compiled(parallel=True)
def _top_of_rows(
    scores: np.ndarray,
    excluded_start: np.ndarray,
    excluded: np.ndarray,
    ids: np.ndarray,
    best: np.ndarray,
) -> None:
    for row in numba.prange(len(scores)):
        left_out = excluded[excluded_start[row] : excluded_start[row + 1]]
        _top_of_row(scores[row], left_out, ids[row], best[row])


@compiled()
def _top_of_one(
    scores: np.ndarray,
    excluded_start: np.ndarray,
    excluded: np.ndarray,
    ids: np.ndarray,
    best: np.ndarray,
) -> None:
    """As `_top_of_rows` of one row, without asking for threads."""
    _top_of_row(scores[0], excluded[excluded_start[0] : excluded_start[1]], ids[0], best[0])


def top_k(
    scores: np.ndarray, excluded_start: np.ndarray, excluded: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best columns of each row, best first, ties by ascending column.

    Parameters
    ----------
    scores:
        float32[rows, columns]; entries at excluded columns are overwritten with −inf.
        Columns with −inf (or NaN) are never given.
    excluded_start, excluded:
        CSR index of the columns that a row must not give.

    Returns
    -------
    (int32[rows, k], float32[rows, k]); −1 and −inf where a row has fewer than k columns to give.

    Cost: one pass over the scores, O(columns + entries · log k) a row; reads 4 bytes a score.
    Rows are independent, so the result does not depend on the number of threads.
    """
    ids = np.full((len(scores), k), -1, np.int32)
    best = np.full((len(scores), k), -np.inf, np.float32)
    kernel = _top_of_one if len(scores) == 1 else _top_of_rows
    kernel(scores, excluded_start, excluded, ids, best)
    return ids, best
