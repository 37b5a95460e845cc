"""What users pass to a model, looked at once and refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

from cofilter.core.errors import DataError
from cofilter.core.matrix import Ids, Interactions, as_ids
from cofilter.recommender.people import People

if TYPE_CHECKING:
    pass

Users: TypeAlias = "Ids | People"


def checked(data: Interactions, where: str) -> sparse.csr_array:
    """The histories as CSR [users, items] of ratings that can be learned from.

    Raises
    ------
    DataError
        A rating is not finite, or a (user, item) pair occurs twice; the line names the first.
    """
    finite = np.isfinite(data.rating)
    if not finite.all():
        at = int(np.argmin(finite))
        raise DataError(
            f"{where}: ratings must be finite numbers, got {data.rating[at]} of {_pair(data, at)}"
        )
    try:
        return data.by_user
    except DataError:
        import pandas as pd

        key = data.user.astype(np.int64) * len(data.items) + data.item
        at = int(np.argmax(pd.Series(key).duplicated().to_numpy()))
        raise DataError(
            f"{where}: one rating a pair is expected, got several of {_pair(data, at)}"
        ) from None


def _pair(data: Interactions, at: int) -> str:
    """A row's user and item, for a message."""
    user, item = data.users.ids.item(data.user[at]), data.items.ids.item(data.item[at])
    return f"user {user!r} for item {item!r}"


def paired(users: Users, item: np.ndarray) -> tuple[Users, np.ndarray]:
    """Users and item indices of equal number; a single one of either side is repeated."""
    n_users = len(users) if isinstance(users, People) else len(as_ids(users))
    if n_users == len(item):
        return users, item
    if len(item) == 1:
        return users, np.repeat(item, n_users)
    if n_users == 1:
        rows = np.zeros(len(item), np.intp)
        return users.at(rows) if isinstance(users, People) else as_ids(users)[rows], item
    raise DataError(f"{n_users} users but {len(item)} items: one each is expected")


def list_length(k: int, n_items: int, name: str = "k") -> int:
    """How many items a list has: k, at most all; below 1 is an error, which says ``name``."""
    if not isinstance(k, int | np.integer) or isinstance(k, bool) or k < 1:
        raise DataError(f"{name}: {k!r} is not allowed: a whole number of at least 1 is expected")
    return min(int(k), n_items)
