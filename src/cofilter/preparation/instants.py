"""The two instants that cut a log into train, validation and test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cofilter.core.errors import DataError


@dataclass(frozen=True)
class Instants:
    """Two cuts in int64 seconds: train < ``validation`` ≤ validation < ``test`` ≤ test.

    A row at an instant belongs to the part that begins there.
    """

    validation: int
    test: int


def instants(
    timestamps: pd.Series | np.ndarray, validation_share: float, test_share: float
) -> Instants:
    """Cut a log's times so that about the asked shares of its rows come last.

    With the n times sorted ascending as t[0] … t[n − 1], the instants are::

        test       = t[n − count(test_share)]
        validation = t[n − count(test_share) − count(validation_share)]
        count(s)   = max(1, ⌊s·n + ½⌋)

    Rows that share an instant's time all go to the later part, so the parts after a cut are at
    least as large as asked. Filter and split both call this on the raw log (before any filter),
    so that both mean the same instants.

    Parameters
    ----------
    timestamps:
        int64[n] seconds, in any order.
    validation_share, test_share:
        Shares of the rows, each in (0, 1), their sum below 1.

    Raises
    ------
    DataError
        The log is empty, or a part would be; the message names the instants and the sizes.
    """
    times = np.asarray(timestamps, dtype=np.int64)
    n = len(times)
    if n == 0:
        raise DataError("no ratings to cut by time: the table is empty")
    test_position = max(0, n - _count(test_share, n))
    validation_position = max(0, test_position - _count(validation_share, n))
    cut = np.partition(times, [validation_position, test_position])
    found = Instants(int(cut[validation_position]), int(cut[test_position]))
    before_validation = int((times < found.validation).sum())
    before_test = int((times < found.test).sum())
    sizes = (before_validation, before_test - before_validation, n - before_test)
    if not all(sizes):
        raise DataError(
            f"the time cut leaves a part empty: with shares {validation_share} and {test_share} "
            f"validation begins at {moment(found.validation)} and test at {moment(found.test)}, "
            f"so train has {sizes[0]}, validation {sizes[1]} and test {sizes[2]} rows; "
            "change split.validation_share or split.test_share, or use another split.kind"
        )
    return found


def moment(seconds: int) -> str:
    """Seconds and the UTC time that they mean, for messages."""
    return f"{seconds} ({np.datetime_as_string(np.datetime64(seconds, 's'))}Z)"


def _count(share: float, rows: int) -> int:
    return max(1, math.floor(share * rows + 0.5))
