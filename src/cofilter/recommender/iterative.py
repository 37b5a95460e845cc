"""Models that are fitted in epochs by a trainer: what all of them share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from cofilter.core.matrix import UNKNOWN, Interactions
from cofilter.metrics.ranking import Relevant, metric_at_k, sampled
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import IterativeConfig
from cofilter.recommender.epochs import PlainTrainer
from cofilter.recommender.learner import Arrays, Learner, Task, Trains
from cofilter.recommender.people import UserRows

RANKED = 10  # length of the lists that ranking models are watched by
WATCHED_USERS = 2_000  # at most so many validation users are ranked after an epoch


class IterativeRecommender(Recommender):
    """A model that a trainer fits epoch by epoch, with checkpoints and exact resume.

    A model supplies a `Learner` and takes its parameters. After each epoch it is watched on
    validation: by RMSE when it predicts ratings, otherwise by NDCG@10 of rankings without the
    training items, on at most `WATCHED_USERS` of the users with a validation row, a fixed random
    sample.

    Fitted state: ``epochs_``, epochs run to the kept one; ``history_``, a row an epoch.
    """

    gradient = True
    config: IterativeConfig
    remedy: ClassVar[str | None] = None  # of a loss that is not finite; None: a lower rate
    # Settings that do not enter a checkpoint's identity; the learner names engine and threads.
    machine_settings: ClassVar[frozenset[str]] = frozenset(
        {"engine", "device", "threads", "keep_seen"}
    )

    def __init__(self, config: IterativeConfig | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        self._epochs: int | None = None  # so many exactly; None: as the configuration says
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

    # What all of them do ---------------------------------------------------------------------

    def for_refit(self) -> Self:
        """An unfitted model that will train for exactly the epochs that were best here."""
        model = type(self)(self.config)
        model._epochs = self.epochs_
        return model

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        learner = self._learner(data)
        self.engine_, self.device_ = learner.engine, learner.device
        trained = (trainer or PlainTrainer()).run(learner, self._task(data, validation, learner))
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
            "unit": self._learning.unit,  # of the history's RMSE
        }
        watch = self._rating_watch if self.predicts_ratings else self._ranking_watch
        epochs = self._epochs or self.config.epochs
        assert epochs is not None  # settled by what is fitted
        return Task(
            family=self.family,
            epochs=epochs,
            identity=identity,
            n_ratings=len(data),
            monitor=None if validation is None else watch(data, validation),
            watched="rmse" if self.predicts_ratings else f"ndcg@{RANKED}",
            larger_is_better=not self.predicts_ratings,
            patience=self.config.patience,
            remedy=self.remedy,
        )

    def _rating_watch(self, data: Interactions, validation: Interactions) -> Any:
        """RMSE on validation rows whose user and item are known; on all of them if none is."""
        user = self.users_.index(validation.users.ids)[validation.user]
        item = self.items_.index(validation.items.ids)[validation.item]
        warm = (user != UNKNOWN) & (item != UNKNOWN)
        truth = validation.rating.astype(np.float64)
        if not warm.any():
            fallback = np.clip(
                self._biases.predict(self._biases.user_bias(user), item), *self._learning.limits
            )
            alone = self._watched_rmse(fallback - truth)
            return lambda parameters: alone
        # What of `predict` does not change from epoch to epoch is done once.
        known, row = np.unique(user[warm], return_inverse=True)
        pairs = row.astype(np.int32), item[warm]
        truth, bias = truth[warm], self._biases.user_bias(known)

        def watch(parameters: Arrays) -> dict[str, float]:
            self._set(parameters)
            scores, _ = self._score_pairs(UserRows(self._user_state(known), bias, known), *pairs)
            clipped = np.clip(scores, *self._learning.limits).astype(np.float32)
            return self._watched_rmse(clipped - truth)

        return watch

    def _watched_rmse(self, error: np.ndarray) -> dict[str, float]:
        """RMSE, in ratings of the source, of errors on the learned scale."""
        return {"rmse": self._learning.unit * float(np.sqrt(np.mean(error**2)))}

    def _ranking_watch(self, data: Interactions, validation: Interactions) -> Any:
        """NDCG@10, every known validation item relevant; None without a known user and item."""
        user = self.users_.index(validation.users.ids)[validation.user]
        item = self.items_.index(validation.items.ids)[validation.item]
        warm = (user != UNKNOWN) & (item != UNKNOWN)
        if not warm.any():
            return None
        users = sampled(np.unique(user[warm]), WATCHED_USERS)
        rows = warm & np.isin(user, users)
        relevant = Relevant.of(user[rows], item[rows], len(self.items_))
        n_relevant = np.bincount(np.searchsorted(users, user[rows]), minlength=len(users))
        ids, seen = self.users_.ids[users], data.by_user[users]

        def watch(parameters: Arrays) -> dict[str, float]:
            self._set(parameters)
            ranked, _ = self.rank(ids, RANKED, seen)
            ndcg = metric_at_k("ndcg", relevant.hits(users, ranked), n_relevant, RANKED)
            return {f"ndcg@{RANKED}": float(ndcg.mean())}

        return watch
