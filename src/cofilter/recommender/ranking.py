"""Which items a ranking may not give, and how index lists become lists of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import sparse

from cofilter.core.columns import ITEM, RANK, SCORE, USER
from cofilter.core.errors import DataError
from cofilter.core.matrix import UNKNOWN, IdMap

if TYPE_CHECKING:
    import pandas as pd


class ItemSearch(Protocol):
    """Finds users' items of the largest inner products: `PackedItems`, or an index."""

    @property
    def finite(self) -> bool:
        """Whether all items' factors are finite numbers."""

    @property
    def exact(self) -> bool:
        """Whether it goes through all items."""

    def best(
        self, users: np.ndarray, excluded_start: np.ndarray, excluded: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `best_products`, of the items that it finds."""


def by_popularity(popularity: np.ndarray) -> np.ndarray:
    """Items, the most popular first, ties by ascending item."""
    return np.argsort(-popularity, kind="stable")


def exclude_matrix(
    exclude: pd.DataFrame | None, user_ids: np.ndarray, items: IdMap
) -> sparse.csr_array | None:
    """CSR matrix [user_ids, items] with an entry for each pair of ``exclude`` that both know.

    Raises `DataError` when it has no column user_id or item_id.
    """
    if exclude is None:
        return None
    missing = [name for name in (USER, ITEM) if name not in exclude.columns]
    if missing:
        raise DataError(f"exclude has no column {', '.join(missing)}")
    users = IdMap.of(user_ids)
    user, item = users.index(exclude[USER]), items.index(exclude[ITEM])
    both = (user != UNKNOWN) & (item != UNKNOWN)
    shape = len(users), len(items)
    ones = np.ones(int(both.sum()), np.float32)
    matrix = sparse.coo_array((ones, (user[both], item[both])), shape=shape).tocsr()
    return matrix[users.index(user_ids)]


def users_with_constants(user: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Factors float32[users, d + 2] of biased scores; with `items_with_biases` their products are

        user · item + constant + item bias

    since constants are two more factors.
    """
    return np.column_stack([user, np.ones(len(user)), constant]).astype(np.float32)


def items_with_biases(item: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Factors float32[items, d + 2] for `users_with_constants`."""
    return np.column_stack([item, bias, np.ones(len(item))]).astype(np.float32)


def to_ids(index: np.ndarray, items: IdMap) -> np.ndarray:
    """Item ids of dense indices; padding (UNKNOWN) becomes −1, or "" for string ids."""
    padding = items.ids.dtype.type(-1 if items.ids.dtype.kind == "i" else "")
    return np.where(index == UNKNOWN, padding, items.ids[index])


def as_table(user_ids: np.ndarray, items: np.ndarray, scores: np.ndarray) -> pd.DataFrame:
    """Lists items[users, k] and scores[users, k] as user_id, item_id, rank and score.

    A row a recommendation, best first within a user; padding has none.
    """
    import pandas as pd

    row, place = np.nonzero(np.isfinite(scores))
    return pd.DataFrame(
        {
            USER: user_ids[row],
            ITEM: items[row, place],
            RANK: place + 1,
            SCORE: scores[row, place],
        }
    )


def refuse_not_finite(
    scores: np.ndarray,
    user_ids: np.ndarray,
    items: IdMap,
    model: str,
    may_be_silent: bool = False,
) -> None:
    """Raise a `DataError` that names the first of the scores, float[users, items], not finite.

    Where the model ``may_be_silent``, −inf is none.
    """
    finite = scores < np.inf if may_be_silent else np.isfinite(scores)
    if not finite.all():
        user, item = np.unravel_index(int(np.argmin(finite)), finite.shape)
        raise DataError(
            f"{model} scores item {items.ids.item(item)!r} with {scores[user, item]} for user "
            f"{user_ids.item(user)!r}; a finite score is expected"
        )


def refuse_not_finite_products(
    users: np.ndarray, factors: np.ndarray, user_ids: np.ndarray, items: IdMap, model: str
) -> None:
    """As `refuse_not_finite` for the products of users' and items' factors, from the factors."""
    suspect = ~np.isfinite(users).all(axis=1) | ~np.isfinite(factors).all()
    at = np.flatnonzero(suspect)[:1]
    refuse_not_finite(users[at] @ factors.T, user_ids[at], items, model)
