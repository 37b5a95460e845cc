"""Lists by an index: it finds candidates, which are scored as exact search scores all items."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from cofilter.core.errors import CapabilityError, DataError
from cofilter.core.matrix import UNKNOWN
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.products import PackedItems
from cofilter.release.index import FOLDER, SETTINGS, ItemIndex
from cofilter.release.opened import Opened

When = Literal["auto", "always", "never"]
WHEN: tuple[When, ...] = get_args(When)
PAYS_FROM = 100_000  # items; below it exact search answers sooner (docs/benchmarks.md)


class IndexedItems:
    """The items of a model as `Rankings.search_by` takes them, found by an index.

    Attributes
    ----------
    finite:
        Whether all items' factors are finite numbers.
    """

    exact = False

    def __init__(self, index: ItemIndex, items: np.ndarray) -> None:
        """``items``: float32[n, d], the vectors that the index was made of."""
        if len(index) != len(items):
            raise DataError(f"the index has {len(index):,} items, its model {len(items):,}")
        self._index, self._items = index, items
        self.finite = bool(np.isfinite(items).all())

    def best(
        self, users: np.ndarray, excluded_start: np.ndarray, excluded: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `best_products`, of what the index finds; scores have the same bits.

        So many more are asked for as a user has left out, so that none of them takes a place.
        """
        ids = np.full((len(users), k), UNKNOWN, np.int32)
        best = np.full((len(users), k), -np.inf, np.float32)
        nothing = np.zeros(2, np.int64), np.empty(0, np.int32)
        for row in range(len(users)):
            user, out = (
                users[row : row + 1],
                excluded[excluded_start[row] : excluded_start[row + 1]],
            )
            found = self._index.search(user, k + len(out))[0]
            candidates = np.setdiff1d(found, out)  # ascending, so that ties go by item
            few = min(k, len(candidates))
            place, score = PackedItems.of(self._items[candidates]).best(user, *nothing, few)
            ids[row, :few], best[row, :few] = candidates[place[0]], score[0]
        return ids, best


def indexed_items(index: ItemIndex, model: Recommender) -> IndexedItems:
    """Of a model whose scores are products of factors."""
    return IndexedItems(index, np.ascontiguousarray(model._ranking_items(), np.float32))


def search_by_index(opened: Opened, when: When) -> bool:
    """Have an exported model rank by the index in its folder; gives whether it does.

    Parameters
    ----------
    when:
        ``auto``: where there is an index and at least `PAYS_FROM` items; ``always``; ``never``.

    Raises
    ------
    CapabilityError
        ``always``, and there is no index.
    DataError
        The index is damaged, or another model's.
    MissingDependencyError
        usearch is not installed.
    """
    folder = opened.folder / FOLDER
    there, pays = (folder / SETTINGS).is_file(), len(opened.model.items_) >= PAYS_FROM
    if when == "always" and not there:
        raise CapabilityError(f"{opened.folder} holds no index: export it with --index")
    if when == "never" or not there or (when == "auto" and not pays):
        return False
    opened.model.search_by(indexed_items(ItemIndex.load(folder), opened.model))
    return True
