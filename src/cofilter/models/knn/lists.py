"""Neighbour lists on their way into kernels."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from cofilter.core.matrix import UNKNOWN


def neighbour_matrix(neighbour: np.ndarray, similarity: np.ndarray, n: int) -> sparse.csr_array:
    """Neighbour lists (−1 is padding) as a CSR matrix float32[lists, n]."""
    some = neighbour != UNKNOWN
    start = np.concatenate([[0], np.cumsum(some.sum(axis=1))])
    return sparse.csr_array((similarity[some], neighbour[some], start), shape=(len(neighbour), n))
