"""Quality of ranked lists where each relevant item counts with a weight: inverse propensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cofilter.metrics import ranking


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
    """Metrics of each user's list cut at k; those of `ranking.at_k` where weights are equal.

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
    float64[users] for each name of `ranking.DEFINITIONS`, in its order.
    """
    hits, found = found[:, :k] > 0, found[:, :k]
    plain = {
        name: ranking.metric_at_k(name, hits, relevant.count, k) for name in ("hit_rate", "mrr")
    }
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
    return {name: (plain | weighted)[name] for name in ranking.DEFINITIONS}
