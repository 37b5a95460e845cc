"""What users have rated, as models and people carry it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import sparse

from cofilter.core.matrix import IdMap, Interactions, to_csr
from cofilter.recommender.sparse import ItemLists

START, ITEM, CODE, LEVEL, WEIGHT = (
    f"history_{name}" for name in ("start", "item", "code", "level", "weight")
)
_CODES = (np.uint8, np.uint16)


class Histories(NamedTuple):
    """Ratings of the source by user: 5 bytes a rating and 8 a user where a scale has few levels.

    Attributes
    ----------
    seen:
        The items of each user.
    code, level:
        Rating of each entry, ``level[code]``: uint8 or uint16, and float32 in ascending order.
        Of more levels than uint16 counts, ``code`` is the ratings themselves and ``level`` empty.
    weight:
        float32 of each entry, how much it counts; None where all count alike.
    """

    seen: ItemLists
    code: np.ndarray
    level: np.ndarray
    weight: np.ndarray | None = None

    @classmethod
    def of(cls, ratings: sparse.csr_array, weight: np.ndarray | None = None) -> Histories:
        """Of a CSR matrix [users, items] with ascending items, and its entries' weights."""
        level, code = np.unique(ratings.data, return_inverse=True)
        seen = ItemLists.of(ratings, ratings.shape[0])
        for small in _CODES:
            if len(level) <= np.iinfo(small).max + 1:
                return cls(seen, code.astype(small), level.astype(np.float32), weight)
        return cls(seen, ratings.data.astype(np.float32), np.empty(0, np.float32), weight)

    @classmethod
    def of_rows(cls, data: Interactions, item: np.ndarray, n_items: int) -> Histories:
        """Of rows whose items have the indices ``item``, one row a pair."""
        shape = len(data.users), n_items
        weight = None if data.weight is None else to_csr(data.user, item, data.weight, shape).data
        return cls.of(to_csr(data.user, item, data.rating, shape), weight)

    @property
    def rating(self) -> np.ndarray:
        """float32 of each entry."""
        return self.level[self.code] if len(self.level) else self.code

    def take(self, rows: np.ndarray) -> Histories:
        """Some users, in this order; `UNKNOWN` gives one without ratings."""
        start, place = self.seen.places(rows)
        weight = None if self.weight is None else self.weight[place]
        return Histories(
            ItemLists(start, self.seen.item[place]), self.code[place], self.level, weight
        )

    def matrix(self, n_items: int) -> sparse.csr_array:
        """CSR float32[users, items] of ratings."""
        shape = self.seen.n_rows, n_items
        return sparse.csr_array((self.rating, self.seen.item, self.seen.start), shape=shape)

    def interactions(self, items: IdMap) -> Interactions:
        """As rows, users by their place from 0 and items by their index in ``items``."""
        n_users = self.seen.n_rows
        user = np.repeat(np.arange(n_users, dtype=np.int32), np.diff(self.seen.start))
        users = IdMap(np.arange(n_users))
        return Interactions(users, items, user, self.seen.item, self.rating, None, self.weight)

    def arrays(self, *, with_items: bool) -> dict[str, np.ndarray]:
        """For a model's folder; without items where other arrays of the folder hold them."""
        items = {START: self.seen.start, ITEM: self.seen.item} if with_items else {}
        weight = {} if self.weight is None else {WEIGHT: self.weight}
        return items | {CODE: self.code, LEVEL: self.level} | weight

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], seen: ItemLists | None) -> Histories:
        """Back from `arrays`; ``seen`` where other arrays hold the items."""
        items = ItemLists(arrays[START], arrays[ITEM]) if seen is None else seen
        return cls(items, arrays[CODE], arrays[LEVEL], arrays.get(WEIGHT))
