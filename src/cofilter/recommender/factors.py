"""Models whose answers are products of user and item factors: what all of them share."""

from __future__ import annotations

import numpy as np

from cofilter.core.matrix import Interactions
from cofilter.recommender.iterative import IterativeRecommender
from cofilter.recommender.kernels.pairs import pair_scores
from cofilter.recommender.learner import Arrays
from cofilter.recommender.people import UserRows, UserState
from cofilter.recommender.ranking import items_with_biases, users_with_constants


class FactorRecommender(IterativeRecommender):
    """score(u, i) = mean + b_u + b_i + p_u·q_i.

    Fitted state: ``user_`` and ``item_``, float32[n, dim + 1], the bias in the last column.
    """

    scores_are_products = True
    user_: np.ndarray
    item_: np.ndarray

    @property
    def _mean(self) -> float:
        """The constant part of every score."""
        return 0.0

    def _set(self, parameters: Arrays) -> None:
        self.user_, self.item_ = parameters["user"], parameters["item"]
        self._search = None  # a learner may have changed the same arrays

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.user_[user]

    def _take_users(self, state: UserState, new: Interactions) -> None:
        self.user_ = state

    def folding_work(self, n_ratings: int) -> float:
        """A system of equations of the factors' length, and a product with each item."""
        dim = self.item_.shape[1]
        return float(dim**2 * (n_ratings + dim) + dim * len(self.items_))

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        pairs = row.astype(np.int32, copy=False), item.astype(np.int32, copy=False)
        state = np.ascontiguousarray(users.state, np.float32)
        scores = pair_scores(state, pairs[0], self.item_, pairs[1], self._mean)
        return scores, np.ones(len(row), bool)

    def _ranking_users(self, users: UserRows) -> np.ndarray:
        p = users.state
        return users_with_constants(p[:, :-1], self._mean + p[:, -1])

    def _ranking_items(self) -> np.ndarray:
        return items_with_biases(self.item_[:, :-1], self.item_[:, -1])

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        """Cosine of factors."""
        factors = self.item_[:, :-1]
        length = np.linalg.norm(factors, axis=1, keepdims=True)
        unit = np.divide(factors, length, out=np.zeros_like(factors), where=length > 0)
        return unit[item] @ unit.T

    def _keep_users(self, rows: np.ndarray) -> None:
        self.user_ = self.user_[rows]

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"user": self.user_, "item": self.item_}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._set(arrays)
