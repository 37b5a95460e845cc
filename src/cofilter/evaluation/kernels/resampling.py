"""Sums over resampled or sign-flipped users, for every column of a matrix at once.

A resample's weights are a function of (key, resample) alone, and BLAS, which multiplies them with
the values, gets one thread: the bits do not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.recommender.kernels.random import random64
from cofilter.recommender.kernels.threads import few_threads, one_blas_thread

SMALL = 1 << 20  # draws below which one thread is faster
_BLOCK = 1 << 22  # weights held at once: 32 MB
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@compiled(parallel=True)
def _draw_users(count: np.ndarray, key: Any, first: int) -> None:
    """Fill float64[resamples, n] with how often each of n users is drawn in n draws.

    Draws are with replacement. Each half of a 64-bit number draws one user; a user's chance is 1/n
    within a relative n · 2⁻³². ``first`` is the number of the first row's resample.
    """
    n = count.shape[1]
    numbers = (n + 1) // 2
    for row in numba.prange(len(count)):
        mine = count[row]
        mine[:] = 0.0
        begin = np.uint64(first + row) * np.uint64(numbers)
        for at in range(numbers):
            number = random64(key, begin + np.uint64(at))
            mine[np.int64(((number >> _HALF) * np.uint64(n)) >> _HALF)] += 1.0
            if 2 * at + 1 < n:
                mine[np.int64(((number & _LOW) * np.uint64(n)) >> _HALF)] += 1.0


@compiled(parallel=True)
def _draw_signs(sign: np.ndarray, key: Any, first: int) -> None:
    """Fill float64[resamples, n] with +1 or −1, each with chance ½: one bit a user."""
    n = sign.shape[1]
    words = (n + 63) // 64
    for row in numba.prange(len(sign)):
        mine = sign[row]
        begin = np.uint64(first + row) * np.uint64(words)
        for word in range(words):
            bits = random64(key, begin + np.uint64(word))
            for at in range(64 * word, min(64 * word + 64, n)):
                mine[at] = 1.0 if bits & np.uint64(1) else -1.0
                bits >>= np.uint64(1)


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
        are in all. The sums of equal resamples are equal but for rounding.
    flips:
        Each user's sign is flipped with chance ½, instead of drawing as many users as there are
        with replacement.

    Cost: resamples · users draws (a bit each for flips) and resamples · users · columns
    multiply-adds. Memory: the result and 32 MB, or a resample of all users where that is more.
    """
    n_users = len(values)
    draw = _draw_signs if flips else _draw_users
    sums = np.empty((n_resamples, values.shape[1]))
    step = max(1, _BLOCK // n_users)
    weights = np.empty((min(step, n_resamples), n_users))
    with few_threads(n_resamples * n_users < SMALL), one_blas_thread():
        for start in range(0, n_resamples, step):
            block = weights[: n_resamples - start]
            draw(block, key, start)
            np.matmul(block, values, out=sums[start : start + step])
    return sums
