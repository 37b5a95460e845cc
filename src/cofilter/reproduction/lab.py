"""What a procedure is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, TITLE, USER
from cofilter.metrics.rating import rmse
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.training.loop import CheckpointConfig, Observer, Trainer

M = TypeVar("M", bound=Recommender)
C = TypeVar("C", bound=ModelConfig)
NO_CLIPPING = (-1e6, 1e6)  # the published procedures leave predictions as they come


@dataclass(frozen=True)
class Figure:
    """One measured number; None where there is nothing to measure, and the note says why."""

    what: str
    metric: str
    value: float | None
    note: str = ""


@dataclass(frozen=True)
class Findings:
    """What a procedure found.

    Attributes
    ----------
    figures:
        In the order in which they are shown.
    tables:
        Further tables by name, such as ``curves`` or ``recommendations``.
    models:
        Fitted models worth keeping, by name.
    arrays:
        Groups of arrays worth keeping, by name.
    """

    figures: list[Figure]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    models: dict[str, Recommender] = field(default_factory=dict)
    arrays: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lab:
    """What a procedure works with.

    Attributes
    ----------
    ratings:
        The filtered log in its own order, before any split.
    titles:
        Title by item id.
    scale:
        (lowest, highest) rating; None when the source names none.
    checkpoint, checkpoints:
        How and where trainings are kept, so that a stopped one goes on.
    tracked:
        Gives the observer of the training with this name; a run of its own at the tracker.
    """

    ratings: pd.DataFrame
    titles: pd.Series
    scale: tuple[float, float] | None
    checkpoint: CheckpointConfig
    checkpoints: Path
    tracked: Callable[[str], AbstractContextManager[Observer | None]]

    def fit(
        self, name: str, model: M, train: pd.DataFrame, validation: pd.DataFrame | None = None
    ) -> M:
        """Fit a model, tracked under a name; an empty name means no run of its own."""
        if not name:
            return model.fit(train, validation, Trainer(self.checkpoint, self.checkpoints))
        with self.tracked(name) as observer:
            trainer = Trainer(self.checkpoint, self.checkpoints, observer, name)
            return model.fit(train, validation, trainer)

    def recommendations(
        self, model: Recommender, user: int | str, k: int, seen: pd.DataFrame
    ) -> pd.DataFrame:
        """A user's k best items without those in ``seen``: rank, item_id, title, score."""
        items, scores = model.recommend([user], k, exclude=seen[seen[USER] == user])
        found = np.isfinite(scores[0])
        table = pd.DataFrame({ITEM: items[0][found], "score": scores[0][found]})
        table.insert(0, "rank", np.arange(1, len(table) + 1))
        table.insert(2, TITLE, table[ITEM].map(self.titles))
        return table


def as_they_are(config: C) -> C:
    """The same configuration with ratings learned as they are, whatever their scale."""
    return config.model_copy(update={"unit": 1.0})


def unclipped(config: C) -> C:
    """`as_they_are`, and predictions left as they come."""
    return as_they_are(config).model_copy(update={"scale": NO_CLIPPING})


def warm(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """The rows whose user and item occur in train."""
    return rows[rows[USER].isin(train[USER]) & rows[ITEM].isin(train[ITEM])]


def answered_rmse(model: Recommender, rows: pd.DataFrame) -> tuple[float | None, str]:
    """RMSE over the rows for which the model has an answer of its own, and how many have none."""
    predicted, fallback = model.predict(rows[USER], rows[ITEM], return_fallback=True)
    note = f"{int(fallback.sum())} of {len(rows)} rows without an answer" if fallback.any() else ""
    if fallback.all():
        return None, note
    return rmse(rows[RATING].to_numpy()[~fallback], predicted[~fallback]), note
