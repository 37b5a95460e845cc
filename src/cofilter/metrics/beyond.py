"""Beyond accuracy: which items a model's lists give, whoever finds them relevant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DEFINITIONS = {
    "coverage": "Different items among all lists of length k / items of train.",
    "gini": (
        "Gini index of how often each item of train stands in a list of length k, items never "
        "given included: 0 when all are given equally often, near 1 when few get everything."
    ),
    "novelty": "Mean over a list's items of −log₂(share of the train users who rated the item).",
    "popularity": "Mean over a list's items of the share of the train users who rated the item.",
    "diversity": (
        "1 − mean cosine of the factors of a list's pairs of items; factors from a truncated SVD "
        "of train, the same for every model."
    ),
}
CONSUMED = "consumed_popularity"
CONSUMED_DEFINITION = (
    "Mean over the items that a user rated before of the share of the train users who rated the "
    "item: what popularity@k compares with."
)
TOTALS = ("coverage", "gini")  # of all lists together; the others are means over users
PADDING = -1
MISCALIBRATION = "miscalibration"
MISCALIBRATION_DEFINITION = (
    "Kullback-Leibler divergence of the genres of a list from those of what the user has rated "
    "(Steck 2018), mean over users: 0 when both have the same shares."
)
ALPHA = 0.01  # Steck's


def miscalibration(p: np.ndarray, q: np.ndarray, alpha: float = ALPHA) -> np.ndarray:
    """How far the genre shares of lists are from those of histories (Steck 2018):

        KL(p ‖ (1 − α) q + α p) = Σ p log(p / ((1 − α) q + α p))

    Parameters
    ----------
    p, q:
        float64[users, genres], shares in what a user has rated and in the user's list; rows add
        up to 1, or are 0 where nothing has a genre.
    alpha:
        Keeps it finite where a genre is missing in the list.

    Returns
    -------
    float64[users], 0 where both are equal, −log α for a list without genres; NaN where p is 0.
    """
    there = p > 0
    ratio = np.divide(p, (1 - alpha) * q + alpha * p, out=np.ones_like(p), where=there)
    return np.where(there.any(axis=1), (p * np.log(ratio)).sum(axis=1), np.nan)


def item_counts(items: np.ndarray, n_items: int) -> np.ndarray:
    """How often each item stands in a list, int64[n_items]; of int[users, length] with padding."""
    return np.bincount(items[items != PADDING], minlength=n_items)


def coverage(counts: np.ndarray) -> float | None:
    """Share of items that stand in any list, of `item_counts`; None without items or lists."""
    return float((counts > 0).mean()) if counts.any() else None


def gini(counts: np.ndarray) -> float | None:
    """Gini index Σᵢ (2i − n − 1) x₍ᵢ₎ / (n Σ x) of counts x ascending, i = 1 … n.

    Equals Σᵢⱼ |xᵢ − xⱼ| / (2 n Σ x). None without items or lists.
    """
    total, n = int(counts.sum()), len(counts)
    if not total:
        return None
    weight = 2 * np.arange(1, n + 1) - n - 1
    return float((weight * np.sort(counts)).sum() / (n * total))


def novelty(items: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Mean self-information of each list (Zhou et al. 2010; Vargas and Castells 2011).

    Parameters
    ----------
    items:
        int[users, length], −1 as padding, which is left out.
    share:
        float64[items], each item's raters / users, in (0, 1].

    Returns
    -------
    float64[users] in bits; NaN for an empty list.
    """
    return _list_means(items, -np.log2(share))


def popularity(items: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Mean popularity of each list's items, float64[users]; NaN for an empty list."""
    return _list_means(items, share)


def consumed_popularity(start: np.ndarray, item: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Mean popularity of what each user rated, float64[users]; NaN for an empty history.

    ``start``, ``item``: CSR index of the users' items.
    """
    count = np.diff(start)
    user = np.repeat(np.arange(len(count)), count)
    return _divided(np.bincount(user, share[item], len(count)), count)


def diversity(items: np.ndarray, factors: np.ndarray, ks: Sequence[int]) -> dict[int, np.ndarray]:
    """Intra-list diversity of lists cut at each k (Ziegler et al. 2005, as a distance).

    1 − Σ_{i ≠ j} cos(qᵢ, qⱼ) / (n (n − 1)) over a list's n items; a zero vector's cosine is 0. The
    sum over pairs is had from |Σ uᵢ|² − Σ |uᵢ|² of the unit vectors u, in O(k · d) a user.

    Parameters
    ----------
    items:
        int[users, length], −1 as padding, which is left out.
    factors:
        float64[items, d].
    ks:
        Where lists are cut.

    Returns
    -------
    float64[users] for each k; NaN for a list of fewer than two items.

    Memory: two arrays of users × d.
    """
    length = np.sqrt((factors * factors).sum(axis=1, keepdims=True))
    unit = np.divide(factors, length, out=np.zeros(factors.shape), where=length > 0)
    total = np.zeros((len(items), factors.shape[1]))
    own, count = np.zeros(len(items)), np.zeros(len(items), np.int64)
    square = (unit * unit).sum(axis=1)
    found: dict[int, np.ndarray] = {}
    for rank in range(items.shape[1] + 1):
        if rank in ks or rank == items.shape[1]:
            pairs = (total * total).sum(axis=1) - own
            value = 1.0 - _divided(pairs, count * (count - 1))
            found.update({k: value for k in ks if k == rank or k > rank == items.shape[1]})
        if rank < items.shape[1]:
            there = np.flatnonzero(items[:, rank] != PADDING)
            item = items[there, rank]
            total[there] += unit[item]
            own[there] += square[item]
            count[there] += 1
    return {k: found[k] for k in ks}


def _list_means(items: np.ndarray, value: np.ndarray) -> np.ndarray:
    there = items != PADDING
    padded = np.append(value, 0.0)
    return _divided(padded[items].sum(axis=1), there.sum(axis=1))


def _divided(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
