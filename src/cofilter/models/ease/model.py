"""EASE: a linear item-to-item model in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from cofilter.core.matrix import Interactions, row_of, to_csr
from cofilter.models.ease.closed_form import way, weights
from cofilter.models.ease.config import EASEConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import UserRows, UserState


class EASE(Recommender):
    """Embarrassingly shallow autoencoder (Steck 2019, "Embarrassingly Shallow Autoencoders").

    Item weights B with a zero diagonal that minimise ‖X − X B‖² + λ m ‖B‖², X [users, items]
    being the histories and m the mean square of its stored entries:

        P = (XᵀX + λ m I)⁻¹,   B_ij = −P_ij / P_jj  (i ≠ j),   B_ii = 0,   scores = history · B

    A new user's history is used directly. Shares of `explain` are exact, x_uj B_ji, and sum to the
    score. Items similar to i are those that i's row of B speaks
    for: the ranking of somebody whose whole history is i. Ranks only.

    XᵀX is over all pairs of items that some user has both of: O(Σ_u n_u²) operations, in blocks;
    its inverse is a Cholesky factorization in place, items³ operations. With few users the same
    weights come from an inverse over users (`cofilter.models.ease.closed_form`). Memory at the end
    of `fit`: 12 items² bytes in double precision, 4 items² in single, 4 items² + 8 users² over
    users; refused before they are allocated when they are not free or above ``max_gib``. 4 items²
    afterwards, also on disk (ml_100k: 11 MB). Ranking costs a history's length × items operations
    a user.

    Fitted state: ``weights_``, B in float32[items, items]; ``by_user_``, X in CSR form.
    """

    family = "ease"
    shares_are_exact = True
    predicts_ratings = False
    holds_histories = True
    may_be_silent = True
    engine_ = "lapack"
    config: EASEConfig
    config_class = EASEConfig

    def __init__(self, config: EASEConfig | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        self.needs_ratings = self.config.kind == "rating"  # clicks and counts have `binary`

    def require(self, n_users: int, n_items: int, n_ratings: int) -> None:
        """Memory for the dense matrices."""
        way(n_users, n_items, n_ratings, self.config.precision, self.config.max_gib)

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        how = way(*data.shape, len(data), self.config.precision, self.config.max_gib)
        self.by_user_ = self._values(data.by_user)
        square = float(np.mean(self.by_user_.data.astype(np.float64) ** 2))
        assert self.config.l2 is not None  # settled by what is fitted
        # All ratings 0: any positive number does, there is nothing to learn and B is 0.
        added = self.config.l2 * (square or 1.0)
        with threadpool_limits(self.config.threads, user_api="blas"):
            self.weights_ = weights(self.by_user_, added, how)

    def _values(self, histories: sparse.csr_array) -> sparse.csr_array:
        """X's rows of ratings in CSR form."""
        if self.config.kind == "rating":
            return histories
        ones = np.ones_like(histories.data)
        return sparse.csr_array((ones, histories.indices, histories.indptr), histories.shape)

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.by_user_[user]

    def _take_users(self, state: UserState, new: Interactions) -> None:
        self.by_user_ = state

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        shape = len(data.users), len(self.items_)
        return self._values(to_csr(data.user, item, data.rating, shape))

    def _score_items(self, users: UserRows) -> np.ndarray:
        scores = users.state @ self.weights_
        scores[scores == 0] = -np.inf  # no user links the item to one of the history
        return scores

    def _shares(
        self, users: UserRows, row: np.ndarray, item: np.ndarray, history: Interactions
    ) -> sparse.csr_array:
        """x_uj B_ji; they sum to the score."""
        x = users.state[row]
        share = x.data * self.weights_[x.indices, item[row_of(x)]]
        return sparse.csr_array((share, x.indices, x.indptr), shape=x.shape)

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        similarity = self.weights_[item]
        similarity[similarity == 0] = -np.inf
        return similarity

    def _keep_users(self, rows: np.ndarray) -> None:
        self.by_user_ = self.by_user_[rows]

    def _arrays(self) -> dict[str, np.ndarray]:
        x = self.by_user_
        return {"weights": self.weights_, "start": x.indptr, "index": x.indices, "value": x.data}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.weights_ = arrays["weights"]
        parts = arrays["value"], arrays["index"], arrays["start"]
        self.by_user_ = sparse.csr_array(parts, shape=(len(self.users_), len(self.items_)))


KINDS: dict[str, type[EASE]] = {"binary": EASE, "rating": EASE}
