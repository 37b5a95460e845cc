"""What is to be backtested, as one description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.backtest.blend import Blending
from cofilter.backtest.config import BacktestConfig
from cofilter.backtest.methods import backtest_config
from cofilter.blending.weights import BlendConfig
from cofilter.core.columns import RATING, TIMESTAMP
from cofilter.core.config import parse
from cofilter.core.errors import LeakError
from cofilter.core.feedback import feedback_of
from cofilter.core.io import read_json, read_table
from cofilter.core.parts import AUDIT, PARTS, content_sha256
from cofilter.core.paths import SPLIT
from cofilter.evaluation.config import EvaluateConfig
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.config import ModelConfig
from cofilter.training.point import Point
from cofilter.training.points import shared
from cofilter.training.unfit import unfit_reason


@dataclass(frozen=True)
class Request:
    """What is to be backtested.

    Attributes
    ----------
    known:
        The rows of train and validation; no test row.
    test:
        The test instant; None where the split has none.
    split:
        The configuration that made the parts.
    points:
        The methods, in the order of the tables.
    evaluate:
        What is scored, and how it is compared.
    scale:
        (lowest, highest) rating, when the source names it.
    blending:
        How the methods are blended, for one more row; None: no such row.
    """

    known: pd.DataFrame
    test: int | None
    split: SplitConfig
    config: BacktestConfig
    points: Sequence[Point]
    evaluate: EvaluateConfig
    scale: tuple[float, float] | None = None
    blending: Blending | None = None

    @property
    def reason(self) -> str | None:
        """Why there can be no backtest; None where there can."""
        if not self.config.windows:
            return "backtest.windows is 0"
        if self.test is None:
            return (
                f"split {self.split.kind} has no test instant that windows could lie before; "
                "global_temporal has"
            )
        if not self.points:
            return "no method of the sweep takes part (backtest.methods)"
        return None


def request_of(cfg: Mapping[str, Any], points: Sequence[Point]) -> Request:
    """The pipeline's backtest, of those ``points`` that the data can train.

    The test part is not read.

    Raises
    ------
    ConfigError
        A group is impossible.
    LeakError
        Train or validation are not those that the split's audit states.
    DataError
        A file is missing or unreadable.
    """
    known, scale = known_rows(SPLIT), cfg["data"]["scale"]
    feedback = feedback_of(known[RATING].to_numpy(), scale)
    timed = TIMESTAMP in known.columns
    config = backtest_config(cfg)
    evaluate = parse(EvaluateConfig, cfg["evaluate"], "evaluate")
    blending = Blending(
        parse(BlendConfig, cfg["blend"], "blend"),
        evaluate,
        parse(ModelConfig, shared(cfg), "data"),
    )
    return Request(
        known=known,
        test=(read_json(SPLIT / AUDIT)["instants"] or {}).get("test"),
        split=parse(SplitConfig, cfg["split"], "split"),
        config=config,
        points=[each for each in points if not unfit_reason(each.make(), feedback, timed=timed)],
        evaluate=evaluate,
        scale=scale and tuple(scale),
        blending=blending if config.blend else None,
    )


def known_rows(split: Path) -> pd.DataFrame:
    """The rows of train and validation, as the split's audit states them."""
    audit, tables = read_json(split / AUDIT), []
    for name in PARTS[:2]:
        tables.append(read_table(split / f"{name}.parquet"))
        if content_sha256(tables[-1]) != audit["parts"][name]["sha256"]:
            raise LeakError(f"{split}: the {name} part is not the one that its audit states")
    return pd.concat(tables, ignore_index=True)
