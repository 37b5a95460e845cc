"""Sparse matrices on their way into kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse


def as_sparse(matrix: sparse.csr_array) -> Sparse:
    """A CSR matrix with the dtypes that the kernels are compiled for."""
    return Sparse(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data.astype(np.float32, copy=False),
    )


class Sparse(NamedTuple):
    """A CSR matrix as numba takes it: int64 start, int32 at (column), float32 value."""

    start: np.ndarray
    at: np.ndarray
    value: np.ndarray
