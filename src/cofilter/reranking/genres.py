"""Genres of items, and the shares that they have in histories and lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from cofilter.core.matrix import UNKNOWN, IdMap, to_csr
from cofilter.recommender.sparse import ItemLists

SEPARATOR = "|"


@dataclass(frozen=True)
class Genres:
    """Genres of a model's items.

    Attributes
    ----------
    names:
        The genres, ascending; empty where no item has one.
    shares:
        CSR float64[items, genres]: each of an item's n genres has 1 / n of it.
    """

    names: np.ndarray
    shares: sparse.csr_array

    @classmethod
    def of(cls, genres: pd.Series | None, items: IdMap) -> Self:
        """From text such as "Comedy|Drama" by item id; items without it have none.

        Ids of another kind than the items' are a `DataError`.
        """
        known = pd.Series(dtype=object) if genres is None else genres.dropna()
        known = known[items.index(known.index) != UNKNOWN]
        names = known.astype(str).str.split(SEPARATOR, regex=False).explode().str.strip()
        rows = pd.DataFrame({"item": items.index(names.index), "name": names.to_numpy(object)})
        rows = rows[rows["name"] != ""].drop_duplicates()
        found, genre = np.unique(rows["name"].to_numpy(object), return_inverse=True)
        item = rows["item"].to_numpy()
        share = 1.0 / np.bincount(item)[item]
        return cls(found, to_csr(item, genre, share, (len(items), len(found))))

    @property
    def by_item(self) -> ItemLists:
        """Indices of each item's genres, as kernels take them."""
        return ItemLists.of(self.shares, self.shares.shape[0])

    def of_lists(self, lists: ItemLists) -> np.ndarray:
        """Mean shares, float64[n, genres], of each list's items that have genres; 0 without any."""
        matrix = lists.matrix(self.shares.shape[0]).astype(np.float64)
        counted = matrix @ (np.diff(self.shares.indptr) > 0).astype(np.float64)
        return (matrix @ self.shares).toarray() / np.maximum(counted, 1)[:, None]

    def of_padded(self, items: np.ndarray) -> np.ndarray:
        """As `of_lists`, of lists int[n, length] with `UNKNOWN` as padding."""
        there = items != UNKNOWN
        start = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        return self.of_lists(ItemLists(start, items[there]))
