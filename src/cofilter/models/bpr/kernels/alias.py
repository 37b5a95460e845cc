"""Draws by weight in constant time: alias tables."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled

_LOW = np.uint64(0xFFFFFFFF)


class Weighted(NamedTuple):
    """An alias table: a draw takes a column at random and keeps it or takes its alias.

    ``keep``: float32[n], chance of keeping; ``alias``: int32[n].
    """

    keep: np.ndarray
    alias: np.ndarray


@compiled()
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
