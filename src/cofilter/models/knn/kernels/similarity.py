"""Similarities between the rows of a sparse matrix, exact.

A *row* is a user or an item; a *column* is one of the other side. Both orientations of the same
matrix are given in CSR form: ``rows`` (row → columns) and ``columns`` (column → rows).

Cost of one similarity row: Σ over its columns of the column's length, one multiply-add a sum and
8 bytes read each, plus one pass over all rows; memory SUMS and 4 bytes a row, a thread. Sums are
float64 and run over the columns in ascending order, whoever computes them and from whichever of
the two rows, so a similarity has one value to the last bit everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.recommender.kernels.topk import drain, offer
from cofilter.recommender.sparse import Sparse

COSINE, CORATED_COSINE, PEARSON, MSD = 0, 1, 2, 3
SUMS = 1 << 16  # float64 of scratch: 512 KiB, which a core's own cache holds
PIECES = 64  # of the given rows; each has scratch of its own while a thread is at it


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


@numba.njit()
def n_sums(measure: Measure) -> int:
    """Sums that a measure needs of each pair of rows.

    COSINE: Σxy, and n (co-rated columns) where the tempering reads it; MSD: Σ(x − y)², n;
    CORATED_COSINE: Σxy, Σx², Σy², n; PEARSON: Σxy, Σx², Σy², n, Σx, Σy.
    """
    if measure.kind == COSINE:
        tempered = measure.shrinkage > 0.0 or measure.significance > 0 or measure.min_overlap > 1
        return 2 if tempered else 1
    if measure.kind == MSD:
        return 2
    return 4 if measure.kind == CORATED_COSINE else 6


@compiled()
def lengths(rows: Sparse) -> np.ndarray:
    """Euclidean length float64[rows] of each row, to the bits that `similarity_row` finds.

    Serial, so that a model is loaded without starting threads (`threads_held_back`).
    """
    result = np.zeros(len(rows.start) - 1)
    for row in range(len(result)):
        total = 0.0
        for entry in range(rows.start[row], rows.start[row + 1]):
            total += np.float64(rows.value[entry]) * np.float64(rows.value[entry])
        result[row] = np.sqrt(total)
    return result


@numba.njit
def add_products(
    kind: int,
    width: int,
    x: float,
    columns: Sparse,
    first: int,
    last: int,
    sums: np.ndarray,
    origin: int,
) -> None:
    """Add one column's products of a row that has ``x`` there with each row b of that column.

    The column's entries are ``first`` to ``last``; sums of b begin at origin + b · width.
    Unsigned indices spare the test for a negative one, a third of the loop's time.
    """
    at, value, start = columns.at, columns.value, np.uint64(origin)
    if kind == COSINE and width == 1:
        for entry in range(first, last):
            sums[start + np.uint64(np.uint32(at[entry]))] += x * np.float64(value[entry])
        return
    for entry in range(first, last):
        y = np.float64(value[entry])
        s = start + np.uint64(np.uint32(at[entry])) * np.uint64(width)
        if kind == COSINE:
            sums[s] += x * y
            sums[s + np.uint64(1)] += 1.0
        elif kind == MSD:
            sums[s] += (x - y) ** 2
            sums[s + np.uint64(1)] += 1.0
        else:
            sums[s] += x * y
            sums[s + np.uint64(1)] += x * x
            sums[s + np.uint64(2)] += y * y
            sums[s + np.uint64(3)] += 1.0
            if kind == PEARSON:
                sums[s + np.uint64(4)] += x
                sums[s + np.uint64(5)] += y


@numba.njit(error_model="numpy")
def finish(
    sums: np.ndarray, s: int, width: int, own_norm: float, other_norm: float, measure: Measure
) -> float:
    """Similarity from the sums that begin at ``s``; 0 where it is not defined."""
    above, n = sums[s], 1.0
    if width > 1:
        n = sums[s + 3] if width >= 4 else sums[s + 1]
    if n < measure.min_overlap:
        return 0.0
    if measure.kind == COSINE:
        below = own_norm * other_norm
    elif measure.kind == CORATED_COSINE:
        below = np.sqrt(sums[s + 1] * sums[s + 2])
    elif measure.kind == MSD:
        above, below = 1.0, 1.0 + sums[s] / n
    else:
        above = n * sums[s] - sums[s + 4] * sums[s + 5]
        left = n * sums[s + 1] - sums[s + 4] ** 2
        right = n * sums[s + 2] - sums[s + 5] ** 2
        # Rounding leaves about 1e-16 of the sums in a variance that is really 0.
        if left <= 1e-12 * n * sums[s + 1] or right <= 1e-12 * n * sums[s + 2]:
            return 0.0
        below = np.sqrt(left * right)
    if below <= 0.0:
        return 0.0
    similarity = above / below * (n / (n + measure.shrinkage))
    if measure.significance > 0:
        similarity *= min(n, measure.significance) / measure.significance
    return similarity


@numba.njit(error_model="numpy")
def finish_row(
    sums: np.ndarray,
    origin: int,
    n_rows: int,
    own_norm: float,
    norm: np.ndarray,
    measure: Measure,
    result: np.ndarray,
) -> None:
    """Turn the sums of one row with rows 0 … n_rows − 1 into float32 and clear them."""
    width = n_sums(measure)
    if width == 1:
        for b in range(n_rows):
            below = own_norm * norm[b]
            result[b] = np.float32(sums[origin + b] / below if below > 0.0 else 0.0)
            sums[origin + b] = 0.0
        return
    n_at = 3 if width >= 4 else 1
    for b in range(n_rows):
        s = origin + b * width
        if sums[s + n_at] > 0.0:
            result[b] = np.float32(finish(sums, s, width, own_norm, norm[b], measure))
            sums[s : s + width] = 0.0
        else:
            result[b] = np.float32(0.0)


@numba.njit
def scratch(n_rows: int, measure: Measure) -> np.ndarray:
    """Zeros for `similarity_row`: SUMS float64, or fewer for few rows."""
    return np.zeros(min(SUMS, n_rows * n_sums(measure)))


@numba.njit
def similarity_row(
    rows: Sparse,
    row: int,
    columns: Sparse,
    norm: np.ndarray,
    measure: Measure,
    sums: np.ndarray,
    result: np.ndarray,
) -> None:
    """Similarities float32[all rows] of one given row; ``sums`` comes and leaves all zero.

    Goes through the rows in runs whose sums fit into ``sums``, and so into the cache.
    """
    width, first, last = n_sums(measure), rows.start[row], rows.start[row + 1]
    length = 0.0
    place = np.empty(last - first, np.int64)  # how far each column has been read
    for entry in range(first, last):
        x = np.float64(rows.value[entry])
        length += x * x
        place[entry - first] = columns.start[rows.at[entry]]
    own_norm = np.sqrt(length)
    step = len(sums) // width
    for begin in range(0, len(norm), step):
        end = min(begin + step, len(norm))
        for entry in range(first, last):
            here, stop = place[entry - first], columns.start[rows.at[entry] + 1]
            if end < len(norm):
                stop = here + np.searchsorted(columns.at[here:stop], end)
            x = np.float64(rows.value[entry])
            add_products(measure.kind, width, x, columns, here, stop, sums, -begin * width)
            place[entry - first] = stop
        part, lengths = result[begin:end], norm[begin:end]
        finish_row(sums, 0, end - begin, own_norm, lengths, measure, part)


@compiled(parallel=True)
def similarity_rows(
    rows: Sparse, columns: Sparse, norm: np.ndarray, measure: Measure
) -> np.ndarray:
    """Similarities float32[given rows, all rows] of a few rows; the caller bounds their number."""
    n_given, n_rows = len(rows.start) - 1, len(norm)
    result = np.empty((n_given, n_rows), np.float32)
    for piece in numba.prange(PIECES):
        sums = scratch(n_rows, measure)
        for row in range(piece * n_given // PIECES, (piece + 1) * n_given // PIECES):
            similarity_row(rows, row, columns, norm, measure, sums, result[row])
    return result


@compiled(parallel=True)
def nearest(
    rows: Sparse, columns: Sparse, norm: np.ndarray, own: np.ndarray, measure: Measure, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k most similar rows (similarity > 0) of each given row, itself left out.

    ``own[r]`` is the given row's index among all rows, −1 for a new one. Gives
    (int32[n, k] with −1 as padding, float32[n, k]), best first, ties by ascending index.
    For all rows against each other `cofilter.models.knn.kernels.neighbours` does half the work.
    """
    n_given, n_rows = len(rows.start) - 1, len(norm)
    neighbour = np.full((n_given, k), -1, np.int32)
    value = np.zeros((n_given, k), np.float32)
    for piece in numba.prange(PIECES):
        sums = scratch(n_rows, measure)
        found = np.zeros(n_rows, np.float32)
        for row in range(piece * n_given // PIECES, (piece + 1) * n_given // PIECES):
            similarity_row(rows, row, columns, norm, measure, sums, found)
            if own[row] >= 0:
                found[own[row]] = np.float32(0.0)
            size, worst = 0, np.float32(0.0)
            for b in range(n_rows):
                if found[b] > worst:
                    size = offer(value[row], neighbour[row], size, found[b], b)
                    if size == k:
                        worst = value[row, 0]
            drain(value[row], neighbour[row], size)
    return neighbour, value
