"""Baselines: what a method must beat to be worth shipping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cofilter.matrix import Interactions
from cofilter.models.base import Recommender
from cofilter.models.config import ModelConfig
from cofilter.models.learner import Trains
from cofilter.models.people import UserRows, UserState


class _Baseline(Recommender):
    """A model whose whole knowledge is in what every model fits: mean, biases and popularity."""

    family = "baseline"

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__(config or ModelConfig())

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        """Nothing beyond what every model fits."""

    def _user_state(self, user: np.ndarray) -> UserState:
        return np.empty((len(user), 0), np.float32)

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        return np.empty((len(bias), 0), np.float32)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing beyond what every model restores."""


class GlobalMean(_Baseline):
    """Every rating is the mean of the training ratings, cold ones too; cannot rank."""

    ranks = False

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        biases = self.biases_
        self.biases_ = replace(biases, user=0 * biases.user, item=0 * biases.item)

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(row), self.biases_.mean), np.ones(len(row), bool)


class BiasBaseline(_Baseline):
    """mean + user bias + item bias, as `Biases` fits them; ranks by item bias."""

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return self.biases_.predict(users.bias[row], item), np.ones(len(row), bool)

    def _score_items(self, users: UserRows) -> np.ndarray:
        scores = self.biases_.mean + users.bias[:, None] + self.biases_.item[None]
        return scores.astype(np.float32)


class Popularity(_Baseline):
    """Ranks items by their number of training ratings; predicts no ratings."""

    predicts_ratings = False

    def _score_items(self, users: UserRows) -> np.ndarray:
        return np.repeat(self.popularity_[None].astype(np.float32), len(users.bias), axis=0)


BASELINES: dict[str, type[_Baseline]] = {
    "global_mean": GlobalMean,
    "bias": BiasBaseline,
    "popularity": Popularity,
}
