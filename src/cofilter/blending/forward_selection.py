"""Which models' lists to fuse, and with what weights: greedy selection, bagged over users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cofilter.core.matrix import UNKNOWN
from cofilter.metrics import ranking
from cofilter.models.ensemble.fusion import add, entries
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.kernels.topk import top_k

SMALL = 1 << 20  # scores that one thread goes through

Entries = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Objective:
    """A ranking metric to be maximised, such as NDCG at 10."""

    name: str
    k: int


@dataclass(frozen=True)
class Pool:
    """Lists of all models for the same users; items are numbered anew for each user.

    Only the items in somebody's list of a user matter, a few hundred, so that their scores are
    held at once for all users.

    Attributes
    ----------
    lists:
        int32[users, depth] a model: numbers of the items, ascending with the item's own index,
        with UNKNOWN as padding.
    relevant:
        bool[users, numbers].
    n_relevant:
        int64[users] ≥ 1, in the lists or not.
    constant:
        η of the fusion.
    """

    lists: tuple[np.ndarray, ...]
    relevant: np.ndarray
    n_relevant: np.ndarray
    constant: float

    @classmethod
    def of(
        cls,
        ranked: Sequence[np.ndarray],
        relevant: tuple[np.ndarray, np.ndarray],
        n_relevant: np.ndarray,
        n_items: int,
        constant: float,
    ) -> Pool:
        """Number the items of some lists.

        Parameters
        ----------
        ranked:
            int32[users, depth] a model, item indices with UNKNOWN as padding; at least one.
        relevant:
            Row among the users and item index of each relevant pair.
        """
        rows = np.arange(len(n_relevant), dtype=np.int64)[:, None]
        keys = [np.where(each == UNKNOWN, UNKNOWN, rows * n_items + each) for each in ranked]
        present = np.unique(np.concatenate([each.ravel() for each in keys]))
        present = present[present != UNKNOWN]
        row = present // n_items
        start = np.searchsorted(row, rows[:, 0])
        width = int(np.bincount(row, minlength=1).max())
        is_relevant = np.zeros((len(n_relevant), width), bool)
        pairs = ranking.Relevant.of(*relevant, n_items)
        wanted = pairs.hits(row, (present % n_items)[:, None])[:, 0]
        is_relevant[row[wanted], (np.arange(len(present)) - start[row])[wanted]] = True
        lists = tuple(
            np.where(each == UNKNOWN, UNKNOWN, np.searchsorted(present, each) - start[:, None])
            for each in keys
        )
        numbers = tuple(each.astype(np.int32) for each in lists)
        return cls(numbers, is_relevant, n_relevant, constant)

    def take(self, users: np.ndarray) -> Pool:
        """The pool of some users."""
        lists = tuple(each[users] for each in self.lists)
        return Pool(lists, self.relevant[users], self.n_relevant[users], self.constant)

    def entries(self, model: int) -> Entries:
        """A model's list as `cofilter.models.ensemble.fusion.add` takes it."""
        return entries(self.lists[model], self.constant, self.relevant.shape[1])

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Fused scores float32[users, numbers]; models without a weight are left out."""
        scores = np.zeros(self.relevant.shape, np.float32)
        for model in np.flatnonzero(weights):
            add(scores, *self.entries(int(model)), weights[model])
        return scores

    def hits(self, scores: np.ndarray, k: int) -> np.ndarray:
        """bool[users, k]: is the item at this rank relevant? Not beyond the lists."""
        none = np.zeros(len(scores) + 1, np.int64)
        with few_threads(scores.size < SMALL):
            number, best = top_k(scores, none, np.empty(0, np.int32), k)
        return np.take_along_axis(self.relevant, np.maximum(number, 0), axis=1) & (best > 0)

    def values(self, scores: np.ndarray, objective: Objective) -> np.ndarray:
        """The objective of each user, float64[users]."""
        hits = self.hits(scores, objective.k)
        return ranking.metric_at_k(objective.name, hits, self.n_relevant, objective.k)


def select(  # noqa: PLR0913 - the numbers of one search, all but two by keyword
    pool: Pool,
    objective: Objective,
    *,
    candidates: int,
    bags: int,
    steps: int,
    min_weight: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Weights of the models, float64[models], summing to 1.

    Greedy forward selection with replacement (Caruana et al. 2004, "Ensemble selection from
    libraries of models"): starting from nobody, the model is added, perhaps not for the first
    time, whose list makes the fusion's mean objective best; of the first n picks for n up to
    ``steps`` the best n counts, of equals the smallest. A model's weight is its share of the
    picks. Only the ``candidates`` models that are best by themselves take part.

    That is done for each of ``bags`` bootstrap samples of the users, and weights are averaged, so
    that a few users' luck does not decide (ibid., "bagged ensemble selection", there over
    models). Averages below ``min_weight`` are dropped and the rest are scaled to sum to 1; when
    all are, the largest stays.

    Costs bags · steps · candidates fusions of all users' lists, each linear in the users and in
    the items of their lists: about 4 s for 850 users and 35 models at 10 bags, 10 steps and 20
    candidates (ml_100k, two cores).
    """
    n_models, n_users = len(pool.lists), len(pool.n_relevant)
    alone = [pool.values(pool.scores(row), objective).mean() for row in np.eye(n_models)]
    best = np.argsort(-np.array(alone), kind="stable")[:candidates]
    total = np.zeros(n_models)
    for _ in range(bags):
        drawn = np.bincount(generator.integers(0, n_users, n_users), minlength=n_users)
        users = np.flatnonzero(drawn)
        total[best] += _shares(pool.take(users), best, drawn[users], objective, steps)
    weights = total / bags
    weights[weights < min(min_weight, weights.max())] = 0.0
    return weights / weights.sum()


def _shares(
    pool: Pool, models: np.ndarray, times: np.ndarray, objective: Objective, steps: int
) -> np.ndarray:
    """Each model's share of the picks in one bag whose users count ``times``; float64[models]."""
    offers = [pool.entries(model) for model in models]
    scores = np.zeros(pool.relevant.shape, np.float32)
    picks, best, n_best = [], -np.inf, 0
    for _ in range(steps):
        means = []
        for offer in offers:
            trial = scores.copy()
            add(trial, *offer)
            means.append(np.average(pool.values(trial, objective), weights=times))
        pick = int(np.argmax(means))
        add(scores, *offers[pick])
        picks.append(pick)
        if means[pick] > best:
            best, n_best = means[pick], len(picks)
    return np.bincount(picks[:n_best], minlength=len(models)) / n_best
