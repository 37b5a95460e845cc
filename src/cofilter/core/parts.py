"""The three parts of a split, and the folder that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError
from cofilter.core.feedback import Feedback, feedback_of
from cofilter.core.io import read_json, read_table, table_sha256, write_json, write_table

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
    """Read what `save_parts` wrote, and compare each part with its hash in the audit.

    Raises
    ------
    DataError
        A file is missing, not readable, or holds other rows than the audit was made of.
    """
    parts = Parts(*(read_table(folder / f"{name}.parquet") for name in PARTS))
    recorded = content_hashes(read_json(folder / AUDIT))
    for (name, table), sha256 in zip(parts.named(), recorded, strict=True):
        if content_sha256(table) != sha256:
            raise DataError(
                f"{folder / name}.parquet: not the rows that {AUDIT} beside it states; run "
                "`dvc checkout data/split` for the last good ones, or the split stage again"
            )
    return parts


def content_sha256(part: pd.DataFrame) -> str:
    """SHA-256 of a part's ids, ratings, times and weights, row order included, types not."""
    names = (USER, ITEM, RATING, TIMESTAMP, WEIGHT)
    kept = part[[name for name in names if name in part.columns]]
    numbers = kept.columns[[pd.api.types.is_numeric_dtype(dtype) for dtype in kept.dtypes]]
    wide = {name: np.float64 if name in (RATING, WEIGHT) else np.int64 for name in numbers}
    return table_sha256(kept.astype(wide))


def content_hashes(audit: Mapping[str, Any]) -> list[str]:
    """The parts' hashes from an audit, train first: what tells one data set and split apart.

    Raises `DataError` for an audit that states none.
    """
    try:
        return [audit["parts"][name]["sha256"] for name in PARTS]
    except (KeyError, TypeError):
        raise DataError(
            f"{AUDIT}: states no hashes of the parts; run the split stage again"
        ) from None
