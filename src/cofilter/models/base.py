"""The contract of every model: fit, predict, recommend, fold in, save."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np
import pandas as pd
from scipy import sparse

from cofilter.columns import ITEM, USER
from cofilter.errors import CapabilityError, ConfigError, DataError
from cofilter.kernels.products import best_products
from cofilter.kernels.topk import top_k
from cofilter.matrix import UNKNOWN, IdMap, Interactions, as_ids
from cofilter.models.bias import Biases
from cofilter.models.config import ModelConfig
from cofilter.models.learner import Trains
from cofilter.models.people import People, UserRows, UserState, distinct_users
from cofilter.ranking import (
    LeftOut,
    exclude_matrix,
    refuse_not_finite,
    refuse_not_finite_products,
    to_ids,
)

# Scores held at once while ranking: 32 MiB of float32, which the cache still has when they are
# gone through, and rows enough for an efficient product.
BLOCK_SCORES = 1 << 23


class Recommender(ABC):
    """Base of all models.

    After `fit`: ``users_`` and ``items_`` (`IdMap`), ``popularity_`` (int64, ratings an item
    has), ``biases_`` (`Biases`), ``scale_``, ``data_sha256_``, ``engine_`` and ``device_``.

    **Fallback.** Where the model has no answer of its own (unknown user or item, no neighbour),
    a predicted rating is mean + user bias + item bias with unknown parts zero, and a ranking is
    by popularity. `predict` says where that happened when asked.
    """

    family: ClassVar[str]
    predicts_ratings: bool = True
    ranks: bool = True
    gradient: ClassVar[bool] = False  # fitted epoch by epoch by a trainer
    scores_are_products: ClassVar[bool] = False  # ranking scores are inner products of factors
    knows_std: ClassVar[bool] = False  # predict(return_std=True) has an answer
    config_class: ClassVar[type[ModelConfig]] = ModelConfig

    users_: IdMap
    items_: IdMap
    popularity_: np.ndarray
    biases_: Biases
    scale_: tuple[float, float]
    data_sha256_: str
    engine_: str = "numpy"
    device_: str = "cpu"

    def __init__(self, config: ModelConfig) -> None:
        self.config = config

    # What a model supplies -----------------------------------------------------------------

    @abstractmethod
    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        """Learn from ``data``; ids, popularity, biases and scale are set already."""

    @abstractmethod
    def _user_state(self, user: np.ndarray) -> UserState:
        """State of known users, by dense index."""

    @abstractmethod
    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        """State of new users; ``item`` holds this model's item index for each row of ``data``."""

    def for_refit(self) -> Self:
        """An unfitted model with all that was chosen on validation frozen."""
        return type(self)(self.config)

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predicted ratings of (state[row], item) pairs and where they are the model's own.

        Gives (float[n] not yet clipped, bool[n]).
        """
        raise CapabilityError(f"{type(self).__name__} does not predict ratings")

    def _pair_std(self, users: UserRows, row: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Standard deviations float[n] of what `_score_pairs` gives."""
        raise CapabilityError(f"{type(self).__name__} does not know how sure it is")

    def _score_items(self, users: UserRows) -> np.ndarray:
        """Ranking scores float32[users, items]; called for a bounded block of users."""
        raise CapabilityError(f"{type(self).__name__} does not rank")

    def _ranking_factors(self, users: UserRows) -> tuple[np.ndarray, np.ndarray]:
        """float32[users, d] and float32[items, d] whose products rank items as `_score_items`.

        Asked for where `scores_are_products`: the best items are then found without the scores of
        all others in memory (`cofilter.ranking.with_constants` takes biases in).
        """
        raise CapabilityError(f"{type(self).__name__} does not rank by products")

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        """Similarity float32[n, items] of known items to all items; called in bounded blocks."""
        raise CapabilityError(f"{type(self).__name__} does not know similar items")

    @abstractmethod
    def _arrays(self) -> dict[str, np.ndarray]:
        """What was learned beyond what every model has, for `save`."""

    @abstractmethod
    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `_arrays` gave."""

    def _members(self) -> Mapping[str, Recommender]:
        """Models that this one is made of, by their folder within its own, for `save`."""
        return {}

    def _take_members(  # noqa: B027 - most models have none
        self, read: Callable[[str], Recommender]
    ) -> None:
        """Take back what `_members` gave; ``read`` loads the one in a folder."""

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
            A `cofilter.training.loop.Trainer`; gradient models need one, others ignore it.

        Raises
        ------
        DataError
            No rows, ratings that are not finite, or a (user, item) pair that occurs twice.
        """
        data = Interactions.of(train)
        if not len(data):
            raise DataError(f"{type(self).__name__}: no ratings to fit on")
        if not np.isfinite(data.rating).all():
            raise DataError(f"{type(self).__name__}: ratings must be finite numbers")
        if self.gradient and trainer is None:
            raise ConfigError(f"{type(self).__name__} needs a trainer: fit(…, trainer=Trainer(…))")
        self.users_, self.items_ = data.users, data.items
        self.popularity_ = np.bincount(data.item, minlength=len(data.items))
        self.biases_ = Biases.fit(data, self.config.bias)
        extremes = float(data.rating.min()), float(data.rating.max())
        self.scale_ = self.config.scale or extremes
        self.data_sha256_ = data.sha256
        self._fit(data, None if validation is None else Interactions.of(validation), trainer)
        return self

    @overload
    def predict(self, users: Any, item_ids: Any) -> np.ndarray: ...

    @overload
    def predict(
        self, users: Any, item_ids: Any, *, return_fallback: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def predict(
        self, users: Any, item_ids: Any, *, return_std: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    def predict(
        self,
        users: Any,
        item_ids: Any,
        *,
        return_fallback: bool = False,
        return_std: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Ratings of (user, item) pairs, float32[n], clipped to the scale.

        Parameters
        ----------
        users:
            User ids, or `People`, one for each of ``item_ids``.
        item_ids:
            Item ids. Unknown ids get the fallback.
        return_fallback:
            Also give bool[n]: True where the answer is the fallback's.
        return_std:
            Also give float32[n], the standard deviation of each answer; NaN for the fallback's.

        Raises
        ------
        CapabilityError
            The model does not predict ratings, or does not know how sure it is.
        """
        if not self.predicts_ratings:
            raise CapabilityError(f"{type(self).__name__} does not predict ratings, only ranks")
        if return_std and not self.knows_std:
            raise CapabilityError(f"{type(self).__name__} does not know how sure it is")
        item = self.items_.index(item_ids)
        people = users if isinstance(users, People) else self._known(users)
        if len(people) != len(item):
            raise DataError(f"{len(people)} users but {len(item)} items: one each is expected")
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
        if return_std:
            return clipped, std
        return (clipped, ~own) if return_fallback else clipped

    def recommend(
        self, users: Any, k: int = 10, exclude: pd.DataFrame | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items of each user.

        Parameters
        ----------
        users:
            User ids or `People`. Unknown users get the most popular items.
        k:
            How many; at most as many as there are items are given.
        exclude:
            Table with user_id and item_id: pairs never to recommend.

        Returns
        -------
        (items[n, k], scores float32[n, k]), best first, ties by ascending item id. Where a user
        has fewer candidates, the item is −1 (or "" for string ids) and the score −inf.

        Raises
        ------
        CapabilityError
            The model does not rank.
        """
        if not self.ranks:
            raise CapabilityError(f"{type(self).__name__} does not rank, it only predicts ratings")
        people = users if isinstance(users, People) else self._known(users)
        index, scores = self.rank(users, k, exclude_matrix(exclude, people.ids, self.items_))
        return to_ids(index, self.items_), scores

    def rank(
        self, users: Any, k: int, excluded: sparse.csr_array | None = None
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
        k = min(k, n_items)
        items = np.full((len(people), k), UNKNOWN, np.int32)
        best = np.full((len(people), k), -np.inf, np.float32)
        left_out = LeftOut.of(excluded, len(people))
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

    def similar_items(self, item_ids: Any, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The k items most similar to each given one, never itself; shaped as `recommend`'s."""
        item = self.items_.index(item_ids)
        if (item == UNKNOWN).any():
            raise DataError(f"unknown item: {as_ids(item_ids)[item == UNKNOWN].tolist()[0]!r}")
        k = min(k, len(self.items_))
        index = np.full((len(item), k), UNKNOWN, np.int32)
        best = np.full((len(item), k), -np.inf, np.float32)
        step = max(1, BLOCK_SCORES // max(len(self.items_), 1))
        for start in range(0, len(item), step):
            block = item[start : start + step]
            scores = self._similarities(block)
            each = np.arange(len(block) + 1)
            index[start : start + step], best[start : start + step] = top_k(scores, each, block, k)
        return to_ids(index, self.items_), best

    def fold_in(self, histories: pd.DataFrame, user_ids: Any = None) -> People:
        """Take in new users without fitting again.

        Parameters
        ----------
        histories:
            Table with user_id, item_id, rating. Ratings of items that the model does not know
            are left out. Ids may coincide with known users; they stay separate people.
        user_ids:
            Ids of people to give a row even when they have no ratings.
        """
        known = histories[self.items_.index(histories[ITEM]) != UNKNOWN]
        data = Interactions.of(known)
        wanted = [as_ids(histories[USER])] + ([] if user_ids is None else [as_ids(user_ids)])
        ids = IdMap.of(np.concatenate([part for part in wanted if len(part)] or wanted[:1]))
        data = replace(data, users=ids, user=ids.index(known[USER]))
        item = self.items_.index(known[ITEM])
        bias = self.biases_.of_new_users(data, item)
        answered = np.bincount(data.user, minlength=len(ids)) > 0
        return People(ids.ids, self._fold_in(data, item, bias), bias, answered)

    # Shared work -----------------------------------------------------------------------------

    def _known(self, user_ids: Any) -> People:
        """Known and unknown users as people; `_rows` fetches their state when it is needed."""
        user = self.users_.index(user_ids)
        no_state = np.empty((len(user), 0), np.float32)
        return People(as_ids(user_ids), no_state, self.biases_.user_bias(user), user != UNKNOWN)

    def _index_of(self, users: Any) -> np.ndarray:
        if isinstance(users, People):
            return np.full(len(users), UNKNOWN, np.int32)
        return self.users_.index(users)

    def _rows(self, people: People, user: np.ndarray, rows: np.ndarray) -> UserRows:
        """Some rows for scoring: state from the model for known users, else from the people."""
        known = len(rows) and user[rows[0]] != UNKNOWN
        state = self._user_state(user[rows]) if known else people.state[rows]
        return UserRows(state, people.bias[rows], user[rows])
