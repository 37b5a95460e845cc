"""Which items a ranking may not give, and how index lists become lists of ids."""

from __future__ import annotations

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


def to_ids(index: np.ndarray, items: IdMap) -> np.ndarray:
    """Item ids of dense indices; padding (UNKNOWN) becomes −1, or "" for string ids."""
    padding = items.ids.dtype.type(-1 if items.ids.dtype.kind == "i" else "")
    return np.where(index == UNKNOWN, padding, items.ids[index])
