"""Models that are fitted in epochs by a trainer: what all of them share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from cofilter.matrix import UNKNOWN, Interactions
from cofilter.metrics.ranking import at_k
from cofilter.models.base import Recommender
from cofilter.models.bias import Biases
from cofilter.models.config import ModelConfig
from cofilter.models.learner import Arrays, Learner, Task, Trains
from cofilter.models.people import UserRows

RANKED = 10  # length of the lists that ranking models are watched by
WATCHED_USERS = 2_000  # at most so many validation users are ranked after an epoch


class IterativeConfig(ModelConfig):
    """What every model that is fitted in epochs is told.

    Attributes
    ----------
    epochs:
        At most so many passes over the ratings.
    patience:
        Early stopping after so many epochs without a better value of the watched metric on
        validation; the best epoch's parameters are kept. None: all epochs run and the last one's
        parameters are kept.
    """

    epochs: int = Field(gt=0)
    patience: int | None = Field(gt=0)


class DeviceConfig(IterativeConfig):
    """What models are told that can be trained on a GPU; the others know the CPU alone.

    Attributes
    ----------
    device:
        Where it is trained; a named device that is absent is an error.
    """

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


class IterativeRecommender(Recommender):
    """A model that a trainer fits epoch by epoch, with checkpoints and exact resume.

    A model supplies a `Learner` and takes its parameters. After each epoch it is watched on
    validation: by RMSE when it predicts ratings, otherwise by NDCG@10 of rankings without the
    training items, on the first `WATCHED_USERS` of the users with a validation row.

    Fitted state: ``epochs_``, epochs run to the kept one; ``history_``, a row an epoch.
    """

    gradient = True
    config: IterativeConfig
    # Settings that do not enter a checkpoint's identity; the learner names engine and threads.
    machine_settings: ClassVar[frozenset[str]] = frozenset({"engine", "device", "threads"})

    def __init__(self, config: IterativeConfig) -> None:
        super().__init__(config)
        self._epochs = config.epochs
        self.history_: list[dict[str, float]] = []

    # What a model supplies -----------------------------------------------------------------

    @abstractmethod
    def _learner(self, data: Interactions) -> Learner:
        """A learner at its start; its module's source enters the checkpoint's identity."""

    @abstractmethod
    def _set(self, parameters: Arrays) -> None:
        """Take a learner's parameters as the model's own."""

    def _epochs_matter(self) -> bool:
        """Whether the number of epochs changes what an epoch does (a schedule that reads it)."""
        return False

    def _code(self) -> tuple[str, ...]:
        """Modules, beyond those of the classes, whose source the parameters depend on."""
        return ()

    # What all of them do ---------------------------------------------------------------------

    def for_refit(self) -> Self:
        """An unfitted model that will train for exactly the epochs that were best here."""
        model = type(self)(self.config)
        model._epochs = self.epochs_
        return model

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        assert trainer is not None  # `fit` has seen to it
        learner = self._learner(data)
        self.engine_, self.device_ = learner.engine, learner.device
        trained = trainer.run(learner, self._task(data, validation, learner))
        self._set(trained.parameters)
        self.epochs_, self.history_ = trained.best_epoch, trained.history

    def _task(self, data: Interactions, validation: Interactions | None, learner: Learner) -> Task:
        config = self.config.model_dump(mode="json", exclude=set(self.machine_settings))
        if not self._epochs_matter():
            del config["epochs"]
        identity = {
            "config": config,
            "train": data.sha256,
            "validation": None if validation is None else validation.sha256,
            "learner": learner.identity(),
        }
        # What parameters are made by, and what they are watched with.
        own = {cls.__module__ for cls in (*type(self).__mro__, *type(learner).__mro__, Biases)}
        own = {module for module in own if module.startswith("cofilter.")}
        watch = self._rating_watch if self.predicts_ratings else self._ranking_watch
        return Task(
            family=self.family,
            epochs=self._epochs,
            identity=identity,
            code=(*sorted(own), *self._code()),
            n_ratings=len(data),
            monitor=None if validation is None else watch(data, validation),
            watched="rmse" if self.predicts_ratings else f"ndcg@{RANKED}",
            larger_is_better=not self.predicts_ratings,
            patience=self.config.patience,
        )

    def _rating_watch(self, data: Interactions, validation: Interactions) -> Any:
        """RMSE on validation rows whose user and item are known; on all of them if none is."""
        user = self.users_.index(validation.users.ids)[validation.user]
        item = self.items_.index(validation.items.ids)[validation.item]
        warm = (user != UNKNOWN) & (item != UNKNOWN)
        truth = validation.rating.astype(np.float64)
        if not warm.any():
            fallback = np.clip(
                self.biases_.predict(self.biases_.user_bias(user), item), *self.scale_
            )
            alone = {"rmse": float(np.sqrt(np.mean((fallback - truth) ** 2)))}
            return lambda parameters: alone
        # What of `predict` does not change from epoch to epoch is done once.
        known, row = np.unique(user[warm], return_inverse=True)
        pairs = row.astype(np.int32), item[warm]
        truth, bias = truth[warm], self.biases_.user_bias(known)

        def watch(parameters: Arrays) -> dict[str, float]:
            self._set(parameters)
            scores, _ = self._score_pairs(UserRows(self._user_state(known), bias, known), *pairs)
            error = np.clip(scores, *self.scale_).astype(np.float32) - truth
            return {"rmse": float(np.sqrt(np.mean(error**2)))}

        return watch

    def _ranking_watch(self, data: Interactions, validation: Interactions) -> Any:
        """NDCG@10, every known validation item relevant; None without a known user and item."""
        user = self.users_.index(validation.users.ids)[validation.user]
        item = self.items_.index(validation.items.ids)[validation.item]
        warm = (user != UNKNOWN) & (item != UNKNOWN)
        if not warm.any():
            return None
        users = np.unique(user[warm])[:WATCHED_USERS]
        rows = warm & np.isin(user, users)
        n_items = len(self.items_)
        relevant = np.sort(user[rows].astype(np.int64) * n_items + item[rows])
        n_relevant = np.bincount(np.searchsorted(users, user[rows]), minlength=len(users))
        ids, seen = self.users_.ids[users], data.by_user[users]

        def watch(parameters: Arrays) -> dict[str, float]:
            self._set(parameters)
            ranked, _ = self.rank(ids, RANKED, seen)
            pair = users[:, None].astype(np.int64) * n_items + ranked
            hits = (ranked != UNKNOWN) & np.isin(pair, relevant)
            return {f"ndcg@{RANKED}": float(at_k(hits, n_relevant, RANKED)["ndcg"].mean())}

        return watch
