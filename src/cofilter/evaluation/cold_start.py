"""Cold start measured: how good a model is for a new user as more of their ratings are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, TIMESTAMP, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.config import ColdStartConfig, EvaluateConfig
from cofilter.evaluation.uncertainty import mean_intervals, ratio_intervals
from cofilter.metrics.ranking import metric_at_k
from cofilter.metrics.rating import errors_by_user
from cofilter.recommender.base import Recommender
from cofilter.scoring.lists import ranked_lists
from cofilter.scoring.target import Target

COLUMNS = (
    "model", "family", "revealed", "users", "rows",
    "rmse", "rmse_low", "rmse_high", "ndcg", "ndcg_low", "ndcg_high",
)  # fmt: skip
_PLACE = "place"  # of a row among its user's, in order of time


@dataclass(frozen=True)
class Newcomers:
    """Users first seen in the test part, with more ratings there than are ever revealed.

    Attributes
    ----------
    ids:
        Their ids, ascending.
    history:
        The rows that may be revealed, each user's first ones in time; ties go by item id.
    rest:
        All their later rows: what is predicted, the same however much is revealed.
    """

    ids: np.ndarray
    history: pd.DataFrame
    rest: pd.DataFrame

    @classmethod
    def of(cls, parts: Parts, config: ColdStartConfig) -> Newcomers:
        """Users of test that neither train nor validation knows; a seeded draw of too many.

        None in a split that gives every user some training rows, and none without times, since
        there is no first rating then.
        """
        test, most = parts.test, max(config.revealed)
        known = pd.concat([parts.train[USER], parts.validation[USER]]).unique()
        if TIMESTAMP not in test.columns:
            test = test.iloc[:0].assign(**{TIMESTAMP: 0})
        rows = test[~test[USER].isin(known)].sort_values([USER, TIMESTAMP, ITEM], kind="stable")
        rows = rows.assign(**{_PLACE: rows.groupby(USER).cumcount()})
        ids = np.unique(rows.loc[rows[_PLACE] == most, USER].to_numpy())
        if len(ids) > config.max_users:
            rng = np.random.default_rng(config.seed)
            ids = np.sort(rng.choice(ids, config.max_users, replace=False))
        rows = rows[rows[USER].isin(ids)]
        first = rows[_PLACE] < most
        return cls(ids, rows[first], rows[~first])

    def revealed(self, n: int) -> pd.DataFrame:
        """The first ``n`` rows of each user."""
        return self.history[self.history[_PLACE] < n]


def cold_start(
    model: Recommender, newcomers: Newcomers, train: pd.DataFrame, config: EvaluateConfig
) -> pd.DataFrame:
    """One model's curve: quality on the newcomers' later rows against how many came before.

    The first n ratings are folded in (`Recommender.fold_in`); with none the answer is the model's
    fallback. Users and predicted rows are the same for every n, so that the curve shows what the
    ratings add and nothing else.

    Parameters
    ----------
    train:
        The train part; its items are the candidates, less what was revealed.

    Returns
    -------
    A row for each of ``config.cold_start.revealed``: the `COLUMNS` without model and family.
    RMSE is pooled over all later rows; NDCG, at ``config.list_length``, is the mean over users
    with a relevant later item that train knows. Both have intervals by bootstrap over users, and
    are missing where the model does not rate or rank. No newcomers give no rows.
    """
    if not len(newcomers.ids):
        return pd.DataFrame(columns=list(COLUMNS[2:]))
    rows = [
        {
            "revealed": n,
            "users": len(newcomers.ids),
            "rows": len(newcomers.rest),
            **_scored(model, newcomers, newcomers.revealed(n), train, config),
        }
        for n in config.cold_start.revealed
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS[2:]))


def _scored(
    model: Recommender,
    newcomers: Newcomers,
    revealed: pd.DataFrame,
    train: pd.DataFrame,
    config: EvaluateConfig,
) -> dict[str, float | None]:
    people = model.fold_in(revealed, newcomers.ids)
    target = Target.of(train, revealed, newcomers.rest, config.relevance_threshold)
    found: dict[str, float | None] = {}
    if model.predicts_ratings:
        predicted = model.predict(people.take(target.user_ids), target.item_ids)
        errors = errors_by_user(target.user, target.rating, predicted, len(target.users))
        sums = errors.squared[:, None], errors.rows[:, None].astype(np.float64)
        low, high = ratio_intervals(*sums, config.uncertainty, root=True)
        found |= {"rmse": errors.rmse(), "rmse_low": low[0], "rmse_high": high[0]}
    relevant = target.n_relevant(warm=True)
    users = np.flatnonzero(relevant)
    if model.ranks and len(users):
        k = config.list_length
        hits = ranked_lists(model, target, users, k, people).hits
        ndcg = metric_at_k("ndcg", hits, relevant[users], k)
        low, high = mean_intervals(ndcg[:, None], config.uncertainty)
        found |= {"ndcg": float(ndcg.mean()), "ndcg_low": low[0], "ndcg_high": high[0]}
    return found
