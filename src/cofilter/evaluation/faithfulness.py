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

REASONS = 3  # taken out together
MOST_REMOVED = 20  # reasons that are taken out one after the other, at most
# Ratings before test of the users that take part. Fewer leave no random ones beside the reasons;
# of more, shares by removal cost the square.
FEWEST, MOST = 10, 100
AT_LEAST = 3  # users, whatever they cost


@dataclass(frozen=True)
class Faithfulness:
    """How true a model's reasons are; the fields are columns of the leaderboard.

    Attributes
    ----------
    shares:
        ``exact``, or by ``removal``.
    explained_users, unexplained_users:
        Users that the figures are of, and users without a recommendation of the model's own or a
        reason that speaks for it.
    fall:
        Mean number of places that the item falls without its three largest reasons (those that
        there are, where there are fewer).
    random_fall:
        Without as many of the user's other ratings, drawn by seed.
    fall_difference, fall_difference_low, fall_difference_high:
        Of the two, with its interval by bootstrap over users. An explanation is faithful where it
        is far above 0.
    removed:
        Median size of the smallest number of reasons, largest first, whose removal takes the item
        out of the list; None where that of half of the users is not found.
    not_found:
        Users for whom `MOST_REMOVED` reasons do not suffice.
    """

    shares: str
    explained_users: int
    unexplained_users: int
    fall: float | None
    random_fall: float | None
    fall_difference: float | None
    fall_difference_low: float | None
    fall_difference_high: float | None
    removed: float | None
    not_found: int


@dataclass(frozen=True)
class Explained:
    """Warm test users whose first recommendation is explained.

    Attributes
    ----------
    users:
        Their ids, in the order of a draw: a model that costs much is measured on the first ones.
    history:
        Their rows of train and validation, of each user in random order: the one that random
        ratings are taken out in, the same for every model.
    """

    users: np.ndarray
    history: pd.DataFrame

    @classmethod
    def of(cls, parts: Parts, config: EvaluateConfig) -> Explained:
        """At most ``config.faithfulness.max_users`` with `FEWEST` to `MOST` ratings, by seed."""
        before = pd.concat([parts.train, parts.validation], ignore_index=True)
        warm = np.intersect1d(parts.test[USER].unique(), parts.train[USER].unique())
        counts = before.loc[before[USER].isin(warm), USER].value_counts()
        able = np.sort(counts.index[counts.between(FEWEST, MOST)].to_numpy())
        rng = np.random.default_rng(config.uncertainty.seed)
        users = rng.permutation(able)[: config.faithfulness.max_users]
        history = before[before[USER].isin(users)].sort_values([USER, ITEM])
        history = history.iloc[rng.permutation(len(history))]
        return cls(users, history.sort_values(USER, kind="stable", ignore_index=True))

    def within(self, model: Recommender, most: float) -> pd.DataFrame:
        """The histories of as many users as `work_of` of ``model`` is at most ``most`` of in all.

        They are the first of the draw, and no fewer than `AT_LEAST` as long as there are some.
        """
        lengths = self.history[USER].value_counts()[self.users]
        done = np.cumsum([work_of(model, length) for length in lengths])
        n_users = max(AT_LEAST, int((done <= most).sum()))
        some = self.history[USER].isin(self.users[:n_users])
        return self.history[some].reset_index(drop=True)


def work_of(model: Recommender, n_ratings: int) -> float:
    """Operations of explaining to one user and measuring it, see `Recommender.folding_work`."""
    folded_in = min(n_ratings, MOST_REMOVED) + 2
    if not model.shares_are_exact:
        folded_in += n_ratings + 1
    return folded_in * model.folding_work(n_ratings)


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


def faithfulness(
    model: Recommender, explained: Explained, config: EvaluateConfig
) -> Faithfulness | None:
    """Whether what a model says of its reasons is true; None of one that does not explain itself.

    Each user's whole history is folded in, the first recommendation taken and explained
    (`Recommender.explain`), ratings taken out of the history, the rest folded in again, and the
    item looked for in the new list of all items that were not in the whole history. The list that
    the smallest set takes it out of has ``config.list_length`` items (after the counterfactual
    sets of Tran, Ghazimatin and Saha Roy 2021, "Counterfactual Explanations for Neural
    Recommenders", which search for another first item).

    As many users take part as `Explained.within` gives for ``config.faithfulness.work``: all of a
    model that folds in at once, a few of one that folds in over all items. Without users None.
    """
    able = model.ranks and model.explains and len(explained.users)
    if not able:
        return None
    history, n_items = explained.within(model, config.faithfulness.work), len(model.items_)
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
    return _measured(model, lost, len(people) - len(cases), config)


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


def _measured(
    model: Recommender, lost: _Lost, unexplained: int, config: EvaluateConfig
) -> Faithfulness:
    n_items, k, n_cases = len(model.items_), config.list_length, len(lost.count)
    random_fall = lost.places(lost.first, n_items)
    fall = lost.places(lost.first + np.minimum(REASONS, lost.count - 1), n_items)
    out = lost.places(np.arange(lost.count.sum()), k) == k
    out[lost.first] = False  # what is random
    case = np.repeat(np.arange(n_cases), lost.count)[out]
    moved, at = np.unique(case, return_index=True)
    removed = np.full(n_cases, np.inf)
    removed[moved] = np.flatnonzero(out)[at] - lost.first[moved]
    difference = (fall - random_fall).astype(np.float64)
    low, high = mean_intervals(difference[:, None], config.uncertainty)
    found = removed.size > 0

    def mean(values: np.ndarray) -> float | None:
        return float(values.mean()) if found else None

    return Faithfulness(
        shares="exact" if model.shares_are_exact else "removal",
        explained_users=n_cases,
        unexplained_users=unexplained,
        fall=mean(fall),
        random_fall=mean(random_fall),
        fall_difference=mean(difference),
        fall_difference_low=float(low[0]) if found else None,
        fall_difference_high=float(high[0]) if found else None,
        removed=_finite_median(removed),
        not_found=n_cases - len(moved),
    )


def _finite_median(sizes: np.ndarray) -> float | None:
    median = float(np.median(sizes)) if len(sizes) else np.inf
    return median if np.isfinite(median) else None
