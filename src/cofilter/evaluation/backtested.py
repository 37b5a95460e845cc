"""What a backtest found, as `cofilter.backtest` writes it and the comparison reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.errors import DataError
from cofilter.core.io import read_json
from cofilter.evaluation.files import BACKTEST_FACTS, BACKTEST_POOLED

METHOD = "method"  # family/point
BACKTEST_FIRST = "run the stage backtest first"


@dataclass(frozen=True)
class Backtested:
    """Which methods were backtested, and how they did.

    Attributes
    ----------
    reason:
        Why there is no backtest; None where there is one.
    figures:
        The pooled primary metric by method (family/point); empty where there is no backtest.
    windows, pairs:
        How many windows there were, and how many (user, window) pairs the metric is over.
    """

    reason: str | None
    figures: Mapping[str, float] = field(default_factory=dict)
    windows: int = 0
    pairs: int = 0


NO_BACKTEST = Backtested("none was run")


def read_backtested(results: Path, primary: str) -> Backtested:
    """Read the files of the stage backtest from ``results``.

    Raises
    ------
    DataError
        A file is missing, unreadable or of another primary metric.
    """
    facts: dict[str, Any] = read_json(results / BACKTEST_FACTS)
    if facts["reason"] is not None:
        return Backtested(facts["reason"])
    path = results / BACKTEST_POOLED
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable ({error}); {BACKTEST_FIRST}") from None
    if primary not in table or facts["primary"] != primary:
        raise DataError(f"{path}: no {primary}, by which models are compared; {BACKTEST_FIRST}")
    there = table.dropna(subset=[primary])
    figures = dict(zip(there[METHOD], there[primary].astype(float), strict=True))
    return Backtested(None, figures, len(facts["windows"]), facts["pairs"])
