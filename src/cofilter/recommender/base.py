"""The contract of every model: fit, predict, recommend, fold in, save."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
import pandas as pd
from scipy import sparse

from cofilter.core.columns import ITEM, USER
from cofilter.core.config import parse, plain
from cofilter.core.errors import CapabilityError, ConfigError, DataError
from cofilter.core.matrix import UNKNOWN, IdMap, Ids, Interactions, as_ids, to_csr
from cofilter.recommender.bias import Biases
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.contract import Contract
from cofilter.recommender.inputs import Users, checked, list_length, paired
from cofilter.recommender.kernels.products import best_products
from cofilter.recommender.kernels.topk import top_k
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import People, UserRows, distinct_users
from cofilter.recommender.ranking import (
    as_table,
    exclude_matrix,
    refuse_not_finite,
    refuse_not_finite_products,
    to_ids,
)
from cofilter.recommender.sparse import ItemLists

# Scores held at once while ranking: 32 MiB of float32, which the cache still has when they are
# gone through, and rows enough for an efficient product.
BLOCK_SCORES = 1 << 23


class Recommender(Contract):
    """Base of all models.

    After `fit`: ``users_`` and ``items_`` (`IdMap`), ``popularity_`` (int64, ratings an item
    has), ``biases_`` (`Biases`), ``scale_``, ``data_sha256_``, ``engine_`` and ``device_``.

    **Fallback.** Where the model has no answer of its own (unknown user or item, no neighbour),
    a predicted rating is mean + user bias + item bias with unknown parts zero, and a ranking is
    by popularity. `predict` says where that happened when asked.
    """

    def __init__(self, config: ModelConfig | None = None, **options: Any) -> None:
        """A model that is to be fitted.

        Parameters
        ----------
        config:
            All hyper-parameters, of the class's ``config_class``.
        options:
            Some of them by name instead; the others have their defaults.

        Raises
        ------
        ConfigError
            An option is unknown or impossible, or there are options beside a config.
        """
        name, cls = type(self).__name__, self.config_class
        if config is None:
            fixed = {} if self.kind is None or "kind" in options else {"kind": self.kind}
            config = parse(cls, fixed | plain(options), name)
        elif options:
            raise ConfigError(f"{name} takes a config or options, not both: {', '.join(options)}")
        elif not isinstance(config, cls):
            raise ConfigError(f"{name} takes a {cls.__name__}, not a {type(config).__name__}")
        kind = getattr(config, "kind", None)
        if self.kind is not None and kind not in (None, self.kind):
            raise ConfigError(f"kind: {kind!r} is not what {name} is, which is {self.kind}")
        self.config = config

    def for_refit(self) -> Self:
        """An unfitted model with all that was chosen on validation frozen."""
        return type(self)(self.config)

    # What users call -------------------------------------------------------------------------

    def fit(
        self,
        train: pd.DataFrame | Interactions,
        validation: pd.DataFrame | Interactions | None = None,
        trainer: Trains | None = None,
    ) -> Self:
        """Fit to ``train``; ``validation`` serves early stopping only.

        Parameters
        ----------
        train, validation:
            Tables with user_id, item_id and rating, one row a pair.
        trainer:
            Runs the epochs of a model that is fitted in epochs, for example
            `cofilter.training.loop.Trainer`, which keeps checkpoints; None: in memory.

        Raises
        ------
        DataError
            No rows, ratings that are not finite, or a (user, item) pair that occurs twice.
        """
        data = Interactions.of(train)
        if not len(data):
            raise DataError(f"{type(self).__name__}: no ratings to fit on")
        histories = checked(data, type(self).__name__)
        self.users_, self.items_ = data.users, data.items
        self.popularity_ = np.bincount(data.item, minlength=len(data.items))
        self.biases_ = Biases.fit(data, self.config.bias)
        extremes = float(data.rating.min()), float(data.rating.max())
        self.scale_ = self.config.scale or extremes
        self.data_sha256_ = data.sha256
        self._take_seen(histories)
        self._fit(data, None if validation is None else Interactions.of(validation), trainer)
        return self

    @overload
    def predict(self, users: Users, item_ids: Ids) -> np.ndarray: ...

    @overload
    def predict(
        self, users: Users, item_ids: Ids, *, return_std: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def predict(
        self, users: Users, item_ids: Ids, *, return_fallback: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def predict(
        self,
        users: Users,
        item_ids: Ids,
        *,
        return_std: Literal[True],
        return_fallback: Literal[True],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def predict(
        self,
        users: Users,
        item_ids: Ids,
        *,
        return_std: bool = False,
        return_fallback: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        """Ratings of (user, item) pairs, float32[n], clipped to the scale.

        Parameters
        ----------
        users:
            User ids, or `People`, one for each of ``item_ids``; a single one is asked for all
            items.
        item_ids:
            Item ids; a single one is asked for all users. Unknown ids get the fallback.
        return_std:
            Also give float32[n], the standard deviation of each answer; NaN for the fallback's.
        return_fallback:
            Also give bool[n], last: True where the answer is the fallback's.

        Raises
        ------
        CapabilityError
            The model does not predict ratings, or does not know how sure it is.
        DataError
            Ids of another kind than the model's, or users and items that do not pair up.
        """
        if not self.predicts_ratings:
            raise CapabilityError(f"{type(self).__name__} does not predict ratings, only ranks")
        if return_std and not self.knows_std:
            raise CapabilityError(f"{type(self).__name__} does not know how sure it is")
        users, item = paired(users, self.items_.index(item_ids))
        people = users if isinstance(users, People) else self._known(users)
        user = self._index_of(users)
        scores = self.biases_.predict(people.bias, item)
        std = np.full(len(item), np.nan, np.float32)
        own = people.answered & (item != UNKNOWN)
        if own.any():
            first, row = distinct_users(user[own], people.ids[own])
            at = np.flatnonzero(own)
            rows = self._rows(people, user, at[first])
            mine, answered = self._score_pairs(rows, row, item[at])
            scores[at[answered]] = mine[answered]
            if return_std:
                std[at[answered]] = self._pair_std(rows, row, item[at])[answered]
            own[at] = answered
        clipped = np.clip(scores, *self.scale_).astype(np.float32)
        asked = [clipped] + [std] * return_std + [~own] * return_fallback
        return asked[0] if len(asked) == 1 else tuple(asked)

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
        people = users if isinstance(users, People) else self._known(users)
        excluded = exclude_matrix(exclude, people.ids, self.items_)
        if exclude_seen:
            seen = self._seen(users).matrix(len(self.items_))
            excluded = seen if excluded is None else (excluded + seen).tocsr()
        index, scores = self.rank(users, k, excluded)
        items = to_ids(index, self.items_)
        return as_table(people.ids, items, scores) if as_frame else (items, scores)

    def _take_seen(self, histories: sparse.csr_array) -> None:
        """Keep which items each user has rated, when that is wanted."""
        keep = self.config.keep_seen
        self.seen_ = ItemLists.of(histories, histories.shape[0]) if keep else None

    def _seen(self, users: Users) -> ItemLists:
        """What each user has rated, as item indices."""
        if isinstance(users, People):
            seen, rows = users.seen, np.arange(len(users))
        else:
            seen, rows = self.seen_, self.users_.index(users)
        if seen is None:
            raise CapabilityError(
                f"{type(self).__name__} was fitted with keep_seen=False and does not know what "
                "users have rated: pass exclude_seen=False, or the pairs as exclude"
            )
        return seen.take(rows)

    def rank(
        self, users: Users, k: int, excluded: sparse.csr_array | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `recommend`, in dense indices: (int32[n, k] with −1 as padding, float32[n, k]).

        ``excluded`` is a CSR matrix [users, items] whose stored entries are left out.
        Memory: BLOCK_SCORES scores at a time, none where scores are products.

        Raises
        ------
        DataError
            A score is not finite; the line names the model, the user and the item.
        """
        people = users if isinstance(users, People) else self._known(users)
        user = self._index_of(users)
        name, n_items = type(self).__name__, len(self.items_)
        k = list_length(k, n_items)
        items = np.full((len(people), k), UNKNOWN, np.int32)
        best = np.full((len(people), k), -np.inf, np.float32)
        left_out = ItemLists.of(excluded, len(people))
        rest = np.arange(len(people))
        if self.scores_are_products and people.answered.any():
            own, rest = np.flatnonzero(people.answered), np.flatnonzero(~people.answered)
            factors = self._ranking_factors(self._rows(people, user, own))
            refuse_not_finite_products(*factors, people.ids[own], self.items_, name)
            items[own], best[own] = best_products(*factors, *left_out.take(own), k)
        step = max(1, BLOCK_SCORES // max(n_items, 1))
        for start in range(0, len(rest), step):
            rows = rest[start : start + step]
            scores = self._ranking_scores(people, user, rows)
            refuse_not_finite(scores, people.ids[rows], self.items_, name)
            items[rows], best[rows] = top_k(scores, *left_out.take(rows), k)
        return items, best

    def _ranking_scores(self, people: People, user: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Scores float32[rows, items], popularity for those who are not answered; to be changed."""
        own = people.answered[rows]
        if own.all():
            return self._score_items(self._rows(people, user, rows))
        scores = np.empty((len(rows), len(self.items_)), np.float32)
        scores[~own] = self.popularity_
        if own.any():
            scores[own] = self._score_items(self._rows(people, user, rows[own]))
        return scores

    def similar_items(self, item_ids: Ids, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The k items most similar to each given one, never itself; shaped as `recommend`'s."""
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
        return to_ids(index, self.items_), best

    def fold_in(self, histories: pd.DataFrame, user_ids: Ids | None = None) -> People:
        """Take in new users without fitting again.

        Parameters
        ----------
        histories:
            Table with user_id, item_id, rating. Ratings of items that the model does not know
            are left out. Ids may coincide with known users; they stay separate people.
        user_ids:
            Ids of people to give a row even when they have no ratings.

        Raises
        ------
        DataError
            Ratings that are not finite, or a (user, item) pair that occurs twice.
        """
        checked(Interactions.of(histories), "fold_in")
        known = histories[self.items_.index(histories[ITEM]) != UNKNOWN]
        data = Interactions.of(known)
        wanted = [as_ids(histories[USER])] + ([] if user_ids is None else [as_ids(user_ids)])
        ids = IdMap.of(np.concatenate([part for part in wanted if len(part)] or wanted[:1]))
        data = replace(data, users=ids, user=ids.index(known[USER]))
        item = self.items_.index(known[ITEM])
        bias = self.biases_.of_new_users(data, item)
        answered = np.bincount(data.user, minlength=len(ids)) > 0
        seen = ItemLists.of(
            to_csr(data.user, item, data.rating, (len(ids), len(self.items_))), len(ids)
        )
        return People(ids.ids, self._fold_in(data, item, bias), bias, answered, seen)

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to a folder; `cofilter.load` reads it back.

        Equal models give equal bytes. Nothing in the folder is executed when it is read.
        """
        from cofilter.recommender.store import save  # which knows how models are put together

        save(self, Path(folder))

    # Shared work -----------------------------------------------------------------------------

    def _known(self, user_ids: Ids) -> People:
        """Known and unknown users as people; `_rows` fetches their state when it is needed."""
        user = self.users_.index(user_ids)
        no_state = np.empty((len(user), 0), np.float32)
        return People(as_ids(user_ids), no_state, self.biases_.user_bias(user), user != UNKNOWN)

    def _index_of(self, users: Users) -> np.ndarray:
        if isinstance(users, People):
            return np.full(len(users), UNKNOWN, np.int32)
        return self.users_.index(users)

    def _rows(self, people: People, user: np.ndarray, rows: np.ndarray) -> UserRows:
        """Some rows for scoring: state from the model for known users, else from the people."""
        known = len(rows) and user[rows[0]] != UNKNOWN
        state = self._user_state(user[rows]) if known else people.state[rows]
        return UserRows(state, people.bias[rows], user[rows])
