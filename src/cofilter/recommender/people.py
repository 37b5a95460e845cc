"""Users as models see them: known by their index, or folded in with a history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from cofilter.core.errors import DataError
from cofilter.core.matrix import UNKNOWN, IdMap, Ids, as_ids
from cofilter.recommender.histories import Histories
from cofilter.recommender.sparse import ItemLists

# What a model knows of users, one row a user, so that ``state[rows]`` picks some: an array of
# factors, or a CSR matrix of histories.
UserState = Any


class UserRows(NamedTuple):
    """Some users on their way into a model's scoring; all parts have one row a user.

    Attributes
    ----------
    state:
        What the model itself knows of them.
    bias:
        float64[n], user biases of the fallback.
    known:
        int32[n], dense index among the training users, UNKNOWN for a new one.
    """

    state: UserState
    bias: np.ndarray
    known: np.ndarray


@dataclass(frozen=True)
class People:
    """New users folded into a model; `Recommender.predict` and `recommend` take them for ids.

    Attributes
    ----------
    ids:
        Their ids, in ascending order unless `take` chose another.
    state:
        What the model knows of each, one row a person.
    bias:
        float64[n], the fallback's user bias.
    answered:
        bool[n], False for a person of whom the model knows nothing (no rating of a known item).
    history:
        What each has rated, of items that the model knows; None where nobody kept it.
    """

    ids: np.ndarray
    state: UserState
    bias: np.ndarray
    answered: np.ndarray
    history: Histories | None = None

    @property
    def seen(self) -> ItemLists | None:
        """The items that each has rated, as the model's indices; None where nobody kept them."""
        return None if self.history is None else self.history.seen

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, user_ids: Ids) -> People:
        """The people with these ids, in this order; an id may come more than once."""
        order = np.argsort(self.ids, kind="stable")
        row = IdMap(self.ids[order]).index(user_ids)
        if (row == UNKNOWN).any():
            raise DataError(f"no such person: {as_ids(user_ids)[row == UNKNOWN].tolist()[0]!r}")
        return self.at(order[row])

    def at(self, rows: np.ndarray) -> People:
        """The people in these rows, in this order; a row may come more than once."""
        return replace(
            self,
            ids=self.ids[rows],
            state=self.state[rows],
            bias=self.bias[rows],
            answered=self.answered[rows],
            history=None if self.history is None else self.history.take(rows),
        )


def distinct_users(user: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First entry of each distinct user, and for each entry the place of its user among those.

    ``user`` has dense indices, or UNKNOWN throughout; then ``ids`` tell users apart.
    """
    if len(user) and user[0] == UNKNOWN:
        _, first, row = np.unique(ids, return_index=True, return_inverse=True)
        return first, row.astype(np.int32)
    # Dense indices need no sorting: of equal ones the last assignment, the first entry, stays.
    entry = np.full(user.max(initial=-1) + 1, -1)
    entry[user[::-1]] = np.arange(len(user))[::-1]
    some = entry >= 0
    return entry[some], (np.cumsum(some, dtype=np.int32) - 1)[user]
