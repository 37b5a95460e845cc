"""Models side by side on the same held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cofilter.core.columns import ITEM, USER
from cofilter.core.errors import DataError
from cofilter.evaluation.config import UncertaintyConfig
from cofilter.evaluation.intervals import contributions_to
from cofilter.evaluation.significance import paired_difference
from cofilter.recommender.base import Recommender
from cofilter.recommender.updates import history_table
from cofilter.scoring.config import ScoreConfig, lower_is_better
from cofilter.scoring.scores import ScopeScores, score_target
from cofilter.scoring.target import Target


@dataclass(frozen=True)
class Difference:
    """One metric of two models on the same users and rows.

    Attributes
    ----------
    first, second:
        The metric of each.
    difference, low, high:
        second − first, and its 95 % interval by bootstrap over users, paired.
    users:
        Who take part.
    """

    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    users: int

    @property
    def worse(self) -> bool:
        """Whether the second is worse: the whole interval says so."""
        return self.low > 0 if lower_is_better(self.metric) else self.high < 0


@dataclass(frozen=True)
class HeldOut:
    """Rows to score models on, and how.

    Attributes
    ----------
    rows:
        user_id, item_id, rating; one row a pair.
    k:
        Length of the lists.
    threshold:
        A row rated at least this is relevant; None: every row.
    """

    rows: pd.DataFrame
    k: int = 10
    threshold: float | None = None

    def target(self, models: Sequence[Recommender]) -> Target:
        """The rows against what the models know together; what users rated before is left out."""
        known = pd.concat([history_table(model) for model in models], ignore_index=True)
        known = known.drop_duplicates([USER, ITEM])
        rows = self.rows.merge(known[[USER, ITEM]], on=[USER, ITEM], how="left", indicator="of")
        fresh = rows[rows["of"] == "left_only"].drop(columns="of")
        if fresh.empty:
            raise DataError("there is nothing to compare on: the models know all of these rows")
        return Target.of(known, None, fresh, self.threshold, models[0].scale_)


def compare(first: Recommender, second: Recommender, held_out: HeldOut) -> list[Difference]:
    """NDCG@k and RMSE of two models on the same rows, of users that either knows.

    A rating that one of the models knows already is left out, for it would only repeat it. Where a
    model lacks an item that the other recommends it is a miss. A metric that one of them does not
    have is left out.

    Raises
    ------
    DataError
        No row is left, or no metric that both have.
    """
    target = held_out.target([first, second])
    config = ScoreConfig(k=(held_out.k,), relevance_threshold=held_out.threshold)
    scores = [score_target(model, target, config) for model in (first, second)]
    found = [
        _difference(metric, [each.all for each in scores], len(target.users))
        for metric in (f"ndcg@{held_out.k}", "rmse")
    ]
    known = [difference for difference in found if difference is not None]
    if not known:
        raise DataError("the two models have no metric in common on these rows")
    return known


def _difference(metric: str, scores: list[ScopeScores], n_users: int) -> Difference | None:
    parts = [contributions_to(metric, each, n_users) for each in scores]
    one, other = parts
    if one is None or other is None:
        return None
    difference, low, high = paired_difference(one, other, UncertaintyConfig())
    values = [each.metrics((metric,))[metric] for each in scores]
    assert values[0] is not None
    assert values[1] is not None
    users = int((one.denominator > 0).sum())
    return Difference(metric, values[0], values[1], difference, low, high, users)
