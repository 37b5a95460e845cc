"""Similarities between the rows of a sparse matrix, one row at a time, exact.

A *row* is a user or an item; a *column* is one of the other side. Both orientations of the same
matrix are given in CSR form: ``rows`` (row → columns) and ``columns`` (column → rows).

Cost of one similarity row: Σ over its columns of the column's length, that is one multiply-add
and 12 to 20 bytes read per co-rating; memory O(rows) a worker. No row × row matrix exists.
Each row is computed by one worker in a fixed order and with float64 sums, so the bits do not
depend on the number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from cofilter.kernels.topk import drain, offer

COSINE, CORATED_COSINE, PEARSON, MSD = 0, 1, 2, 3
WORKERS = 64  # pieces of work: enough to balance, few enough that scratch memory stays small


class Sparse(NamedTuple):
    """A CSR matrix as numba takes it: int64 start, int32 at (column), float32 value."""

    start: np.ndarray
    at: np.ndarray
    value: np.ndarray


class Measure(NamedTuple):
    """Which similarity, and how it is tempered.

    ``kind``: COSINE over whole rows (absent = 0); CORATED_COSINE, norms over co-rated columns
    only; PEARSON, the same with each row's mean over the co-rated columns taken off; MSD,
    1 / (1 + mean squared difference over the co-rated columns).
    The result is multiplied by n / (n + shrinkage) and by min(n, significance) / significance
    (significance 0: not at all), and is 0 below ``min_overlap`` co-rated columns.
    """

    kind: int
    shrinkage: float
    significance: int
    min_overlap: int


@numba.njit
def _accumulate(
    index: np.ndarray,
    value: np.ndarray,
    columns: Sparse,
    kind: int,
    sums: np.ndarray,
    count: np.ndarray,
    touched: np.ndarray,
) -> int:
    """Sums over co-rated columns of one row (index, value) with every other row.

    ``sums[b]`` gets Σxy, Σx², Σy², Σx, Σy (only Σxy for COSINE); gives the number of rows met.
    """
    n_touched = 0
    for at in range(len(index)):
        x = np.float64(value[at])
        for other in range(columns.start[index[at]], columns.start[index[at] + 1]):
            b = columns.at[other]
            y = np.float64(columns.value[other])
            if count[b] == 0:
                touched[n_touched] = b
                n_touched += 1
            count[b] += 1
            sums[b, 0] += x * y
            if kind != COSINE:
                sums[b, 1] += x * x
                sums[b, 2] += y * y
            if kind == PEARSON:
                sums[b, 3] += x
                sums[b, 4] += y
    return n_touched


@numba.njit
def _finish(
    b: int, own_norm: float, norm: np.ndarray, sums: np.ndarray, n: int, measure: Measure
) -> float:
    """Similarity from the sums; 0 where it is not defined."""
    if n < measure.min_overlap:
        return 0.0
    if measure.kind == COSINE:
        above, below = sums[b, 0], own_norm * norm[b]
    elif measure.kind == CORATED_COSINE:
        above, below = sums[b, 0], np.sqrt(sums[b, 1] * sums[b, 2])
    elif measure.kind == MSD:
        # max: rounding may leave a difference of equal rows just below 0.
        above, below = 1.0, 1.0 + max(0.0, sums[b, 1] + sums[b, 2] - 2.0 * sums[b, 0]) / n
    else:
        above = n * sums[b, 0] - sums[b, 3] * sums[b, 4]
        left = n * sums[b, 1] - sums[b, 3] ** 2
        right = n * sums[b, 2] - sums[b, 4] ** 2
        # Rounding leaves about 1e-16 of the sums in a variance that is really 0.
        if left <= 1e-12 * n * sums[b, 1] or right <= 1e-12 * n * sums[b, 2]:
            return 0.0
        below = np.sqrt(left * right)
    if below <= 0.0:
        return 0.0
    similarity = above / below * (n / (n + measure.shrinkage))
    if measure.significance > 0:
        similarity *= min(n, measure.significance) / measure.significance
    return similarity


@numba.njit
def _similarity_row(
    index: np.ndarray,
    value: np.ndarray,
    columns: Sparse,
    norm: np.ndarray,
    measure: Measure,
    sums: np.ndarray,
    count: np.ndarray,
    touched: np.ndarray,
    similarity: np.ndarray,
) -> int:
    """Fill ``similarity`` for every row met and clear the other scratch; gives how many."""
    n_touched = _accumulate(index, value, columns, measure.kind, sums, count, touched)
    own_norm = 0.0
    for at in range(len(value)):
        own_norm += np.float64(value[at]) ** 2
    own_norm = np.sqrt(own_norm)
    for at in range(n_touched):
        b = touched[at]
        similarity[b] = _finish(b, own_norm, norm, sums, count[b], measure)
        count[b] = 0
        sums[b] = 0.0
    return n_touched


@numba.njit(parallel=True, cache=True)
def similarity_rows(
    rows: Sparse, columns: Sparse, norm: np.ndarray, measure: Measure
) -> np.ndarray:
    """Similarities float32[given rows, all rows] of a few rows; the caller bounds their number."""
    n_given, n_rows = len(rows.start) - 1, len(norm)
    result = np.zeros((n_given, n_rows), np.float32)
    for worker in numba.prange(WORKERS):
        sums = np.zeros((n_rows, 5))
        count = np.zeros(n_rows, np.int32)
        touched = np.empty(n_rows, np.int32)
        similarity = np.zeros(n_rows)
        for row in range(worker, n_given, WORKERS):
            first, last = rows.start[row], rows.start[row + 1]
            n_touched = _similarity_row(
                rows.at[first:last], rows.value[first:last], columns, norm, measure,
                sums, count, touched, similarity,
            )  # fmt: skip
            for at in range(n_touched):
                result[row, touched[at]] = similarity[touched[at]]
                similarity[touched[at]] = 0.0
    return result


@numba.njit(parallel=True, cache=True)
def nearest(
    rows: Sparse, columns: Sparse, norm: np.ndarray, own: np.ndarray, measure: Measure, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k most similar rows (similarity > 0) of each given row, itself left out.

    ``own[r]`` is the given row's index among all rows, −1 for a new one. Gives
    (int32[n, k] with −1 as padding, float32[n, k]), best first, ties by ascending index.
    """
    n_given, n_rows = len(rows.start) - 1, len(norm)
    neighbour = np.full((n_given, k), -1, np.int32)
    value = np.zeros((n_given, k), np.float32)
    for worker in numba.prange(WORKERS):
        sums = np.zeros((n_rows, 5))
        count = np.zeros(n_rows, np.int32)
        touched = np.empty(n_rows, np.int32)
        similarity = np.zeros(n_rows)
        for row in range(worker, n_given, WORKERS):
            first, last = rows.start[row], rows.start[row + 1]
            n_touched = _similarity_row(
                rows.at[first:last], rows.value[first:last], columns, norm, measure,
                sums, count, touched, similarity,
            )  # fmt: skip
            size = 0
            for at in range(n_touched):
                b = touched[at]
                if similarity[b] > 0.0 and b != own[row]:
                    kept = np.float32(similarity[b])
                    size = offer(value[row], neighbour[row], size, kept, b)
                similarity[b] = 0.0
            drain(value[row], neighbour[row], size)
    return neighbour, value


