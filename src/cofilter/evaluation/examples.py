"""What a few real users would see of the shipped model, beside what they had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.matrix import UNKNOWN
from cofilter.core.parts import Parts
from cofilter.recommender.base import Recommender
from cofilter.scoring.lists import ranked_lists
from cofilter.scoring.target import Target

PLACES = (1 / 6, 1 / 2, 5 / 6)  # among the users in order of their number of ratings
HAD = 5  # rows of a user's history, at most
MOST_WORK = 2e9  # operations of a user's reasons (`Recommender.folding_work`)


def examples(
    model: Recommender, parts: Parts, target: Target, k: int, titles: pd.Series | None
) -> list[dict[str, Any]]:
    """Three test users with short, middling and long histories, and the lists that were scored.

    They are taken by rule, not by hand: they stand at a sixth, a half and five sixths of the warm
    users with a relevant test item, in order of ratings before test, then of id. Of a history the
    best rated rows are told, of equals the latest.

    Gives of each ``user``, ``n_before``, ``had`` (``item``, ``title``, ``rating``) and ``shown``
    (``item``, ``title``, ``relevant``: whether it is a relevant row of test, ``because``: the
    rated ``item`` and ``title`` with the largest share, None without one that speaks for it); a
    title is None where there is none. Nobody when the model does not rank, or there is nobody to
    rank for.
    """
    before = pd.concat([parts.train, parts.validation], ignore_index=True)
    users = _chosen(before, target) if model.ranks else np.empty(0, np.int64)
    if not len(users):
        return []
    lists = ranked_lists(model, target, users, k)
    named = {} if titles is None else titles.to_dict()
    found = []
    for at, user in enumerate(target.users.ids[users]):
        own = before[before[USER] == user]
        kept = lists.item[at] != UNKNOWN
        items = target.items.ids[lists.item[at][kept]]
        reasons = _reasons(model, user, items, len(own))
        shown = zip(items, lists.hits[at][kept], reasons, strict=True)
        had = _best(own)
        found.append(
            {
                "user": _plain(user),
                "n_before": len(own),
                "had": [
                    _item(item, named) | {"rating": float(rating)}
                    for item, rating in zip(had[ITEM], had[RATING], strict=True)
                ],
                "shown": [
                    _item(item, named)
                    | {
                        "relevant": bool(hit),
                        "because": None if why is None else _item(why, named),
                    }
                    for item, hit, why in shown
                ],
            }
        )
    return found


def _reasons(model: Recommender, user: Any, items: np.ndarray, n_ratings: int) -> list[Any]:
    """Of each item the rated one that carried it most; None where that takes a model too long."""
    folded_in = 1 if model.shares_are_exact else n_ratings + 1
    too_long = folded_in * model.folding_work(n_ratings) > MOST_WORK
    if not model.explains or model.histories_ is None or too_long:
        return [None] * len(items)
    reasons, shares = model.explain(user, items, 1)
    first = zip(reasons[:, 0], shares[:, 0], strict=True)
    return [reason if share > 0 else None for reason, share in first]


def _chosen(before: pd.DataFrame, target: Target) -> np.ndarray:
    """Indices of the users in the target's."""
    able = np.flatnonzero(target.user_is_warm & (target.n_relevant(warm=True) > 0))
    counts = before[USER].value_counts()
    ordered = sorted(able, key=lambda user: (counts[target.users.ids[user]], user))
    places = [int(len(able) * place) for place in PLACES] if ordered else []
    return np.array([ordered[place] for place in dict.fromkeys(places)], np.int64)


def _best(own: pd.DataFrame) -> pd.DataFrame:
    order = [RATING, TIMESTAMP] if TIMESTAMP in own else [RATING]
    return own.sort_values(order, ascending=False, kind="stable").head(HAD)


def _item(item: Any, titles: dict[Any, str]) -> dict[str, Any]:
    return {"item": _plain(item), "title": titles.get(item)}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
