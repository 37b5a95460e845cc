"""Random numbers that are functions of their place.

A number depends on a key and an index alone, never on what was drawn before, so that any worker
can compute any of them and an epoch's draws need no state in a checkpoint.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)

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
