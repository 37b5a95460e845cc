"""Successive windows before the test instant, each with a train of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cofilter.backtest.config import BacktestConfig
from cofilter.core.columns import TIMESTAMP
from cofilter.core.errors import DataError, LeakError
from cofilter.core.parts import Parts
from cofilter.preparation.audit import audit
from cofilter.preparation.instants import Instants, moment
from cofilter.preparation.split import SplitConfig, split_ratings

REMEDY = (
    "set fewer windows (backtest.windows) or a larger backtest.share, or turn the backtest off "
    "(backtest.windows=0)"
)


@dataclass(frozen=True)
class Cut:
    """Where one window lies, in int64 seconds.

    Attributes
    ----------
    window:
        Its number, from 1, the earliest first.
    inner:
        Where the validation part of the window's own train begins.
    begin, end:
        The window holds begin ≤ time < end; its train is everything before ``begin``.
    """

    window: int
    inner: int
    begin: int
    end: int


@dataclass(frozen=True)
class Window:
    """One window as a split of its own.

    Attributes
    ----------
    parts:
        ``test`` holds the window's rows, ``train`` and ``validation`` all rows before it.
    audit:
        What `cofilter.preparation.audit.audit` states of these parts.
    """

    cut: Cut
    parts: Parts
    audit: dict[str, Any]


def window_cuts(
    times: np.ndarray, test: int, split: SplitConfig, config: BacktestConfig
) -> list[Cut]:
    """Where the windows lie: the last share of the rows before the test instant, in equal pieces.

    With the n times before the test instant T sorted as t[0] … t[n − 1], W windows and the share
    s, window w = 1 … W begins at ::

        begin(w) = t[n − ⌊s · n · (W − w + 1) / W + ½⌋],   end(w) = begin(w + 1),   end(W) = T

    So each window holds about s · n / W rows, and the first one has the earlier (1 − s) · n rows
    to train on: with the defaults, windows of 12 % of the rows after a first train of 40 %. Rows
    that share a cut's time all go to the later side. The last v of the m rows before a window are
    its train's validation part, as large as in the split, v = validation_share / (1 − test_share):
    it begins at the (m − max(1, ⌊v · m + ½⌋))-th of these times.

    Parameters
    ----------
    times:
        int64[n] seconds, in any order: those of train and validation.
    test:
        The test instant T.

    Raises
    ------
    LeakError
        A time is not before the test instant.
    DataError
        A window, or a part of its train, holds no rows.
    """
    times = np.sort(np.asarray(times, np.int64))
    n, count = len(times), config.windows
    if n and times[-1] >= test:
        raise LeakError(
            f"the backtest was given a row at {moment(int(times[-1]))}, but test begins at "
            f"{moment(test)}"
        )
    held = [math.floor(config.share * n * (count - at) / count + 0.5) for at in range(count)]
    begins = [int(times[n - rows]) if rows else test for rows in held]
    share = split.validation_share / (1 - split.test_share)
    cuts = []
    for window, (begin, end) in enumerate(pairwise([*begins, test]), start=1):
        before = times[: np.searchsorted(times, begin)]
        inner = (
            int(before[len(before) - max(1, math.floor(share * len(before) + 0.5))])
            if len(before)
            else begin
        )
        cut = Cut(window, inner, begin, end)
        _refuse_empty(times, cut, count)
        cuts.append(cut)
    return cuts


def cut_window(known: pd.DataFrame, cut: Cut, split: SplitConfig) -> Window:
    """One window's parts, by the same function as the pipeline's split, and their audit.

    The rows are those that filter and split left: cold users and items are kept, a pair occurs
    once, and a filter that counts has counted up to the test instant.

    Parameters
    ----------
    known:
        The rows of train and validation, in any order of time.
    cut:
        One of `window_cuts`.

    Raises
    ------
    LeakError
        The parts overlap, or a row is on the wrong side of a cut.
    """
    # The rows are settled: to count a pair's once more would make all counts 1.
    policy = "last" if split.duplicates == "count" else split.duplicates
    temporal = split.model_copy(update={"kind": "global_temporal", "duplicates": policy})
    rows = known[known[TIMESTAMP].to_numpy() < cut.end].reset_index(drop=True)
    instants = Instants(cut.inner, cut.begin)
    parts, report = split_ratings(rows, temporal, instants)
    facts = audit(parts, instants, temporal, report["duplicates"])
    last = facts["parts"]["test"]["last_time"]
    if last >= cut.end:
        raise LeakError(
            f"window {cut.window} ends at {moment(cut.end)} and holds a row at {moment(last)}"
        )
    return Window(cut, parts, facts)


def _refuse_empty(times: np.ndarray, cut: Cut, count: int) -> None:
    edges = np.searchsorted(times, [cut.inner, cut.begin, cut.end])
    train, validation, held = np.diff(edges, prepend=0).tolist()
    if train and validation and held:
        return
    raise DataError(
        f"window {cut.window} of {count} (from {moment(cut.begin)} to {moment(cut.end)}) cannot be "
        f"backtested: {held} rows, after {train} to train on and {validation} to choose the epochs "
        f"on; {REMEDY}"
    )
