"""Ratings as SciPy matrices."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmarks.dataset import Ratings


def by_user(
    ratings: Ratings, shape: tuple[int, int], values: np.ndarray | None = None
) -> sparse.csr_matrix:
    """float32[users, items]; the ratings, or other values of the same rows."""
    data = ratings.rating if values is None else values.astype(np.float32)
    return sparse.csr_matrix((data, (ratings.user, ratings.item)), shape=shape)
