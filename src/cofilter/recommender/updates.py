"""New ratings taken into a fitted model without training: users change, the item side stays."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from scipy import sparse

from cofilter.core.columns import ITEM
from cofilter.core.errors import CapabilityError
from cofilter.core.matrix import UNKNOWN, IdMap, Interactions, row_of
from cofilter.recommender.base import Recommender
from cofilter.recommender.histories import Histories
from cofilter.recommender.inputs import checked
from cofilter.recommender.people import UserState

if TYPE_CHECKING:
    import pandas as pd

M = TypeVar("M", bound=Recommender)


def updated(model: M, rows: pd.DataFrame) -> M:
    """A model that also knows some new ratings, of known users and of new ones.

    Every user with a new rating is folded in with the whole history, in which a new rating of the
    same item replaces the older one; all other users, and everything that was learned of items,
    stay as they are. Popularity counts the new ratings. Rows of items that the model does not know
    are left out. ``model`` itself is not changed.

    Cost: folding in the users with new ratings, and a copy of the users' side.

    Parameters
    ----------
    rows:
        Table with user_id, item_id and rating, one row a pair; perhaps timestamp and weight.

    Raises
    ------
    CapabilityError
        The model was fitted without ``keep_seen``: it does not know the histories.
    DataError
        As `Recommender.fold_in`; or a model that reads times gets rows without.
    """
    checked(Interactions.of(rows), "update")
    if model.histories_ is None:
        raise CapabilityError(
            f"{type(model).__name__} was fitted with keep_seen=False and does not know what users "
            "have rated: fit it with keep_seen"
        )
    known = rows[model.items_.index(rows[ITEM]) != UNKNOWN]
    if known.empty:
        return copy.copy(model)
    new = _with_items(Interactions.of(known), model.items_)
    users = model.users_.joined(new.users.ids)
    everything = _merged(model, users, new)
    result = copy.copy(model)
    if model._members():
        members = {name: updated(member, known) for name, member in model._members().items()}
        result._take_members(members.__getitem__)
    touched = users.index(new.users.ids)
    state, bias = _states(model, users, touched, everything)
    result.users_ = users
    result.popularity_ = np.bincount(everything.item, minlength=len(model.items_))
    result._biases = replace(model._biases, user=bias)
    weight = None if everything.weight is None else everything.weight_by_user
    result.histories_ = Histories.of(everything.by_user, weight)
    result.data_sha256_ = everything.sha256
    result._take_users(state, model._learning.learned(new))
    return result


def history_table(model: Recommender) -> pd.DataFrame:
    """All that a model's users have rated, as user_id, item_id, rating and perhaps weight.

    Raises `CapabilityError` where the model does not know.
    """
    if model.histories_ is None:
        raise CapabilityError(f"{type(model).__name__} was fitted with keep_seen=False")
    ratings = model.histories_.matrix(len(model.items_))
    columns = {
        "user_id": model.users_.ids[row_of(ratings)],
        "item_id": model.items_.ids[ratings.indices],
        "rating": ratings.data,
    }
    if model.histories_.weight is not None:
        columns["weight"] = model.histories_.weight
    import pandas as pd

    return pd.DataFrame(columns)


def _with_items(data: Interactions, items: IdMap) -> Interactions:
    return replace(data, items=items, item=items.index(data.items.ids)[data.item])


def _merged(model: Recommender, users: IdMap, new: Interactions) -> Interactions:
    """All rows by user and item, where a new one replaces an old one of its pair."""
    assert model.histories_ is not None
    old = model.histories_.matrix(len(model.items_))
    user = np.concatenate(
        [users.index(model.users_.ids)[row_of(old)], users.index(new.users.ids)[new.user]]
    )
    item = np.concatenate([old.indices, new.item])
    rating = np.concatenate([old.data, new.rating])
    key = user.astype(np.int64) * len(model.items_) + item
    # The last of equals in the order of a stable sort is the new one.
    order = np.argsort(key, kind="stable")
    last = order[np.append(key[order][1:] != key[order][:-1], True)]
    weight = _weights(model, new)
    return Interactions(
        users,
        model.items_,
        user[last].astype(np.int32),
        item[last].astype(np.int32),
        rating[last].astype(np.float32),
        weight=None if weight is None else weight[last],
    )


def _weights(model: Recommender, new: Interactions) -> np.ndarray | None:
    """Weights of old and new rows; one that has none counts as the mean training row does."""
    assert model.histories_ is not None
    old = model.histories_.weight
    if old is None and new.weight is None:
        return None
    mean = np.float32(model.weight_mean_ or 1.0)
    n_old = len(model.histories_.code)
    before = np.full(n_old, mean) if old is None else old
    return np.concatenate([before, np.full(len(new), mean) if new.weight is None else new.weight])


def _states(
    model: Recommender, users: IdMap, touched: np.ndarray, everything: Interactions
) -> tuple[UserState, np.ndarray]:
    """State and bias of all users: those touched folded in, the others as they were."""
    rows = np.isin(everything.user, touched)
    mine = replace(
        everything,
        users=IdMap(users.ids[touched]),
        user=np.searchsorted(touched, everything.user[rows]).astype(np.int32),
        item=everything.item[rows],
        rating=everything.rating[rows],
        weight=None if everything.weight is None else everything.weight[rows],
    )
    folded, folded_bias = model._folded(mine, mine.item)
    before = model.users_.index(users.ids)
    untouched = np.setdiff1d(np.arange(len(users)), touched)
    place = np.empty(len(users), np.intp)
    place[untouched] = np.arange(len(untouched))
    place[touched] = len(untouched) + np.arange(len(touched))
    kept = before[untouched]
    bias = np.concatenate([model._biases.user_bias(kept), folded_bias])[place]
    if model._members():
        return None, bias
    return _stacked(model._user_state(kept), folded)[place], bias


def _stacked(first: Any, second: Any) -> Any:
    """Rows of one kind of state under each other."""
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    return sparse.vstack([first, second]).tocsr()
