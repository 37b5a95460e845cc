"""Cold start measured: how good a model is for a new user as more of their ratings are known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, TIMESTAMP, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.config import ColdStartConfig, EvaluateConfig
from cofilter.evaluation.uncertainty import mean_intervals, ratio_intervals
from cofilter.metrics.ranking import metric_at_k
from cofilter.metrics.rating import UserErrors, errors_by_user
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
    targets:
        ``rest`` as what is to be predicted, by how much is revealed; the candidates are the items
        of train, less what was revealed. None without newcomers.
    """

    ids: np.ndarray
    history: pd.DataFrame
    rest: pd.DataFrame
    targets: dict[int, Target] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        parts: Parts,
        config: ColdStartConfig,
        threshold: float | None,
        scale: tuple[float, float] | None = None,
    ) -> Newcomers:
        """Users of test that neither train nor validation knows; a seeded draw of too many.

        None in a split that gives every user some training rows, and none without times, since
        there is no first rating then. Rows rated at least ``threshold`` are relevant; ``scale``
        is that of the ratings, when it is named.
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
        found = cls(ids, rows[first], rows[~first])
        for n in config.revealed if len(ids) else ():
            found.targets[n] = Target.of(
                parts.train, found.revealed(n), found.rest, threshold, scale
            )
        return found

    def revealed(self, n: int) -> pd.DataFrame:
        """The first ``n`` rows of each user."""
        return self.history[self.history[_PLACE] < n]


def cold_start(model: Recommender, newcomers: Newcomers, config: EvaluateConfig) -> pd.DataFrame:
    """One model's curve: quality on the newcomers' later rows against how many came before.

    The first n ratings are folded in (`Recommender.fold_in`); with none the answer is the model's
    fallback. Users and predicted rows are the same for every n, so that the curve shows what the
    ratings add and nothing else.

    Returns
    -------
    A row for each of ``newcomers.targets``: the `COLUMNS` without model and family. RMSE is
    pooled over all later rows; NDCG, at ``config.list_length``, is the mean over users with a
    relevant later item that train knows. Both have intervals by bootstrap over users, and are
    missing where the model does not rate or rank. No newcomers give no rows.
    """
    table = pd.DataFrame(
        {
            "revealed": list(newcomers.targets),
            "users": len(newcomers.ids),
            "rows": len(newcomers.rest),
        }
    )
    errors, gains = _answers(model, newcomers, config)
    if errors:
        squared = np.column_stack([each.squared for each in errors])
        rows = np.column_stack([each.rows for each in errors]).astype(np.float64)
        low, high = ratio_intervals(squared, rows, config.uncertainty, root=True)
        pooled = pd.Series([each.rmse() for each in errors])
        table = table.assign(rmse=pooled, rmse_low=low, rmse_high=high)
    if gains:
        low, high = mean_intervals(np.column_stack(gains), config.uncertainty)
        table = table.assign(ndcg=[float(each.mean()) for each in gains])
        table = table.assign(ndcg_low=low, ndcg_high=high)
    return table.reindex(columns=list(COLUMNS[2:]))


def _answers(
    model: Recommender, newcomers: Newcomers, config: EvaluateConfig
) -> tuple[list[UserErrors], list[np.ndarray]]:
    """Errors and NDCG of the users for each target; none where the model does not rate or rank."""
    errors: list[UserErrors] = []
    gains: list[np.ndarray] = []
    for n, target in newcomers.targets.items():
        people = model.fold_in(newcomers.revealed(n), newcomers.ids)
        relevant = target.n_relevant(warm=True)
        users = np.flatnonzero(relevant)
        if model.predicts_ratings and target.rated:
            predicted = model.predict(people.take(target.user_ids), target.item_ids)
            errors.append(errors_by_user(target.user, target.rating, predicted, len(target.users)))
        if model.ranks and len(users):
            k = config.list_length
            hits = ranked_lists(model, target, users, k, people).hits
            gains.append(metric_at_k("ndcg", hits, relevant[users], k))
    return errors, gains
