"""Whether explanations are true: how far an item falls when its reasons are taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from cofilter.core.columns import ITEM, USER
from cofilter.core.matrix import UNKNOWN
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.uncertainty import mean_intervals
from cofilter.recommender.base import Recommender
from cofilter.recommender.rankings import BLOCK_SCORES

COLUMNS = (
    "model", "family", "shares", "users", "unexplained", "fall", "random_fall",
    "difference", "difference_low", "difference_high", "removed", "not_found",
)  # fmt: skip
REASONS = 3  # taken out together
MOST_REMOVED = 20  # reasons that are taken out one after the other, at most
# Ratings before test of the users that take part. Fewer leave no random ones beside the reasons;
# of more, shares by removal cost the square.
FEWEST, MOST = 10, 100


@dataclass(frozen=True)
class Explained:
    """Warm test users whose first recommendation is explained.

    Attributes
    ----------
    history:
        Their rows of train and validation, of each user in random order: the one that random
        ratings are taken out in, the same for every model.
    """

    history: pd.DataFrame

    @classmethod
    def of(cls, parts: Parts, config: EvaluateConfig) -> Explained:
        """``config.explained_users`` of those with `FEWEST` to `MOST` ratings, drawn by seed."""
        before = pd.concat([parts.train, parts.validation], ignore_index=True)
        warm = np.intersect1d(parts.test[USER].unique(), parts.train[USER].unique())
        counts = before.loc[before[USER].isin(warm), USER].value_counts()
        able = np.sort(counts.index[counts.between(FEWEST, MOST)].to_numpy())
        rng = np.random.default_rng(config.uncertainty.seed)
        users = rng.permutation(able)[: config.explained_users]
        history = before[before[USER].isin(users)].sort_values([USER, ITEM])
        history = history.iloc[rng.permutation(len(history))]
        return cls(history.sort_values(USER, kind="stable", ignore_index=True))


class _Case(NamedTuple):
    """One user's first recommendation.

    Attributes
    ----------
    rows:
        The user's history, as places in its table.
    reasons:
        Places in ``rows`` of those that speak for the item, largest share first.
    others:
        Of all but the first `REASONS` of these, in the random order of the table.
    """

    rows: np.ndarray
    reasons: np.ndarray
    others: np.ndarray

    def variants(self) -> np.ndarray:
        """bool[1 + reasons, rows]: what is kept without as many random ratings as reasons, at most
        `REASONS`, and then without the first 1, 2, … reasons.
        """
        n = len(self.reasons)
        kept = np.ones((1 + n, len(self.rows)), bool)
        kept[0, self.others[: min(REASONS, n)]] = False
        kept[1:, self.reasons] = ~np.tri(n, dtype=bool)
        return kept


def faithfulness(model: Recommender, explained: Explained, config: EvaluateConfig) -> pd.DataFrame:
    """One row of `COLUMNS`, without model and family, of a model that explains itself.

    Each user's whole history is folded in, the first recommendation taken and explained
    (`Recommender.explain`), ratings taken out of the history, the rest folded in again, and the
    item looked for in the new list of all items that were not in the whole history.

    ``fall``: mean number of places it falls without its three largest reasons (those that there
    are, where there are fewer); ``random_fall``: without as many of the user's other ratings,
    drawn by seed. ``difference``: of the two, with an interval by bootstrap over users. An
    explanation is faithful where it is far above 0.

    ``removed``: mean size of the smallest number of reasons, largest first, whose removal takes
    the item out of the first ``config.list_length`` (after the counterfactual sets of Tran,
    Ghazimatin and Saha Roy 2021, "Counterfactual Explanations for Neural Recommenders", which
    search for another first item); sought up to `MOST_REMOVED`. ``not_found``: users for whom
    these do not suffice, who are not in the mean.

    ``shares``: ``exact``, or by ``removal``. ``unexplained``: users without a recommendation of the
    model's own or a reason that speaks for it. Without users, of a model that does not explain,
    and of one whose `Recommender.folds_in_over_all_items` would take minutes, no row.
    """
    able = model.ranks and model.explains and not model.folds_in_over_all_items
    if not able or explained.history.empty:
        return pd.DataFrame(columns=list(COLUMNS[2:]))
    history, n_items = explained.history, len(model.items_)
    people = model.fold_in(history)
    assert people.seen is not None
    seen = people.seen.matrix(n_items)
    first, _, fallback = model.rank(people, 1, seen, return_fallback=True)
    at = np.flatnonzero(~fallback & (first[:, 0] != UNKNOWN))
    item = first[at, 0]
    reasons, shares = model.explain(people.at(at), model.items_.ids[item], MOST_REMOVED)
    found = [
        _case(history, user, names[values > 0])
        for user, names, values in zip(people.ids[at], reasons, shares, strict=True)
    ]
    some = np.array([len(case.reasons) > 0 for case in found], bool)
    cases = [case for case in found if len(case.reasons)]
    lost = _Lost(model, history, cases, item[some], seen[at[some]])
    return _row(model, lost, len(people) - len(cases), config)


def _case(history: pd.DataFrame, user: object, reasons: np.ndarray) -> _Case:
    rows = np.flatnonzero(history[USER].to_numpy() == user)
    items = pd.Index(history[ITEM].to_numpy()[rows])
    carried = items.get_indexer(pd.Index(reasons))
    others = np.ones(len(rows), bool)
    others[carried[:REASONS]] = False
    return _Case(rows, carried, np.flatnonzero(others))


class _Lost:
    """The cases' histories without some ratings, folded in; where their items stand then."""

    def __init__(
        self,
        model: Recommender,
        history: pd.DataFrame,
        cases: list[_Case],
        item: np.ndarray,
        seen: sparse.csr_array,
    ) -> None:
        kept = [case.variants() for case in cases]
        count = np.array([len(each) for each in kept], np.intp)
        self.first = np.cumsum(count) - count  # variant of each case
        self.count = count
        self._person = np.repeat(np.arange(len(cases)), count)
        self._model, self._item, self._seen = model, item, seen
        variant, row = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        for case, each, begin in zip(cases, kept, self.first, strict=True):
            of, place = np.nonzero(each)
            variant.append(begin + of)
            row.append(case.rows[place])
        rows = history.iloc[np.concatenate(row)].assign(**{USER: np.concatenate(variant)})
        self._people = model.fold_in(rows, np.arange(count.sum()))

    def places(self, variant: np.ndarray, k: int) -> np.ndarray:
        """How many items stand before the case's item in each variant's list; k if k or more."""
        place = np.full(len(variant), k)
        step = max(1, BLOCK_SCORES // len(self._model.items_))
        for start in range(0, len(variant), step):
            block = variant[start : start + step]
            of = self._person[block]
            lists, _ = self._model.rank(self._people.at(block), k, self._seen[of])
            row, found = np.nonzero(lists == self._item[of, None])
            place[start + row] = found
        return place


def _row(model: Recommender, lost: _Lost, unexplained: int, config: EvaluateConfig) -> pd.DataFrame:
    n_items, k, n_cases = len(model.items_), config.list_length, len(lost.count)
    random_fall = lost.places(lost.first, n_items)
    fall = lost.places(lost.first + np.minimum(REASONS, lost.count - 1), n_items)
    out = lost.places(np.arange(lost.count.sum()), k) == k
    out[lost.first] = False  # what is random
    case = np.repeat(np.arange(n_cases), lost.count)[out]
    moved, at = np.unique(case, return_index=True)
    removed = np.flatnonzero(out)[at] - lost.first[moved]
    difference = (fall - random_fall).astype(np.float64)
    low, high = mean_intervals(difference[:, None], config.uncertainty)
    means = [each.mean() if len(each) else np.nan for each in (fall, random_fall, difference)]
    values = (
        "exact" if model.shares_are_exact else "removal", n_cases, unexplained, *means,
        low[0], high[0], removed.mean() if len(removed) else np.nan, n_cases - len(removed),
    )  # fmt: skip
    return pd.DataFrame([dict(zip(COLUMNS[2:], values, strict=True))])
