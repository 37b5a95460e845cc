"""Quality of ranked lists with binary relevance, one value a user."""

from __future__ import annotations

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
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if (n_relevant < 1).any():
        raise ValueError("every user needs at least one relevant item; leave the others out")
    hits = hits[:, :k]
    ranks = np.arange(1, hits.shape[1] + 1)
    so_far = hits.cumsum(axis=1)
    found = hits.sum(axis=1)
    reachable = np.minimum(n_relevant, k)
    ideal = np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))
    values = {
        "precision": found / k,
        "recall": found / n_relevant,
        "hit_rate": found > 0,
        "mrr": (hits / ranks).max(axis=1, initial=0.0),
        "map": (hits * so_far / ranks).sum(axis=1) / reachable,
        "ndcg": (hits / np.log2(ranks + 1)).sum(axis=1) / ideal[reachable - 1],
    }
    return {name: values[name].astype(np.float64) for name in DEFINITIONS}


def sampled(users: np.ndarray, at_most: int) -> np.ndarray:
    """All of these users, or a random sample of so many in ascending order, always the same one.

    Not the first ones: low ids are often the oldest accounts.
    """
    if len(users) <= at_most:
        return users
    return np.sort(np.random.default_rng(0).choice(users, at_most, replace=False))