@numba.njit(parallel=True, cache=True)
def knn_deviations(
    rows: Sparse,
    columns: Sparse,
    norm: np.ndarray,
    own: np.ndarray,
    measure: Measure,
    k: int,
    start: np.ndarray,
    pair: np.ndarray,
    list_of_pair: np.ndarray,
    lists: Sparse,
) -> tuple[np.ndarray, np.ndarray]:
    """Similarity-weighted mean deviation of the k nearest candidates of each pair.

    For pair p of given row r: Σ s(r, b) · d_b / Σ s(r, b) over the k candidates b with the
    largest positive similarity; candidates and their deviations d are
    ``lists[list_of_pair[p]]`` (the raters of an item, or the items of a user).

    Parameters
    ----------
    rows, own:
        The given rows and their indices among all rows (−1: new), never their own neighbour.
    start, pair:
        CSR index: the pairs of each given row.

    Returns
    -------
    (float64[pairs], int32[pairs] neighbours used; 0 where there was none and the value is 0).

    Cost: one similarity row a given row, plus O(candidates + entries · log k) a pair.
    """
    n_given, n_rows = len(rows.start) - 1, len(norm)
    deviation = np.zeros(len(pair))
    used = np.zeros(len(pair), np.int32)
    for worker in numba.prange(WORKERS):
        sums = np.zeros((n_rows, 5))
        count = np.zeros(n_rows, np.int32)
        touched = np.empty(n_rows, np.int32)
        similarity = np.zeros(n_rows)
        best = np.empty(k)
        place = np.empty(k, np.int64)
        for row in range(worker, n_given, WORKERS):
            first, last = rows.start[row], rows.start[row + 1]
            n_touched = _similarity_row(
                rows.at[first:last], rows.value[first:last], columns, norm, measure,
                sums, count, touched, similarity,
            )  # fmt: skip
            if own[row] >= 0:
                similarity[own[row]] = 0.0
            for at in range(start[row], start[row + 1]):
                p = pair[at]
                candidates = list_of_pair[p]
                size = 0
                for place_at in range(lists.start[candidates], lists.start[candidates + 1]):
                    weight = similarity[lists.at[place_at]]
                    if weight > 0.0:
                        size = offer(best, place, size, weight, place_at)
                drain(best, place, size)  # a fixed order of summation
                above, below = 0.0, 0.0
                for n in range(size):
                    above += best[n] * lists.value[place[n]]
                    below += best[n]
                used[p] = size
                if size > 0:
                    deviation[p] = above / below
            for at in range(n_touched):
                similarity[touched[at]] = 0.0
    return deviation, used
