"""Which items a ranking may not give, and how index lists become lists of ids."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from cofilter.columns import ITEM, USER
from cofilter.matrix import UNKNOWN, IdMap


def exclude_matrix(
    exclude: pd.DataFrame | None, user_ids: np.ndarray, items: IdMap
) -> sparse.csr_array | None:
    """CSR matrix [user_ids, items] with an entry for each pair of ``exclude`` that both know."""
    if exclude is None:
        return None
    users = IdMap.of(user_ids)
    user, item = users.index(exclude[USER]), items.index(exclude[ITEM])
    both = (user != UNKNOWN) & (item != UNKNOWN)
    shape = len(users), len(items)
    ones = np.ones(int(both.sum()), np.float32)
    matrix = sparse.coo_array((ones, (user[both], item[both])), shape=shape).tocsr()
    return matrix[users.index(user_ids)]


class LeftOut(NamedTuple):
    """Items that rankings may not give: row r leaves out ``item[start[r]:start[r + 1]]``."""

    start: np.ndarray
    item: np.ndarray

    @classmethod
    def of(cls, excluded: sparse.csr_array | None, n_rows: int) -> LeftOut:
        """From a CSR matrix whose stored entries are left out; None leaves out nothing."""
        if excluded is None:
            return cls(np.zeros(n_rows + 1, np.int64), np.empty(0, np.int32))
        return cls(excluded.indptr.astype(np.int64), excluded.indices.astype(np.int32))


def biased_products(
    user: np.ndarray, user_constant: np.ndarray, item: np.ndarray, item_bias: np.ndarray
) -> np.ndarray:
    """Scores float32[users, items]: user · item + user_constant + item_bias.

    One matrix product: the constants ride along as two more factors, float32[·, d + 2], which
    spares two passes over the scores.
    """
    left = np.column_stack([user, np.ones(len(user)), user_constant]).astype(np.float32)
    right = np.column_stack([item, item_bias, np.ones(len(item))]).astype(np.float32)
    return left @ right.T


def to_ids(index: np.ndarray, items: IdMap) -> np.ndarray:
    """Item ids of dense indices; padding (UNKNOWN) becomes −1, or "" for string ids."""
    padding = items.ids.dtype.type(-1 if items.ids.dtype.kind == "i" else "")
    return np.where(index == UNKNOWN, padding, items.ids[index])
