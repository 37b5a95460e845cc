"""Sides that cost nothing, for processes that the harness starts."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.dataset import Dataset
from benchmarks.row import Measured


def steady(data: Dataset, run: int, seconds: float, **facts: Any) -> Measured:
    """A fixed figure."""
    rows = len(data.train(run).user)
    threads = int(os.environ["OMP_NUM_THREADS"])
    ids = np.arange(3)[None]
    told = facts | {"rows": rows, "run": run, "threads": threads}
    return Measured([seconds], told, {"ids": ids, "values": 1.0 / (1 + ids)})


def broken(data: Dataset, run: int) -> Measured:
    """A side that fails."""
    raise ValueError(f"nothing works in run {run}")
