"""How much a rating of each item counts, and what is taken off it."""

from __future__ import annotations

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


def item_means(data: Interactions) -> np.ndarray:
    """Mean rating of each item, float64[items]."""
    count = np.bincount(data.item, minlength=len(data.items))
    return np.bincount(data.item, data.rating, len(data.items)) / np.maximum(count, 1)
