"""What each rating of a history says for an item, by taking it out and folding in again.

For models whose score is no sum over the history. With h a user's history,

    share_j = score(h) − score(h without j),

both of the history as folded in, so that a model's own state of a known user does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse

from cofilter.core.matrix import UNKNOWN, IdMap, Interactions
from cofilter.recommender.people import UserRows
from cofilter.recommender.rankings import Rankings
from cofilter.recommender.sparse import ItemLists

BLOCK_RATINGS = 1 << 20  # ratings folded in at once: about 20 bytes each, and what the model takes


class Variants(NamedTuple):
    """Histories that differ from some users' by one rating or none.

    Attributes
    ----------
    user:
        int64[variants], whose history each is of; ascending.
    omitted:
        int64[variants], the entry that is left out; of a whole history one that is not its own.
    """

    user: np.ndarray
    omitted: np.ndarray

    @classmethod
    def of(cls, start: np.ndarray) -> Variants:
        """Of each user the whole history, then it without each of its ratings in turn."""
        count = np.diff(start) + 1
        user = np.repeat(np.arange(len(count)), count)
        first = np.cumsum(count) - count
        return cls(user, np.arange(len(user)) - first[user] - 1 + start[user])

    def blocks(self, start: np.ndarray) -> Iterator[slice]:
        """Consecutive ones of about `BLOCK_RATINGS` ratings in all."""
        ratings = np.cumsum(np.diff(start)[self.user])
        ends = np.flatnonzero(np.diff(ratings // BLOCK_RATINGS)) + 1
        bounds = [0, *ends.tolist(), len(self.user)]
        yield from (slice(*ends) for ends in pairwise(bounds))

    def entries(self, block: slice, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The entries of a block's histories: int32 variant from 0, int64 entry."""
        user, omitted = self.user[block], self.omitted[block]
        variant, entry = expanded(start, user)
        kept = entry != omitted[variant]
        return variant[kept].astype(np.int32), entry[kept]


def shares_by_removal(
    model: Rankings, row: np.ndarray, item: np.ndarray, history: Interactions
) -> sparse.csr_array:
    """Shares as `cofilter.recommender.explanations.Explanations._shares` gives them.

    Cost: a user with a history of n ratings is folded in n + 1 times, in blocks of `BLOCK_RATINGS`
    ratings, n² in all, and scored n + 1 times an item. An item that the model has nothing to say
    of gets no share; one that it has nothing to say of without a rating counts as scored 0.
    """
    start = np.searchsorted(history.user, np.arange(len(history.users) + 1))
    order = np.argsort(row, kind="stable")
    pair_start = np.searchsorted(row[order], np.arange(len(history.users) + 1))
    variants = Variants.of(start)
    seen = ItemLists(start, history.item)
    shape = len(item), len(history.items)
    pair_of_entry, entry = expanded(start, row)
    entry_start = np.concatenate([[0], np.cumsum(np.diff(start)[row])])
    whole, without = np.zeros(len(item)), np.zeros(len(entry))
    for block in variants.blocks(start):
        user, omitted = variants.user[block], variants.omitted[block]
        people = _folded(model, history, len(user), *variants.entries(block, start))
        variant, place = expanded(pair_start, user)
        pair = order[place]
        left_out = seen.take(user)
        scores = model._ranking_scores(people, variant, item[pair], left_out)
        rest = omitted[variant] - start[user[variant]]  # place in the history; −1: nothing is
        whole[pair[rest < 0]] = scores[rest < 0]
        removed = rest >= 0
        without[entry_start[pair[removed]] + rest[removed]] = scores[removed]
    without[np.isneginf(without)] = 0.0
    said = ~np.isneginf(whole)[pair_of_entry]
    share = np.subtract(whole[pair_of_entry], without, out=np.zeros(len(entry)), where=said)
    return sparse.csr_array((share, history.item[entry], entry_start), shape=shape)


def expanded(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All entries of some rows of a CSR index: the place in ``rows`` and the entry of each."""
    count = np.diff(start)[rows]
    place = np.repeat(np.arange(len(rows)), count)
    return place, np.arange(len(place)) + np.repeat(start[rows] - (np.cumsum(count) - count), count)


def _folded(
    model: Rankings, history: Interactions, n_people: int, person: np.ndarray, entry: np.ndarray
) -> UserRows:
    weight = None if history.weight is None else history.weight[entry]
    ids = IdMap(np.arange(n_people))
    data = Interactions(
        ids, history.items, person, history.item[entry], history.rating[entry], None, weight
    )
    bias = model._biases.of_new_users(data, data.item)
    state = model._fold_in(data, data.item, bias)
    return UserRows(state, bias, np.full(n_people, UNKNOWN, np.int32))
