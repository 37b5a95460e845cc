"""A model's ranked lists for a target's users, and which of their items are relevant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from tqdm import tqdm

from cofilter.core.matrix import UNKNOWN, IdMap
from cofilter.metrics.ranking import Relevant
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People
from cofilter.recommender.rankings import BLOCK_SCORES
from cofilter.scoring.target import Target


@dataclass(frozen=True)
class RankedLists:
    """Lists of one model, best first.

    Attributes
    ----------
    user:
        int64[n], indices in the target's users, ascending.
    item:
        int32[n, length], indices in the target's items; `UNKNOWN` as padding.
    hits:
        bool[n, length]: is the item at this rank relevant?
    fallback:
        bool[n]: is no item of the list the model's own, all of them popularity's?
    """

    user: np.ndarray
    item: np.ndarray
    hits: np.ndarray
    fallback: np.ndarray


class Candidates(NamedTuple):
    """What a model ranks highest for some of a target's users, best first, in its own indices.

    Attributes
    ----------
    user:
        int64[n], indices in the target's users, ascending.
    item, score:
        int32[n, length] with `UNKNOWN` as padding, and float32[n, length].
    own:
        int64[n], how many from the first are the model's own; popularity gives the rest.
    """

    user: np.ndarray
    item: np.ndarray
    score: np.ndarray
    own: np.ndarray


def ranked_lists(
    model: Recommender, target: Target, users: np.ndarray, k: int, people: People | None = None
) -> RankedLists:
    """The k best candidates of each of ``users``, as `best_candidates`, and what of them hits."""
    best = best_candidates(model, target, users, k, people)
    return judged(model.items_, target, users, best.item, best.own == 0)


def best_candidates(
    model: Recommender, target: Target, users: np.ndarray, k: int, people: People | None = None
) -> Candidates:
    """The k best candidates of each of ``users``; fewer where the model has fewer items.

    Candidates are the items of train that the user has not seen; what else the model knows is
    left out. A block of users at a time. ``people`` are the target's users as folded in; None: as
    the model knows them.
    """
    item_in_model = model.items_.index(target.items.ids)
    not_candidates = np.flatnonzero(target.items.index(model.items_.ids) == UNKNOWN)
    shape = len(users), min(k, len(model.items_))
    items, scores = np.full(shape, UNKNOWN, np.int32), np.full(shape, -np.inf, np.float32)
    own = np.zeros(len(users), np.int64)
    step = max(1, BLOCK_SCORES // max(len(model.items_), 1))
    blocks = tqdm(
        range(0, len(users), step), desc="ranking", unit="block", disable=None, leave=False, delay=2
    )
    for start in blocks:
        block, rows = users[start : start + step], slice(start, start + step)
        excluded = _excluded(target.seen[block], item_in_model, not_candidates, len(model.items_))
        ids = target.users.ids[block]
        items[rows], scores[rows], own[rows] = model.rank_own(
            ids if people is None else people.take(ids), k, excluded
        )
    return Candidates(users, items, scores, own)


def judged(
    model_items: IdMap, target: Target, users: np.ndarray, item: np.ndarray, fallback: np.ndarray
) -> RankedLists:
    """Lists of a model's item indices, int32[users, length], as lists of the target's."""
    item_in_train = target.items.index(model_items.ids).astype(np.int64)
    known = target.relevant & (target.item != UNKNOWN)
    relevant = Relevant.of(target.user[known], target.item[known], len(target.items))
    items = np.where(item == UNKNOWN, UNKNOWN, item_in_train[item]).astype(np.int32)
    return RankedLists(users, items, relevant.hits(users, items), fallback)


def _excluded(
    seen: sparse.csr_array, item_in_model: np.ndarray, not_candidates: np.ndarray, n_items: int
) -> sparse.csr_array:
    """A block's seen pairs in the model's item indices, with ``not_candidates`` for each user."""
    rows = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    columns = item_in_model[seen.indices]
    rows, columns = rows[columns != UNKNOWN], columns[columns != UNKNOWN]
    users = np.arange(seen.shape[0])
    row = np.concatenate([rows, np.repeat(users, len(not_candidates))])
    column = np.concatenate([columns, np.tile(not_candidates, len(users))])
    ones = np.ones(len(row), np.float32)
    return sparse.coo_array((ones, (row, column)), shape=(len(users), n_items)).tocsr()
