"""The contract of every model: fit, predict, recommend, fold in, save."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from cofilter.core.errors import CapabilityError
from cofilter.core.matrix import IdMap, Interactions
from cofilter.recommender.bias import Biases
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.histories import CODE, Histories
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import UserRows, UserState
from cofilter.recommender.scale import AS_THEY_ARE, LearningScale
from cofilter.recommender.sparse import ItemLists


class Contract(ABC):
    """What a family's model supplies; `Recommender` builds everything that users call on it.

    After `fit`: ``users_`` and ``items_`` (`IdMap`), ``popularity_`` (int64, ratings an item
    has), ``biases_`` (`Biases`), ``histories_`` (`Histories` by user, in ratings of the source),
    ``scale_``, ``data_sha256_``, ``weight_mean_``, ``engine_`` and ``device_``.

    Ratings that a family meets, predicts and keeps, and ``_biases``, are on the scale that it
    learns, ``_learning``.
    """

    family: ClassVar[str]
    predicts_ratings: bool = True
    ranks: bool = True
    gradient: ClassVar[bool] = False  # fitted epoch by epoch by a trainer
    scores_are_products: ClassVar[bool] = False  # ranking scores are inner products of factors
    explains: bool = True  # what a user has rated decides what the user is recommended
    shares_are_exact: bool = False  # those of `explain` sum to the score less a constant
    may_be_silent: ClassVar[bool] = False  # _score_items gives −inf where it has nothing to say
    knows_std: ClassVar[bool] = False  # predict(return_std=True) has an answer
    holds_histories: ClassVar[bool] = False  # its `by_user_` has what users have rated
    needs_times: ClassVar[bool] = False  # fits to when ratings were made, too
    needs_ratings: bool = False  # clicks and counts are nothing that it could learn
    uses_weights: bool = False  # weighs rows where the data say how much each counts
    config_class: ClassVar[type[ModelConfig]] = ModelConfig

    users_: IdMap
    items_: IdMap
    popularity_: np.ndarray
    _biases: Biases
    scale_: tuple[float, float]
    _learning: LearningScale
    data_sha256_: str
    engine_: str = "numpy"
    device_: str = "cpu"
    _is_part: bool = False  # knows some of the users alone that it was fitted to

    histories_: Histories | None = None
    by_user_: sparse.csr_array  # float32[users, items], of models that hold histories
    epochs_: int | None = None  # of a model that is fitted in epochs: how many it was trained for
    weight_mean_: float | None = None  # of the training rows' weights, where they have some
    kind: ClassVar[str | None] = None  # of a class that is one kind of its family

    config: ModelConfig

    @property
    def seen_(self) -> ItemLists | None:
        """The items of each user; None where the model was fitted without ``keep_seen``."""
        return None if self.histories_ is None else self.histories_.seen

    @property
    def biases_(self) -> Biases:
        """Mean and biases in ratings of the source."""
        return self._learning.biases(self._biases)

    def _learning_scale(self) -> LearningScale:
        """The scale that this model learns, after ``scale_`` is set."""
        if not self.predicts_ratings:
            return AS_THEY_ARE
        return LearningScale.of(self.scale_, self.config.unit)

    def _in_own_unit(self, data: Interactions) -> Interactions:
        """The rows with their weights in the model's unit; without where it has no use for them."""
        if data.weight is None:
            return data
        unit = self.weight_mean_ or 1.0
        weight = (data.weight / unit).astype(np.float32) if self.uses_weights else None
        return replace(data, weight=weight)

    def settled_config(self, data: Interactions) -> ModelConfig:
        """The configuration with all that is left to the data decided."""
        return self.config.settled(data)

    @property
    def _ranks_by_ratings(self) -> bool:
        """Whether a ranking score is a predicted rating."""
        return self.predicts_ratings

    def require(  # noqa: B027 - most models need nothing
        self, n_users: int, n_items: int, n_ratings: int
    ) -> None:
        """Refuse what would stop `fit` on data of this size: no such device, library or memory.

        Raises
        ------
        DeviceError, MissingDependencyError, TooLargeError
        """

    def folding_work(self, n_ratings: int) -> float:
        """Operations of folding in a history of so many ratings and ranking all items for it.

        To an order of magnitude: multiply-adds, sixteen of a large dense product for one. What is
        measured by folding in many times is bounded by it, and so the same on every machine. This
        one: each rating says something of each item.
        """
        return float(n_ratings * len(self.items_))

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
        """Ranking scores float32[users, items]; called for a bounded block of users.

        Where `may_be_silent`, −inf for an item that the model has nothing to say of: popularity
        ranks it after all others.
        """
        raise CapabilityError(f"{type(self).__name__} does not rank")

    def _ranking_users(self, users: UserRows) -> np.ndarray:
        """float32[users, d] whose products with `_ranking_items` rank items as `_score_items`.

        Asked for where `scores_are_products`: the best items are then found without the scores of
        all others in memory (`cofilter.recommender.ranking.users_with_constants` takes biases in).
        """
        raise CapabilityError(f"{type(self).__name__} does not rank by products")

    def _ranking_items(self) -> np.ndarray:
        """float32[items, d], see `_ranking_users`; asked for once for the factors as they are."""
        raise CapabilityError(f"{type(self).__name__} does not rank by products")

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        """Similarity float32[n, items] of known items to all items; called in bounded blocks.

        −inf where none is known: popularity ranks the item after all others.
        """
        raise CapabilityError(f"{type(self).__name__} does not know similar items")

    def _history_arrays(self) -> dict[str, np.ndarray]:
        """What users have rated, for `save`; nothing where other arrays of the folder have it."""
        if self.histories_ is None:
            return {}
        return self.histories_.arrays(with_items=not self.holds_histories)

    def _take_histories(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `_history_arrays` gave; called after `_restore`."""
        if CODE in arrays:
            seen = ItemLists.of(self.by_user_, len(self.users_)) if self.holds_histories else None
            self.histories_ = Histories.restored(arrays, seen)

    @abstractmethod
    def _take_users(self, state: UserState, new: Interactions) -> None:
        """Take the states of all users, old and folded in, by index; everything else stays.

        ``new``: the ratings that have come, on the learned scale, with this model's items.
        """

    @abstractmethod
    def _arrays(self) -> dict[str, np.ndarray]:
        """What was learned beyond what every model has, for `save`."""

    @abstractmethod
    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `_arrays` gave."""

    def _keep_users(self, rows: np.ndarray) -> None:
        """Forget what was learned of other users than those in these rows, for `of_users`.

        Their own arrays only; ids, biases and histories are taken care of. What answering takes of
        everybody's ratings stays, and is saved where the model ``_is_part``. One that compares each
        user with all others raises `CapabilityError`.
        """
        raise CapabilityError(
            f"{type(self).__name__} compares each user with all others: it is not cut by user"
        )

    def _members(self) -> Mapping[str, Any]:
        """Models that this one is made of, by their folder within its own, for `save`."""
        return {}

    def _take_members(  # noqa: B027 - most models have none
        self, read: Callable[[str], Any]
    ) -> None:
        """Take back what `_members` gave; ``read`` loads the one in a folder."""
