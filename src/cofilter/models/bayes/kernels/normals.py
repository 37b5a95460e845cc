"""Normal random numbers by name: a row finds its own, whoever draws it and whenever."""

from __future__ import annotations

import math

import numba
import numpy as np

from cofilter.recommender.kernels.random import mix64, random64

_ROW = np.uint64(0xD1342543DE82EF95)
_SHIFT, _ONE = np.uint64(11), np.uint64(1)
_UNIT = 2.0**-53


@numba.njit
def normals(key: np.uint64, row: int, out: np.ndarray) -> None:
    """Fill ``out`` (float64[n]) with the first n standard normals of stream (key, row).

    Box and Muller (1958). Cost: a logarithm, a root, a sine and a cosine for each two.
    """
    stream = mix64(key + np.uint64(row) * _ROW)
    for at in range(0, len(out), 2):
        first, second = random64(stream, np.uint64(at)), random64(stream, np.uint64(at + 1))
        # Never the logarithm of 0.
        radius = math.sqrt(-2.0 * math.log(np.float64((first >> _SHIFT) + _ONE) * _UNIT))
        angle = 2.0 * math.pi * (np.float64(second >> _SHIFT) * _UNIT)
        out[at] = radius * math.cos(angle)
        if at + 1 < len(out):
            out[at + 1] = radius * math.sin(angle)
