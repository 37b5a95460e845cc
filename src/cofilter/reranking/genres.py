"""Genres of items, and the shares that they have in histories and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from scipy import sparse

from cofilter.core.matrix import UNKNOWN, IdMap, to_csr
from cofilter.recommender.sparse import ItemLists

if TYPE_CHECKING:
    import pandas as pd

SEPARATOR = "|"
Texts: TypeAlias = "Mapping[Any, str] | pd.Series"  # such as "Comedy|Drama" by item id


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
    def of(cls, genres: Texts | None, items: IdMap) -> Self:
        """From text such as "Comedy|Drama" by item id; items without it have none.

        Ids of another kind than the items' are a `DataError`.
        """
        texts = [] if genres is None else list(genres.items())
        places = items.index([item for item, _ in texts])
        pairs = {
            (int(place), name)
            for place, (_, text) in zip(places, texts, strict=True)
            if place != UNKNOWN and isinstance(text, str)
            for name in map(str.strip, text.split(SEPARATOR))
            if name
        }
        ordered = sorted(pairs)
        names = np.array([name for _, name in ordered], object)
        found, genre = np.unique(names, return_inverse=True)
        item = np.array([place for place, _ in ordered], np.int32)
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
