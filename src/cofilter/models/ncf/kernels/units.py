"""What folding in does to units between two matrix products, in one pass over them.

NumPy would go through all items' units once for each operation, and memory takes longer than the
arithmetic. The bits are those of the same operations one after the other.
"""

from __future__ import annotations

import numpy as np

from cofilter.core.compiled import compiled

_ZERO = np.float32(0.0)


@compiled()
def add_and_activate(units: np.ndarray, row: np.ndarray, out: np.ndarray) -> None:
    """relu(units + row) of float32[n, width] and float32[width], into ``out``, perhaps itself."""
    for n in range(units.shape[0]):
        for at in range(units.shape[1]):
            unit = units[n, at] + row[at]
            out[n, at] = unit if unit > _ZERO else _ZERO


@compiled()
def back_from_one(
    derivative: np.ndarray, weight: np.ndarray, units: np.ndarray, out: np.ndarray
) -> None:
    """Derivatives float32[n, width] before relu, of one output that weighs units by ``weight``."""
    for n in range(units.shape[0]):
        own = derivative[n, 0]
        for at in range(units.shape[1]):
            out[n, at] = own * weight[at] if units[n, at] > _ZERO else _ZERO


@compiled()
def keep_active(derivative: np.ndarray, units: np.ndarray) -> None:
    """Derivatives float32[n, width] before relu from those after, in place."""
    for n in range(units.shape[0]):
        for at in range(units.shape[1]):
            derivative[n, at] = derivative[n, at] if units[n, at] > _ZERO else _ZERO


@compiled()
def sum_of_active(derivative: np.ndarray, units: np.ndarray) -> np.ndarray:
    """float32[width]: the sum over n, in order, of derivatives before relu from those after."""
    total = np.zeros(units.shape[1], np.float32)
    for n in range(units.shape[0]):
        for at in range(units.shape[1]):
            total[at] += derivative[n, at] if units[n, at] > _ZERO else _ZERO
    return total
