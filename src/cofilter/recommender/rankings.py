"""Ranked lists: what users call on a model that ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from scipy import sparse

from cofilter.core.errors import CapabilityError, DataError
from cofilter.core.matrix import UNKNOWN, Ids, as_ids
from cofilter.recommender.access import Access
from cofilter.recommender.best import append_popular, load_kernels, top_k
from cofilter.recommender.inputs import Users, list_length
from cofilter.recommender.people import People, UserRows
from cofilter.recommender.ranking import (
    ItemSearch,
    as_table,
    by_popularity,
    exclude_matrix,
    refuse_not_finite,
    refuse_not_finite_products,
    to_ids,
)
from cofilter.recommender.sparse import ItemLists

if TYPE_CHECKING:
    import pandas as pd

# Scores held at once while ranking: 32 MiB of float32, which the cache still has when they are
# gone through, and rows enough for an efficient product.
BLOCK_SCORES = 1 << 23


class Rankings(Access):
    """Adds `recommend`, `rank` and `similar_items` to a model."""

    _search: ItemSearch | None = None
    _popular: tuple[np.ndarray, np.ndarray] | None = None

    @overload
    def recommend(
        self,
        users: Users,
        k: int = ...,
        *,
        exclude_seen: bool = ...,
        exclude: pd.DataFrame | None = ...,
        as_frame: Literal[False] = ...,
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def recommend(
        self,
        users: Users,
        k: int = ...,
        *,
        exclude_seen: bool = ...,
        exclude: pd.DataFrame | None = ...,
        as_frame: Literal[True],
    ) -> pd.DataFrame: ...

    def recommend(
        self,
        users: Users,
        k: int = 10,
        *,
        exclude_seen: bool = True,
        exclude: pd.DataFrame | None = None,
        as_frame: bool = False,
    ) -> tuple[np.ndarray, np.ndarray] | pd.DataFrame:
        """The k best items of each user.

        Parameters
        ----------
        users:
            User ids, a single one or many, or `People`. Unknown users get the most popular items.
        k:
            How many; at most as many as there are items are given.
        exclude_seen:
            Leave out what a user has rated in the data that the model was fitted on, or in the
            history that was folded in.
        exclude:
            Table with user_id and item_id: further pairs never to recommend.
        as_frame:
            Give a table with user_id, item_id, rank (from 1) and score, a row a recommendation.

        Returns
        -------
        (items[n, k], scores float32[n, k]), best first, ties by ascending item id. Where a user
        has fewer candidates, the item is −1 (or "" for string ids) and the score −inf; a table
        has fewer rows then.

        Raises
        ------
        CapabilityError
            The model does not rank, or was fitted without ``keep_seen`` and does not know what to
            leave out.
        DataError
            k below 1, or ids of another kind than the model's.
        """
        if not self.ranks:
            raise CapabilityError(f"{type(self).__name__} does not rank, it only predicts ratings")
        index, scores = self.rank(users, k, self.excluded(users, exclude_seen, exclude))
        items = to_ids(index, self.items_)
        if not as_frame:
            return items, scores
        return as_table(users.ids if isinstance(users, People) else as_ids(users), items, scores)

    def excluded(
        self, users: Users, exclude_seen: bool, exclude: pd.DataFrame | None
    ) -> sparse.csr_array | ItemLists | None:
        """What `recommend` leaves out, as `rank` takes it.

        Parameters and errors are those of `recommend`.
        """
        ids = users.ids if isinstance(users, People) else as_ids(users)
        excluded = exclude_matrix(exclude, ids, self.items_)
        if not exclude_seen:
            return excluded
        seen = self.seen_by(users)
        return seen if excluded is None else (excluded + seen.matrix(len(self.items_))).tocsr()

    def seen_by(self, users: Users) -> ItemLists:
        """What each user has rated, as item indices: what `recommend` leaves out.

        Raises `CapabilityError` where the model was fitted without ``keep_seen``.
        """
        histories, rows = self._histories(users, "pass exclude_seen=False, or the pairs as exclude")
        return histories.seen.take(rows)

    @overload
    def rank(
        self, users: Users, k: int, excluded: sparse.csr_array | ItemLists | None = ...
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def rank(
        self,
        users: Users,
        k: int,
        excluded: sparse.csr_array | ItemLists | None = ...,
        *,
        return_fallback: Literal[True],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def rank(
        self,
        users: Users,
        k: int,
        excluded: sparse.csr_array | ItemLists | None = None,
        *,
        return_fallback: bool = False,
    ) -> tuple[np.ndarray, ...]:
        """As `recommend`, in dense indices: (int32[n, k] with −1 as padding, float32[n, k]).

        ``excluded``: what is left out, the stored entries of a CSR matrix [users, items] or lists.
        ``return_fallback`` also gives bool[n]: True where no item of the list is the model's own.
        Memory: BLOCK_SCORES scores at a time, none where scores are products.

        Raises
        ------
        DataError
            A score is not finite; the line names the model, the user and the item.
        """
        items, best, own = self.rank_own(users, k, excluded)
        return (items, best, own == 0) if return_fallback else (items, best)

    def rank_own(
        self, users: Users, k: int, excluded: sparse.csr_array | ItemLists | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `rank`, and int64[n]: how many items of each list, from its first, are the model's.

        Popularity gives the rest, and all of a list that has none of the model's.
        """
        people = users if isinstance(users, People) else self._known(users)
        user = self._index_of(users)
        k = list_length(k, len(self.items_))
        items = np.full((len(people), k), UNKNOWN, np.int32)
        best = np.full((len(people), k), -np.inf, np.float32)
        left_out = excluded
        if not isinstance(left_out, ItemLists):
            left_out = ItemLists.of(left_out, len(people))
        answered = np.flatnonzero(people.answered)
        at_once = BLOCK_SCORES // len(self.items_)
        step = max(1, len(answered) if self.scores_are_products else at_once)
        for start in range(0, len(answered), step):
            rows = answered[start : start + step]
            block = self._rows(people, user, rows)
            lists = left_out if len(rows) == len(people) else left_out.take(rows)
            given = self._best(block, people.ids[rows], lists, k)
            items[rows], best[rows] = self._in_ratings(*given)
        own = (items != UNKNOWN).sum(axis=1)
        short = np.flatnonzero(items[:, -1] == UNKNOWN)
        if len(short):
            filled = items[short], best[short]
            append_popular(*filled, self.popularity_, self._by_popularity(), left_out.take(short))
            items[short], best[short] = filled
        return items, best, own

    def _in_ratings(self, items: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lists whose scores are ratings of the source where they are learned ratings."""
        if self._learning.is_identity or not self._ranks_by_ratings:
            return items, scores
        ratings = self._learning.ratings(scores).astype(np.float32)
        # Two scores may be one rating in float32: ties go by item.
        order = np.lexsort((items, -ratings), axis=1)
        return np.take_along_axis(items, order, axis=1), np.take_along_axis(ratings, order, axis=1)

    def _best(
        self, users: UserRows, ids: np.ndarray, left_out: ItemLists, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items of some users by the model's own scores; padding where it has none."""
        name = type(self).__name__
        if self.scores_are_products:
            factors, items = self._ranking_users(users), self._item_search()
            if not (items.finite and np.isfinite(factors).all()):
                all_items = self._ranking_items()
                refuse_not_finite_products(factors, all_items, ids, self.items_, name)
            return items.best(factors, *left_out, k)
        scores = self._scores_of_lists(users, left_out)
        refuse_not_finite(scores, ids, self.items_, name, self.may_be_silent)
        return top_k(scores, *left_out, k)

    def _ranking_scores(
        self, users: UserRows, row: np.ndarray, item: np.ndarray, left_out: ItemLists
    ) -> np.ndarray:
        """Ranking scores float[n] of (users[row], item) pairs, as learned.

        −inf where the model `may_be_silent` and is. ``left_out``: what a list of each user's may
        not hold, for models that rank by the places in lists.
        """
        if self.scores_are_products:
            left, right = self._ranking_users(users), self._ranking_items()
            return np.einsum("nd,nd->n", left[row], right[item], dtype=np.float64)
        if self._ranks_by_ratings:
            scores, answered = self._score_pairs(users, row, item)
            return np.where(answered, scores, self._biases.predict(users.bias[row], item))
        scores = np.empty(len(row))
        n_users = len(users.bias)
        step = max(1, BLOCK_SCORES // len(self.items_))
        for start in range(0, n_users, step):
            block = np.arange(start, min(start + step, n_users))
            some = UserRows(users.state[block], users.bias[block], users.known[block])
            inside = (row >= start) & (row < start + step)
            all_items = self._scores_of_lists(some, left_out.take(block))
            scores[inside] = all_items[row[inside] - start, item[inside]]
        return scores

    def _scores_of_lists(self, users: UserRows, left_out: ItemLists) -> np.ndarray:
        """Ranking scores float32[users, items] where lists may not hold ``left_out``."""
        return self._score_items(users)

    def prepare(self) -> None:
        """Derive what the first ranking would, so that it is there, and shared, when many ask.

        Runs no parallel kernel (`threads_held_back`).
        """
        load_kernels()
        self._by_popularity()
        if self.scores_are_products:
            self._item_search()
        for member in self._members().values():
            member.prepare()

    def derive(self) -> None:
        """Derive what pays when many ask, beyond `prepare`; with as many threads as are set."""
        for member in self._members().values():
            member.derive()

    def search_by(self, search: ItemSearch | None) -> None:
        """Have another search find the best items, such as an index; None: go through all of them.

        Until the items' side of the model changes.
        """
        if not self.scores_are_products:
            raise CapabilityError(f"{type(self).__name__} does not rank by products of factors")
        self._search = search

    @property
    def goes_through_all(self) -> bool:
        """Whether a ranking looks at every item; not where a search was put in its place."""
        return self._search is None or self._search.exact

    def _item_search(self) -> ItemSearch:
        """What finds items by products, kept until the items' side of the model changes."""
        if self._search is None:
            from cofilter.recommender.kernels.products import PackedItems

            self._search = PackedItems.of(self._ranking_items())
        return self._search

    def _by_popularity(self) -> np.ndarray:
        """Items, the most popular first; kept as long as the counts are the same array."""
        if self._popular is None or self._popular[0] is not self.popularity_:
            self._popular = self.popularity_, by_popularity(self.popularity_)
        return self._popular[1]

    @overload
    def similar_items(self, item_ids: Ids, k: int = ...) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def similar_items(
        self, item_ids: Ids, k: int = ..., *, return_fallback: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def similar_items(
        self, item_ids: Ids, k: int = 10, *, return_fallback: bool = False
    ) -> tuple[np.ndarray, ...]:
        """The k items most similar to each given one, never itself; shaped as `recommend`'s.

        Items that the model knows to be similar come first; the most popular ones fill the rest.
        ``return_fallback`` also gives bool[n, k]: True where popularity has filled.

        Raises
        ------
        CapabilityError
            The model knows of no item what it is similar to.
        DataError
            An unknown item, k below 1, or ids of another kind than the model's.
        """
        item = self.items_.index(item_ids)
        if (item == UNKNOWN).any():
            raise DataError(f"unknown item: {as_ids(item_ids)[item == UNKNOWN].tolist()[0]!r}")
        k = list_length(k, len(self.items_))
        index = np.full((len(item), k), UNKNOWN, np.int32)
        best = np.full((len(item), k), -np.inf, np.float32)
        step = max(1, BLOCK_SCORES // max(len(self.items_), 1))
        for start in range(0, len(item), step):
            block = item[start : start + step]
            scores = self._similarities(block)
            each = np.arange(len(block) + 1)
            index[start : start + step], best[start : start + step] = top_k(scores, each, block, k)
        own = index != UNKNOWN
        short = np.flatnonzero(~own.all(axis=1))
        if len(short):
            lists = index[short], best[short]
            itself = np.arange(len(short) + 1), item[short]
            append_popular(*lists, self.popularity_, self._by_popularity(), itself)
            index[short], best[short] = lists
        answer = to_ids(index, self.items_), best
        return (*answer, ~own & (index != UNKNOWN)) if return_fallback else answer
