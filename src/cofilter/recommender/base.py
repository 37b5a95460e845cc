"""The contract of every model: fit, predict, recommend, fold in, save."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from cofilter.core.columns import ITEM, USER
from cofilter.core.config import parse, plain
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.matrix import UNKNOWN, IdMap, Ids, Interactions, as_ids
from cofilter.recommender.best import loaded, start_threads
from cofilter.recommender.bias import Biases
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.explanations import Explanations
from cofilter.recommender.folder import save
from cofilter.recommender.histories import Histories
from cofilter.recommender.inputs import checked
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import People, UserState
from cofilter.recommender.ratings import Ratings
from cofilter.recommender.sparse import ItemLists

if TYPE_CHECKING:
    import pandas as pd


class Recommender(Ratings, Explanations):
    """Base of all models.

    After `fit`: ``users_`` and ``items_`` (`IdMap`), ``popularity_`` (int64, ratings an item
    has), ``biases_`` (`Biases`, in ratings of the source), ``scale_``, ``data_sha256_``,
    ``engine_`` and ``device_``.

    **Scale.** A model that predicts ratings learns the scale as 1 to 5, whatever it is, so that
    its settings mean the same everywhere (`LearningScale`); all that it takes and gives is in
    ratings of the source. A model that only ranks learns ratings as they are.

    **Weights.** A column ``weight`` says how much a row counts. Models with ``uses_weights`` learn
    from weights divided by their mean over the training rows, so that their unit does not matter,
    and a regularization means what it means without; the others learn as if all were 1. Mean and
    biases, and so the fallback, do not use them.

    **Fallback.** Where the model has no answer of its own (unknown user or item, no neighbour),
    a predicted rating is mean + user bias + item bias with unknown parts zero, and a ranking is
    by popularity. Items that a model has nothing to say of follow, by popularity, after all that
    it scores. `predict` and `rank` say where the fallback answered when asked.
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
        if loaded():
            start_threads()  # before the first kernel would
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
            Tables with user_id, item_id and rating, one row a pair; in train perhaps weight (from 0
            up, not all 0).
        trainer:
            Runs the epochs of a model that is fitted in epochs, for example
            `cofilter.training.loop.Trainer`, which keeps checkpoints; None: in memory.

        Raises
        ------
        DataError
            No rows, ratings that are not finite, weights that are negative, not finite or all 0, or
            a (user, item) pair that occurs twice.
        """
        start_threads()
        data = Interactions.of(train)
        if not len(data):
            raise DataError(f"{type(self).__name__}: no ratings to fit on")
        histories = checked(data, type(self).__name__)
        self.users_, self.items_ = data.users, data.items
        self.popularity_ = np.bincount(data.item, minlength=len(data.items))
        self.config = self.settled_config(data)
        extremes = float(data.rating.min()), float(data.rating.max())
        self.scale_ = self.config.scale or extremes
        self._learning = self._learning_scale()
        self.data_sha256_ = data.sha256
        self._keep_histories(histories, data)
        data = self._weighted_as_learned(data)
        held_out = None if validation is None else Interactions.of(validation)
        if held_out is not None:
            checked(held_out, f"{type(self).__name__}, validation")
            held_out = self._learning.learned(held_out)
        learned = self._learning.learned(data)
        self._biases = Biases.fit(learned, self.config.bias)
        self._fit(learned, held_out, trainer)
        return self

    def fold_in(self, histories: pd.DataFrame, user_ids: Ids | None = None) -> People:
        """Take in new users without fitting again.

        Parameters
        ----------
        histories:
            Table with user_id, item_id, rating. Ratings of items that the model does not know
            are left out. Ids may coincide with known users; they stay separate people. A column
            weight counts in the unit of the training weights; without it each row counts as the
            mean training row does.
        user_ids:
            Ids of people to give a row even when they have no ratings.

        Examples
        --------
        >>> import pandas as pd
        >>> from cofilter import ItemKNN
        >>> ratings = pd.DataFrame(
        ...     {"user_id": [1, 1, 2, 2, 3, 3], "item_id": [10, 20, 10, 20, 20, 30], "rating": 4.0}
        ... )
        >>> model = ItemKNN(similarity="cosine").fit(ratings)
        >>> people = model.fold_in(pd.DataFrame({"user_id": [9], "item_id": [10], "rating": [5.0]}))
        >>> model.recommend(people, k=2, as_frame=True)[["user_id", "item_id", "rank"]]
           user_id  item_id  rank
        0        9       20     1
        1        9       30     2

        Raises
        ------
        DataError
            Ratings that are not finite, a (user, item) pair that occurs twice, or ids of two kinds.
        """
        checked(Interactions.of(histories), "fold_in")
        known = histories[self.items_.index(histories[ITEM]) != UNKNOWN]
        data = Interactions.of(known)
        ids = IdMap.of(histories[USER]).joined([] if user_ids is None else user_ids)
        data = replace(data, users=ids, user=ids.index(known[USER]))
        return self.fold_in_known(
            replace(data, items=self.items_, item=self.items_.index(known[ITEM]))
        )

    def fold_in_known(self, data: Interactions) -> People:
        """As `fold_in`, of rows that were looked at: finite ratings, a pair once, known items.

        ``data.items`` are this model's; ``data.users`` may hold people without rows.
        """
        state, bias = self._folded(data, data.item)
        answered = np.bincount(data.user, minlength=len(data.users)) > 0
        history = Histories.of_rows(data, data.item, len(self.items_))
        return People(data.users.ids, state, bias, answered, history)

    def _keep_histories(self, ratings: sparse.csr_array, data: Interactions) -> None:
        """Keep what each user has rated, when that is wanted."""
        weight = None if data.weight is None else data.weight_by_user
        self.histories_ = Histories.of(ratings, weight) if self.config.keep_seen else None

    def of_users(self, user_ids: Ids) -> Self:
        """The same model, knowing these of its users alone: what one of several servers needs.

        It answers them, and people who are folded in, to the bit as the whole model does.
        Popularity and what was learned of items stay those of everybody; for item-based neighbours
        and graph filters that is all ratings by item, without the users' ids. O(users' own rows).

        Raises
        ------
        CapabilityError
            The model compares each user with all others (`UserKNN`, a blend that has it).
        DataError
            It does not know one of them.
        """
        rows = self.users_.index(user_ids)
        if (rows == UNKNOWN).any():
            raise DataError(f"unknown user: {as_ids(user_ids)[rows == UNKNOWN].tolist()[0]!r}")
        rows = np.unique(rows)
        model = copy.copy(self)
        model._is_part = True
        model._keep_users(rows)
        model.users_ = IdMap(self.users_.ids[rows])
        model._biases = replace(self._biases, user=self._biases.user[rows])
        if self.histories_ is not None:
            model.histories_ = self.histories_.take(rows)
            if self.holds_histories:
                seen = ItemLists.of(model.by_user_, len(rows))
                model.histories_ = model.histories_._replace(seen=seen)
        return model

    def _folded(self, data: Interactions, item: np.ndarray) -> tuple[UserState, np.ndarray]:
        """State and bias of new users from their ratings; ``item`` is as in `_fold_in`."""
        learned = self._learning.learned(self._in_own_unit(data))
        bias = self._biases.of_new_users(learned, item)
        return self._fold_in(learned, item, bias), bias

    def _weighted_as_learned(self, data: Interactions) -> Interactions:
        """The training rows as `_in_own_unit` gives them; sets ``weight_mean_``."""
        self.weight_mean_ = None
        if data.weight is not None and self.uses_weights:
            self.weight_mean_ = float(data.weight.mean(dtype=np.float64))
            if self.weight_mean_ == 0:
                raise DataError(f"{type(self).__name__}: all {len(data):,} weights are 0")
        return self._in_own_unit(data)

    def save(self, folder: str | Path, *, mapped: bool = False) -> None:
        """Write the fitted model to a folder; `cofilter.load` reads it back.

        Equal models give equal bytes. Nothing in the folder is executed when it is read.

        Parameters
        ----------
        mapped:
            Write a file for each array, which `cofilter.load` maps into memory instead of reading
            it: loading takes no time, and processes share one copy.
        """
        save(self, Path(folder), mapped=mapped)
