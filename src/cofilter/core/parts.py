"""The three parts of a split, and the folder that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.columns import RATING, TIMESTAMP, WEIGHT
from cofilter.core.feedback import Feedback, feedback_of
from cofilter.core.io import read_table, write_json, write_table

PARTS = ("train", "validation", "test")  # in order of time
AUDIT = "audit.json"


@dataclass(frozen=True)
class Parts:
    """Tables with the columns of the ratings (user_id, item_id, rating; timestamp, weight if any).

    Rows stand in the order of the log. No (user, item) pair occurs twice, in one part or in two.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame

    def feedback(self, scale: Sequence[float] | None) -> Feedback:
        """What the train part's numbers are; ``scale``: that of the ratings, when it is named."""
        return feedback_of(self.train[RATING].to_numpy(), scale)

    @property
    def timed(self) -> bool:
        """Whether the rows have times."""
        return TIMESTAMP in self.train.columns

    @property
    def weighted(self) -> bool:
        """Whether the rows have weights."""
        return WEIGHT in self.train.columns

    def named(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Names and tables, train first."""
        return ((name, getattr(self, name)) for name in PARTS)


def save_parts(parts: Parts, audit: dict[str, Any], folder: Path) -> None:
    """Write ``{train,validation,test}.parquet`` and ``audit.json``, the audit last."""
    for name, table in parts.named():
        write_table(folder / f"{name}.parquet", table)
    write_json(folder / AUDIT, audit)


def load_parts(folder: Path) -> Parts:
    """Read what `save_parts` wrote; a missing file is a `DataError` that names it."""
    return Parts(*(read_table(folder / f"{name}.parquet") for name in PARTS))


def content_hashes(audit: Mapping[str, Any]) -> list[str]:
    """The parts' hashes from an audit, train first: what tells one data set and split apart."""
    return [audit["parts"][name]["sha256"] for name in PARTS]
