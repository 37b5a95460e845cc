"""Conditional draws of a Bayesian factorization: rows given the other side, features given rows.

A *row* is a user or an item; its *vector* has dim factors and, last, its bias. Each row is drawn
by one worker in a fixed order with its own stream of random numbers (`gibbs_random`), so the bits
do not depend on the number of threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.models.bayes.kernels.normals import normals
from cofilter.recommender.sparse import Sparse

CHUNK = 128  # ratings gathered at once: dim + 2 lines of float32, which the first cache holds
LANES = 8  # dimensions that are swept together: one vector instruction of float32
PIECES = 64  # of a pass over rows: enough to balance, few enough that scratch stays small


class Gaussian(NamedTuple):
    """Independent normals a dimension: float64[width] means and precisions (1 / variance)."""

    mean: np.ndarray
    precision: np.ndarray


@numba.njit
def _gather(
    rows: Sparse, first: int, last: int, other: np.ndarray, root: np.ndarray, own_root: np.ndarray,
    block: np.ndarray,
) -> None:  # fmt: skip
    """Lines of ``block``: the factors met, ones, and what they have to explain; all times roots."""
    index, value = rows.at[first:last], rows.value[first:last]
    dim = other.shape[1] - 1
    every = 1 if len(own_root) > 1 else 0
    for at in range(len(index)):
        vector, weight = other[index[at]], root[index[at]] * own_root[(first + at) * every]
        for f in range(dim):
            block[f, at] = weight * vector[f]
        block[dim, at] = weight
        block[dim + 1, at] = weight * (value[at] - vector[dim])


@numba.njit(fastmath={"reassoc", "contract", "nsz"})
def _add_products(block: np.ndarray, n: int, sums: np.ndarray) -> None:
    """Add the inner products of the lines' first ``n`` entries to ``sums``, lower triangle.

    float32 within a chunk, float64 between chunks.
    """
    for a in range(len(block)):
        x = block[a]
        for b in range(a + 1):
            y = block[b]
            total = np.float32(0.0)
            for at in range(n):
                total += x[at] * y[at]
            sums[a, b] += total


@numba.njit
def _draw(
    sums: np.ndarray, alpha: float, centre: np.ndarray, precision: np.ndarray, noise: np.ndarray,
    factor: np.ndarray, drawn: np.ndarray,
) -> None:  # fmt: skip
    """``drawn`` becomes A⁻¹ (Λ m + α h) + L⁻ᵀ noise, where A = Λ + α G = L Lᵀ.

    G and h are in ``sums``: h its last row. ``factor`` holds L with its diagonal inverted, since
    divisions would be a third of the time. Cost: width³ / 6 multiply-adds.
    """
    width = len(drawn)
    for a in range(width):
        for b in range(a + 1):
            total = alpha * sums[a, b]
            if a == b:
                total += precision[a]
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            factor[a, b] = 1.0 / math.sqrt(total) if a == b else total * factor[b, b]
    for a in range(width):
        total = precision[a] * centre[a] + alpha * sums[width, a]
        for c in range(a):
            total -= factor[a, c] * drawn[c]
        drawn[a] = total * factor[a, a]
    for a in range(width - 1, -1, -1):
        total = drawn[a] + noise[a]
        for c in range(a + 1, width):
            total -= factor[c, a] * drawn[c]
        drawn[a] = total * factor[a, a]


@numba.njit
def _squared_error(sums: np.ndarray, drawn: np.ndarray) -> float:
    """Σ (target − v·z)², from the same sums as the draw; rounding never takes it below 0."""
    width = len(drawn)
    error = sums[width, width]
    for a in range(width):
        cross = sums[a, a] * drawn[a] - 2.0 * sums[width, a]
        for b in range(a):
            cross += 2.0 * drawn[b] * sums[a, b]
        error += drawn[a] * cross
    return max(error, 0.0) if math.isfinite(error) else error


@compiled(parallel=True)
def draw_rows(
    rows: Sparse,
    pieces: np.ndarray,
    other: np.ndarray,
    root: np.ndarray,
    own_root: np.ndarray,
    centre: np.ndarray,
    precision: np.ndarray,
    alpha: np.ndarray,
    key: np.uint64,
    stride: int,
    out: np.ndarray,
    error: np.ndarray,
) -> None:
    """Draw the vectors v of some rows from their joint normal, given the other side.

    v ~ N(A⁻¹ (Λ m + α Σ w z t), A⁻¹) with A = Λ + α Σ w z zᵀ over the row's ratings, where z is
    the other row's vector with its bias replaced by 1, t = value − that bias, w its weight times
    the rating's.

    Parameters
    ----------
    rows:
        The ratings of each row, less the mean of all.
    pieces:
        int64[n + 1], bounds of pieces of rows; rows outside them stay as they are.
    other, root:
        float32[n, width] vectors of the other side and float32[n] roots of their weights.
    own_root:
        float32, roots of the ratings' own weights; one 1 where all count alike.
    centre, precision:
        Prior means m, float32[rows, width], and the diagonal of Λ, float64[width].
    alpha:
        float64[rows], precision of a rating of weight 1.
    key, stride:
        Row r takes its noise from stream (key, r · stride); with stride 0 all take the same.
    out, error:
        Get v, float32[rows, width], and Σ w (t − v·z)², float64[rows].

    Cost: (width + 1)² / 2 multiply-adds and 4 · width + 8 bytes a rating, width³ / 6 and a root a
    dimension a row; scratch (width + 1) · CHUNK floats a piece.
    """
    width = other.shape[1]
    for piece in numba.prange(len(pieces) - 1):
        block = np.empty((width + 1, CHUNK), np.float32)
        sums = np.empty((width + 1, width + 1))
        factor = np.empty((width, width))
        noise, drawn = np.empty(width), np.empty(width)
        for row in range(pieces[piece], pieces[piece + 1]):
            sums[:] = 0.0
            for first in range(rows.start[row], rows.start[row + 1], CHUNK):
                last = min(first + CHUNK, rows.start[row + 1])
                _gather(rows, first, last, other, root, own_root, block)
                _add_products(block, last - first, sums)
            normals(key, row * stride, noise)
            _draw(sums, alpha[row], centre[row], precision, noise, factor, drawn)
            error[row] = _squared_error(sums, drawn)
            for a in range(width):
                out[row, a] = drawn[a]


@numba.njit(fastmath={"reassoc", "contract", "nsz"})
def _sum_lanes(index: np.ndarray, table: np.ndarray, sums: np.ndarray) -> None:
    """``sums`` becomes Σ table[i] over the index; eight names stay in one register, an array not.

    Unsigned indices spare the test for a negative one.
    """
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0.0)
    for at in range(len(index)):
        own = table[np.uint64(index[at])]
        s0, s1, s2, s3 = s0 + own[0], s1 + own[1], s2 + own[2], s3 + own[3]
        s4, s5, s6, s7 = s4 + own[4], s5 + own[5], s6 + own[6], s7 + own[7]
    sums[0], sums[1], sums[2], sums[3] = s0, s1, s2, s3
    sums[4], sums[5], sums[6], sums[7] = s4, s5, s6, s7


@compiled(parallel=True)
def feature_sums(rows: Sparse, weight: np.ndarray, feature: np.ndarray, out: np.ndarray) -> None:
    """out[r] = weight[r] · Σ of the features that row r has.

    Parameters
    ----------
    rows:
        The features of each row; their values are not read.
    weight:
        float32[rows].
    feature:
        float32[groups, features, LANES], the dimensions in groups of LANES.
    out:
        float32[rows, width].

    Cost: groups · LANES additions and bytes · 4 a stored entry.
    """
    n_rows, width = out.shape
    for piece in numba.prange(PIECES):
        total = np.empty(LANES, np.float32)
        for row in range(n_rows * piece // PIECES, n_rows * (piece + 1) // PIECES):
            for group in range(len(feature)):
                index = rows.at[rows.start[row] : rows.start[row + 1]]
                _sum_lanes(index, feature[group], total)
                for lane in range(min(LANES, width - group * LANES)):
                    out[row, group * LANES + lane] = weight[row] * total[lane]


@compiled(parallel=True)
def sweep_features(
    features: Sparse,
    first: int,
    last: int,
    square: np.ndarray,
    mass: np.ndarray,
    row_precision: np.ndarray,
    prior: Gaussian,
    key: np.uint64,
    left: np.ndarray,
    feature: np.ndarray,
) -> None:
    """Draw the vectors y of features ``first`` to ``last`` one after the other, given the rows'.

    Row r's vector is normal around m + x_r Σ y over its features, with precision Λ, so that of
    feature j, given all others, is normal in each dimension with precision
    λ_y + λ Σ x_r² and mean (λ_y m_y + λ Σ (left_r + x_r² y_j)) / that, over the rows with j.

    Parameters
    ----------
    features:
        The rows that have each feature; their values are not read.
    square, mass:
        x_r², float32[rows]; Σ x_r² over each feature's rows, float64[features].
    row_precision, prior:
        The diagonal of Λ, float64[width]; the features' own normal.
    left:
        float32[groups, rows, LANES]: x (vector − m − x Σ y) of each row, kept up to date.
    feature:
        float32[groups, features, LANES], overwritten.

    Cost: 2 multiply-adds, 8 bytes read and 4 written an entry and dimension (dimensions rounded
    up to LANES), in order; dimensions do not meet, so each group of LANES is one worker's.
    """
    n_groups, width = len(left), len(row_precision)
    for group in numba.prange(n_groups):
        own = left[group]
        noise = np.empty(LANES)
        sums, step = np.empty(LANES, np.float32), np.zeros(LANES, np.float32)
        for j in range(first, last):
            index = features.at[features.start[j] : features.start[j + 1]]
            _sum_lanes(index, own, sums)
            normals(key, j * n_groups + group, noise)
            for lane in range(min(LANES, width - group * LANES)):
                f = group * LANES + lane
                old, tight = np.float64(feature[group, j, lane]), prior.precision[f]
                precision = tight + row_precision[f] * mass[j]
                pull = row_precision[f] * (sums[lane] + mass[j] * old)
                mean = (tight * prior.mean[f] + pull) / precision
                new = np.float32(mean + noise[lane] / math.sqrt(precision))
                step[lane] = new - feature[group, j, lane]
                feature[group, j, lane] = new
            for at in range(len(index)):
                row = np.uint64(index[at])
                for lane in range(LANES):
                    own[row, lane] -= square[row] * step[lane]


@compiled(parallel=True)
def residuals(vector: np.ndarray, centre: np.ndarray, weight: np.ndarray, left: np.ndarray) -> None:
    """left = weight · (vector − centre), laid out from [rows, width] to [groups, rows, LANES].

    All float32; weight is one number a row.
    """
    n_rows, width = vector.shape
    for group in numba.prange(len(left)):
        for row in range(n_rows):
            for lane in range(min(LANES, width - group * LANES)):
                f = group * LANES + lane
                left[group, row, lane] = weight[row] * (vector[row, f] - centre[row, f])


@compiled()
def column_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and Σ (x − mean)² of the columns, float64[width], of float32[n, width]; two passes."""
    n, width = values.shape
    mean, scatter = np.zeros(width), np.zeros(width)
    for row in range(n):
        for f in range(width):
            mean[f] += values[row, f]
    mean /= n
    for row in range(n):
        for f in range(width):
            scatter[f] += (values[row, f] - mean[f]) ** 2
    return mean, scatter
