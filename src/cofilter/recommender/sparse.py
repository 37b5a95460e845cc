"""Sparse matrices and lists of items, as kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from cofilter.core.matrix import UNKNOWN


class Sparse(NamedTuple):
    """A CSR matrix: int64 start[rows + 1], and of each entry int32 at (column), float32 value.

    Row r has the entries ``start[r]`` to ``start[r + 1] − 1``.
    """

    start: np.ndarray
    at: np.ndarray
    value: np.ndarray


def as_sparse(matrix: sparse.csr_array, value: np.ndarray | None = None) -> Sparse:
    """A CSR matrix with the dtypes that the kernels are compiled for, perhaps with other values.

    Copies the row starts, and the rest where it has another dtype.
    """
    return Sparse(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32, copy=False),
        (matrix.data if value is None else value).astype(np.float32, copy=False),
    )


class ItemLists(NamedTuple):
    """Items by row: row r has ``item[start[r]:start[r + 1]]``, ascending; int64 and int32."""

    start: np.ndarray
    item: np.ndarray

    @classmethod
    def of(cls, matrix: sparse.csr_array | None, n_rows: int) -> ItemLists:
        """The stored entries of a CSR matrix [rows, items]; None: no items in any row."""
        if matrix is None:
            return cls(np.zeros(n_rows + 1, np.int64), np.empty(0, np.int32))
        ascending = matrix if matrix.has_sorted_indices else matrix.sorted_indices()
        item = ascending.indices.astype(np.int32, copy=False)
        return cls(ascending.indptr.astype(np.int64), item)

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.start) - 1

    def places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the entries of some rows lie: their new starts, and the place of each here.

        `UNKNOWN` stands for a row without items.
        """
        count = np.where(rows == UNKNOWN, 0, self.start[rows + 1] - self.start[rows])
        start = np.concatenate([[0], np.cumsum(count)])
        return start, np.arange(start[-1]) + np.repeat(self.start[rows] - start[:-1], count)

    def take(self, rows: np.ndarray) -> ItemLists:
        """Some rows, in this order; `UNKNOWN` gives a row without items."""
        if len(rows) == 1 and rows[0] != UNKNOWN:  # without the sums, which take longer than it
            first, last = self.start[rows[0]], self.start[rows[0] + 1]
            return ItemLists(np.array([0, last - first]), self.item[first:last])
        start, place = self.places(rows)
        return ItemLists(start, self.item[place])

    def matrix(self, n_items: int) -> sparse.csr_array:
        """As CSR float32[rows, items] with a 1 at each item."""
        ones = np.ones(len(self.item), np.float32)
        return sparse.csr_array((ones, self.item, self.start), shape=(self.n_rows, n_items))
