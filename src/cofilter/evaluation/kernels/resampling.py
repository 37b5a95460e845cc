"""Sums over resampled or sign-flipped users, for every column of a matrix at once.

A resample's weights are a function of (key, resample) alone, and its sums are taken over the users
in one fixed order, so the bits depend neither on the number of threads nor on the other columns.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.recommender.kernels.random import random64
from cofilter.recommender.kernels.threads import few_threads

COLUMNS = 128  # × USERS × 8 bytes: 64 KiB of values, which PIECE resamples read from cache
USERS = 64
PIECE = 64  # resamples of one worker at a time
SMALL = 1 << 24  # multiply-adds below which one thread is faster
_AT_ONCE = 4  # users and resamples of `_add_products`, written out there
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@numba.njit
def _draw_users(count: np.ndarray, n: int, key: Any, resample: int) -> None:
    """Add how often each of n users is drawn in n draws with replacement to int8[≥ n] zeros.

    Each half of a 64-bit number draws one user; a user's chance is 1/n within a relative n · 2⁻³².
    A count beyond 127 would overflow; it has a chance below 1/128!.
    """
    numbers = (n + 1) // 2
    first = np.uint64(resample) * np.uint64(numbers)
    for at in range(numbers):
        number = random64(key, first + np.uint64(at))
        count[np.int64(((number >> _HALF) * np.uint64(n)) >> _HALF)] += np.int8(1)
        if 2 * at + 1 < n:
            count[np.int64(((number & _LOW) * np.uint64(n)) >> _HALF)] += np.int8(1)


@numba.njit
def _draw_signs(sign: np.ndarray, n: int, key: Any, resample: int) -> None:
    """Set the first n of int8[≥ n] to +1 or −1, each with chance ½: one bit a user."""
    words = (n + 63) // 64
    first = np.uint64(resample) * np.uint64(words)
    for word in range(words):
        bits = random64(key, first + np.uint64(word))
        for at in range(64 * word, min(64 * word + 64, n)):
            sign[at] = np.int8(1) if bits & np.uint64(1) else np.int8(-1)
            bits >>= np.uint64(1)


@numba.njit(fastmath={"contract", "reassoc"})
def _add_products(weight: np.ndarray, values: np.ndarray, sums: np.ndarray) -> None:
    """Add int8[4, users] times float64[users, columns] to float64[4, columns].

    Four resamples by four users: a value is read once for four multiply-adds.
    """
    for u in range(0, len(values), _AT_ONCE):
        a0, a1, a2, a3 = (
            np.float64(weight[0, u]),
            np.float64(weight[0, u + 1]),
            np.float64(weight[0, u + 2]),
            np.float64(weight[0, u + 3]),
        )
        b0, b1, b2, b3 = (
            np.float64(weight[1, u]),
            np.float64(weight[1, u + 1]),
            np.float64(weight[1, u + 2]),
            np.float64(weight[1, u + 3]),
        )
        c0, c1, c2, c3 = (
            np.float64(weight[2, u]),
            np.float64(weight[2, u + 1]),
            np.float64(weight[2, u + 2]),
            np.float64(weight[2, u + 3]),
        )
        d0, d1, d2, d3 = (
            np.float64(weight[3, u]),
            np.float64(weight[3, u + 1]),
            np.float64(weight[3, u + 2]),
            np.float64(weight[3, u + 3]),
        )
        for at in range(values.shape[1]):
            n = np.uint64(at)
            w, x = values[u, n], values[u + 1, n]
            y, z = values[u + 2, n], values[u + 3, n]
            sums[0, n] += a0 * w + a1 * x + a2 * y + a3 * z
            sums[1, n] += b0 * w + b1 * x + b2 * y + b3 * z
            sums[2, n] += c0 * w + c1 * x + c2 * y + c3 * z
            sums[3, n] += d0 * w + d1 * x + d2 * y + d3 * z


@numba.njit
def _piece(packed: np.ndarray, n: int, key: Any, first: int, flips: bool, sums: np.ndarray) -> None:
    """Sums float64[tiles, PIECE, columns] of the resamples from ``first`` on, into zeros."""
    tiles, n_padded, _ = packed.shape
    weight = np.zeros((PIECE, n_padded), np.int8)
    for each in range(PIECE):
        if flips:
            _draw_signs(weight[each], n, key, first + each)
        else:
            _draw_users(weight[each], n, key, first + each)
    for tile in range(tiles):
        for start in range(0, n_padded, USERS):
            stop = min(start + USERS, n_padded)
            values = packed[tile, start:stop]
            for four in range(0, PIECE, _AT_ONCE):
                mine = weight[four : four + _AT_ONCE, start:stop]
                _add_products(mine, values, sums[tile, four : four + _AT_ONCE])


@compiled(parallel=True)
def _all_pieces(packed: np.ndarray, n: int, key: Any, pieces: int, flips: bool) -> np.ndarray:
    sums = np.zeros((pieces, packed.shape[0], PIECE, packed.shape[2]))
    for piece in numba.prange(pieces):
        _piece(packed, n, key, piece * PIECE, flips, sums[piece])
    return sums


def _packed(values: np.ndarray) -> np.ndarray:
    """float64[tiles, users, columns], padded with zeros to whole tiles and whole fours of users."""
    n, m = values.shape
    width = min(COLUMNS, -(-m // 8) * 8)
    packed = np.zeros((-(-m // width), -(-n // _AT_ONCE) * _AT_ONCE, width))
    for tile in range(len(packed)):
        mine = values[:, tile * width : (tile + 1) * width]
        packed[tile, :n, : mine.shape[1]] = mine
    return packed


def weighted_sums(
    values: np.ndarray, n_resamples: int, key: np.uint64, *, flips: bool = False
) -> np.ndarray:
    """Sums of each column over the users of each resample, float64[n_resamples, columns].

    Parameters
    ----------
    values:
        float64[users ≥ 1, columns ≥ 1], finite.
    key:
        Names the resamples (`cofilter.recommender.kernels.random.stream_key`): equal keys and
        numbers of users give equal resamples, and the first ones do not depend on how many there
        are in all.
    flips:
        Each user's sign is flipped with chance ½, instead of drawing as many users as there are
        with replacement.

    Cost: resamples · users · columns multiply-adds and resamples · users draws (a bit each for
    flips). Memory: one more copy of ``values``, the result, and PIECE · users bytes a thread.
    """
    n, m = values.shape
    packed = _packed(values)
    pieces = -(-n_resamples // PIECE)
    with few_threads(packed.size * n_resamples < SMALL):
        sums = _all_pieces(packed, n, key, pieces, flips)
    return sums.transpose(0, 2, 1, 3).reshape(pieces * PIECE, -1)[:n_resamples, :m]
