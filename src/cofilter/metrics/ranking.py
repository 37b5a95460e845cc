"""Quality of ranked lists with binary relevance, perhaps weighted: hits, and one value a user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DEFINITIONS = {
    "precision": "hits@k / k.",
    "recall": "hits@k / |relevant|.",
    "hit_rate": "1 when there is a hit among the first k, otherwise 0.",
    "mrr": "1 / rank of the first hit among the first k, 0 without a hit.",
    "map": "Σ over the hits among the first k of (hits so far / rank), / min(|relevant|, k).",
    "ndcg": (
        "Σ over the hits among the first k of 1 / log₂(rank + 1), divided by the same sum "
        "for a list that begins with min(|relevant|, k) hits."
    ),
}


@dataclass(frozen=True)
class Relevant:
    """Relevant (user, item) pairs, to tell which ranked items are hits.

    Attributes
    ----------
    keys:
        int64[pairs], ascending: user · n_items + item.
    n_items:
        Above every item index.
    """

    keys: np.ndarray
    n_items: int

    @classmethod
    def of(cls, user: np.ndarray, item: np.ndarray, n_items: int) -> Relevant:
        """Of indices ≥ 0, int[pairs] each, in any order."""
        return cls(np.sort(user.astype(np.int64) * n_items + item), n_items)

    def hits(self, user: np.ndarray, ranked: np.ndarray) -> np.ndarray:
        """bool[users, length]: is the item at this rank relevant for the user of its row?

        ``user`` is int[users], ``ranked`` int[users, length] with negative indices as padding,
        which is never a hit.
        """
        keys = user.astype(np.int64)[:, None] * self.n_items + ranked
        place = np.searchsorted(self.keys, keys)
        found = place < len(self.keys)
        found[found] = self.keys[place[found]] == keys[found]
        return found & (ranked >= 0)


def at_k(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """Metrics of each user's list cut at k; ranks count from 1.

    - precision@k = hits / k, also where a list is shorter than k
    - recall@k = hits / |relevant|
    - hit_rate@k = 1 if hits > 0 else 0
    - mrr@k = 1 / rank of the first hit, 0 without one
    - map@k = Σ_{ranks with a hit} (hits up to the rank / rank) / min(|relevant|, k)
    - ndcg@k = DCG / IDCG with binary gain: DCG = Σ_{ranks with a hit} 1 / log2(rank + 1) and
      IDCG = Σ_{rank = 1 … min(|relevant|, k)} 1 / log2(rank + 1)
      (Järvelin and Kekäläinen 2002)

    Parameters
    ----------
    hits:
        bool[users, length]: is the item at this rank relevant? Several k may be cut from one
        array; a length below k means lists that ended early.
    n_relevant:
        int[users] ≥ 1, relevant items of each user, found or not.
    k:
        Length of the list, ≥ 1.

    Returns
    -------
    float64[users] for each name of `DEFINITIONS`, in its order; empty arrays without users.

    Raises
    ------
    ValueError
        k < 1, or a user without relevant items, for whom recall, MAP and NDCG do not exist.
    """
    return {name: metric_at_k(name, hits, n_relevant, k) for name in DEFINITIONS}


def metric_at_k(name: str, hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """One metric of `at_k`, float64[users], at a fraction of the cost of all."""
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if (n_relevant < 1).any():
        raise ValueError("every user needs at least one relevant item; leave the others out")
    return _METRICS[name](hits[:, :k], n_relevant, k).astype(np.float64)


def _ranks(hits: np.ndarray) -> np.ndarray:
    return np.arange(1, hits.shape[1] + 1)


def _map(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    found = (hits * hits.cumsum(axis=1) / _ranks(hits)).sum(axis=1)
    return found / np.minimum(n_relevant, k)


def _ndcg(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    ideal = np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))
    found = (hits / np.log2(_ranks(hits) + 1)).sum(axis=1)
    return found / ideal[np.minimum(n_relevant, k) - 1]


# Of hits cut at k, the numbers of relevant items, and k.
_METRICS: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "precision": lambda hits, _, k: hits.sum(axis=1) / k,
    "recall": lambda hits, n_relevant, _: hits.sum(axis=1) / n_relevant,
    "hit_rate": lambda hits, _, __: hits.sum(axis=1) > 0,
    "mrr": lambda hits, _, __: (hits / _ranks(hits)).max(axis=1, initial=0.0),
    "map": _map,
    "ndcg": _ndcg,
}


@dataclass(frozen=True)
class RelevantWeights:
    """Weights of each user's relevant items, found or not.

    Attributes
    ----------
    count:
        int64[users], how many there are.
    total:
        float64[users], their sum.
    largest:
        float64[users, k], the k largest in descending order, 0 where there are fewer.
    """

    count: np.ndarray
    total: np.ndarray
    largest: np.ndarray

    @classmethod
    def of(cls, user: np.ndarray, weight: np.ndarray, n_users: int, k: int) -> RelevantWeights:
        """Of relevant rows: int[n] users from 0 and float64[n] weights above 0."""
        order = np.lexsort((-weight, user))
        user, weight = user[order], weight[order]
        count = np.bincount(user, minlength=n_users)
        place = np.arange(len(user)) - (np.cumsum(count) - count)[user]
        largest = np.zeros((n_users, k))
        first = place < k
        largest[user[first], place[first]] = weight[first]
        total = np.bincount(user, weight, n_users).astype(np.float64)
        return cls(count, total, largest)

    def take(self, users: np.ndarray) -> RelevantWeights:
        """Those of some users."""
        return RelevantWeights(self.count[users], self.total[users], self.largest[users])


def weighted_at_k(found: np.ndarray, relevant: RelevantWeights, k: int) -> dict[str, np.ndarray]:
    """Metrics of each user's list cut at k; those of `at_k` where weights are equal.

    With R a user's relevant items, w their weights and r the ranks, from 1, of those among the
    first k:

    - recall@k = Σ_r w / Σ_R w
    - precision@k = |R| / k · recall@k, which may be above 1
    - map@k = Σ_r w · (hits up to r / r) / Σ of the min(|R|, k) largest w
    - ndcg@k = Σ_r w / log2(r + 1), divided by the same sum for a list that begins with the
      min(|R|, k) items of the largest w in descending order
    - hit_rate@k and mrr@k as without weights: they tell of one hit, not of a sum over R

    With w = 1 / propensity these are self-normalised inverse propensity scores (SNIPS): each user's
    weights are divided by their own sum (Yang et al. 2018, "Unbiased offline recommender evaluation
    for missing-not-at-random implicit feedback"; Saito et al. 2020, "Unbiased recommender learning
    from missing-not-at-random implicit feedback", whose training loss is not self-normalised). So
    the unit of the weights does not matter; a mean over users counts all users alike.

    Parameters
    ----------
    found:
        float64[users, length], the weight of the relevant item at each rank, 0 where there is none.
    relevant:
        Of the same users, each with at least one and weights above 0; as many of the largest as
        the longest k.
    k:
        Length of the list, ≥ 1.

    Returns
    -------
    float64[users] for each name of `DEFINITIONS`, in its order.
    """
    hits, found = found[:, :k] > 0, found[:, :k]
    plain = {name: metric_at_k(name, hits, relevant.count, k) for name in ("hit_rate", "mrr")}
    ranks = np.arange(1, found.shape[1] + 1)
    largest = relevant.largest[:, :k]
    ideal = largest @ (1 / np.log2(np.arange(2, largest.shape[1] + 2)))
    recall = found.sum(axis=1) / relevant.total
    weighted = {
        "recall": recall,
        "precision": relevant.count / k * recall,
        "map": (found * hits.cumsum(axis=1) / ranks).sum(axis=1) / largest.sum(axis=1),
        "ndcg": (found / np.log2(ranks + 1)).sum(axis=1) / ideal,
    }
    return {name: (plain | weighted)[name] for name in DEFINITIONS}


def sampled(users: np.ndarray, at_most: int) -> np.ndarray:
    """All of these users, or a random sample of so many in ascending order, always the same one.

    Not the first ones: low ids are often the oldest accounts.
    """
    if len(users) <= at_most:
        return users
    return np.sort(np.random.default_rng(0).choice(users, at_most, replace=False))
