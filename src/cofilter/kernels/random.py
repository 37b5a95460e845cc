"""Random numbers that are functions of their place, and draws by weight.

A number depends on a key and an index alone, never on what was drawn before, so that any worker
can compute any of them and an epoch's draws need no state in a checkpoint.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = (1 << 32) - 1


@numba.njit
def mix64(value: Any) -> Any:
    """SplitMix64's finalizer, a bijection of uint64 (Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


@numba.njit
def random64(key: Any, index: Any) -> Any:
    """The ``index``-th number of SplitMix64's stream from ``key``; two multiplications more."""
    return mix64(key + (index + np.uint64(1)) * _GAMMA)


def stream_key(seed: int, *parts: int) -> np.uint64:
    """A key for the stream that a seed and further whole numbers name, such as an epoch.

    Names of equally many numbers have different streams; a number counts modulo 2^64.
    """
    words = [word for part in (seed, *parts) for word in (part & _HALF, part >> 32 & _HALF)]
    return np.random.SeedSequence(words).generate_state(1, np.uint64)[0]


class Weighted(NamedTuple):
    """An alias table: a draw takes a column at random and keeps it or takes its alias.

    ``keep``: float32[n], chance of keeping; ``alias``: int32[n].
    """

    keep: np.ndarray
    alias: np.ndarray


@numba.njit(cache=True)
def weighted(weight: np.ndarray) -> Weighted:
    """Alias table of n weights > 0, float64[n]; O(n) (Walker 1977, Vose 1991)."""
    n = len(weight)
    chance = weight * (n / weight.sum())
    alias = np.arange(n).astype(np.int32)
    short, ample = np.empty(n, np.int32), np.empty(n, np.int32)
    n_short, n_ample = 0, 0
    for column in range(n):
        if chance[column] < 1.0:
            short[n_short] = column
            n_short += 1
        else:
            ample[n_ample] = column
            n_ample += 1
    keep = np.ones(n, np.float32)
    while n_short > 0 and n_ample > 0:
        n_short -= 1
        low, high = short[n_short], ample[n_ample - 1]
        keep[low], alias[low] = chance[low], high
        chance[high] -= 1.0 - chance[low]
        if chance[high] < 1.0:
            n_ample -= 1
            short[n_short] = high
            n_short += 1
    return Weighted(keep, alias)


@numba.njit
def draw(table: Weighted, number: Any) -> Any:
    """The column that a 64-bit random number picks: O(1), 8 bytes read.

    The upper half chooses a column, the lower half between it and its alias.
    """
    column = ((number >> np.uint64(32)) * np.uint64(len(table.keep))) >> np.uint64(32)
    at = np.int64(column)
    chance = np.float32(number & _LOW) * np.float32(2.0**-32)
    return at if chance < table.keep[at] else np.int64(table.alias[at])
