"""How much new ratings change a model, and how far folding them in is from fitting again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, TIMESTAMP, USER
from cofilter.core.errors import DataError
from cofilter.core.matrix import UNKNOWN
from cofilter.recommender.base import Recommender
from cofilter.recommender.updates import history_table, updated
from cofilter.release.comparing import HeldOut
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score_target

NEWEST = 0.2  # share of the new rows that are held out to measure


@dataclass(frozen=True)
class Counted:
    """What new rows hold for a model.

    Attributes
    ----------
    rows, users, new_users:
        All of them.
    changed:
        Rows that replace an older rating of their pair.
    unknown_rows, unknown_items:
        Rows of items that the model does not know, which are left out, and how many items.
    """

    rows: int
    users: int
    new_users: int
    changed: int
    unknown_rows: int
    unknown_items: int

    @property
    def stale(self) -> float:
        """Share of the rows about items that the model does not know: how stale its items are."""
        return self.unknown_rows / self.rows


def counted(model: Recommender, rows: pd.DataFrame) -> Counted:
    """Count new rows, one a pair."""
    users = model.users_.index(rows[USER].unique())
    unknown = model.items_.index(rows[ITEM]) == UNKNOWN
    both = rows.merge(history_table(model)[[USER, ITEM]], on=[USER, ITEM])
    return Counted(
        rows=len(rows),
        users=len(users),
        new_users=int((users == UNKNOWN).sum()),
        changed=len(both),
        unknown_rows=int(unknown.sum()),
        unknown_items=int(rows.loc[unknown, ITEM].nunique()),
    )


@dataclass(frozen=True)
class Quality:
    """A model on the newest rows.

    Attributes
    ----------
    model:
        ``before``, ``updated`` or ``fitted again``.
    ndcg, rmse:
        Over all their users and rows; None where the model has none.
    seconds:
        What making it took; None for the one that was there.
    """

    model: str
    ndcg: float | None
    rmse: float | None
    users: int
    rows: int
    seconds: float | None


def measured(
    model: Recommender, rows: pd.DataFrame, threshold: float | None = None, *, refit: bool = True
) -> list[Quality]:
    """Score a model on the newest rows: as it is, updated with the older new rows, and fitted anew.

    The newest `NEWEST` of the new rows are held out, by time, without times in their order. The
    difference between the last two is the price of not training again.

    Raises `DataError` where there are too few rows to hold some out.
    """
    n_held_out = round(NEWEST * len(rows))
    if not 0 < n_held_out < len(rows):
        raise DataError(f"{len(rows)} new rows are too few to measure on")
    order = np.arange(len(rows))
    if TIMESTAMP in rows:
        order = np.argsort(rows[TIMESTAMP].to_numpy(), kind="stable")
    older, newest = rows.iloc[order[:-n_held_out]], rows.iloc[order[-n_held_out:]]
    made: dict[str, tuple[Recommender, float | None]] = {"before": (model, None)}
    made["updated"] = _timed(lambda: updated(model, older))
    if refit:
        made["fitted again"] = _timed(lambda: _fitted_again(model, older))
    held_out = HeldOut(newest, threshold=threshold)
    target = held_out.target([made["updated"][0]])
    names = f"ndcg@{held_out.k}", "rmse"
    config = ScoreConfig(k=(held_out.k,), relevance_threshold=threshold)
    found = []
    for name, (each, seconds) in made.items():
        scores = score_target(each, target, config).all
        ndcg, rmse = (scores.metrics(names)[name] for name in names)
        users, n_rows = scores.counts["ranked_users"], scores.counts["rated_rows"]
        found.append(Quality(name, ndcg, rmse, int(users or 0), int(n_rows or 0), seconds))
    return found


def _fitted_again(model: Recommender, rows: pd.DataFrame) -> Recommender:
    """The method on all rows, with all that was chosen frozen."""
    before = history_table(model)
    both = pd.concat([before, rows[[name for name in before if name in rows]]], ignore_index=True)
    both = both.drop_duplicates([USER, ITEM], keep="last")
    return model.for_refit().fit(both)


def _timed(make: Callable[[], Recommender]) -> tuple[Recommender, float | None]:
    started = time.monotonic()
    model = make()
    return model, time.monotonic() - started
