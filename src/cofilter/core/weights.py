"""Weights of rows: inverse propensities, corrections for exposure, confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cofilter.core.columns import WEIGHT
from cofilter.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

EXPECTED = "a finite number from 0 up is expected"


def acceptable(weight: np.ndarray) -> np.ndarray:
    """bool[n], where a weight is finite, as float32 too, and not negative."""
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = np.asarray(weight).astype(np.float32)
    return np.isfinite(narrow) & (narrow >= 0)


def weights_of(table: pd.DataFrame) -> np.ndarray | None:
    """The column ``weight`` as float32[n]; None where the table has none.

    Raises
    ------
    DataError
        A weight is no number, negative or not finite; the line names the first.
    """
    if WEIGHT not in table.columns:
        return None
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(table[WEIGHT].dtype):
        raise DataError(f"column {WEIGHT}: numbers are expected, got {table[WEIGHT].dtype}")
    weight = table[WEIGHT].to_numpy(np.float64, na_value=np.nan)
    good = acceptable(weight)
    if not good.all():
        at = int(np.argmin(good))
        raise DataError(
            f"column {WEIGHT}, row {at + 1} (counted from 1): {weight[at]:g} is not allowed; "
            f"{EXPECTED}"
        )
    return weight.astype(np.float32)
