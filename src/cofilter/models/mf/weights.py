"""How much a rating of each item counts, and what is taken off it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cofilter.core.matrix import Interactions


def item_weights(popularity: np.ndarray, power: float | None) -> np.ndarray:
    """Inverse-propensity weight of each item's ratings, float64[items] (Schnabel et al. 2016).

    w_i ∝ (n_i / max n)^−power with n_i the ratings of item i, scaled so that the mean over all
    ratings is 1; all 1 for None. It takes off how much oftener popular items are rated.
    """
    if power is None:
        return np.ones(len(popularity))
    propensity = (np.maximum(popularity, 1) / popularity.max()) ** power
    return popularity.sum() / (popularity / propensity).sum() / propensity


def weighted(data: Interactions, power: float | None) -> Interactions:
    """The same rows, their weights times the `item_weights`; as they are for None."""
    if power is None:
        return data
    popularity = np.bincount(data.item, minlength=len(data.items))
    weight = item_weights(popularity, power)[data.item].astype(np.float32)
    return replace(data, weight=weight if data.weight is None else weight * data.weight)


def item_means(data: Interactions) -> np.ndarray:
    """Mean rating of each item, float64[items], by the rows' weights where they have some.

    Of an item whose rows all have weight 0 the plain mean.
    """
    n_items = len(data.items)
    count = np.bincount(data.item, minlength=n_items)
    mean = np.bincount(data.item, data.rating, n_items) / np.maximum(count, 1)
    if data.weight is None:
        return mean
    weight = data.weight.astype(np.float64)
    total = np.bincount(data.item, weight, n_items)
    return np.divide(
        np.bincount(data.item, weight * data.rating, n_items), total, mean, where=total > 0
    )
