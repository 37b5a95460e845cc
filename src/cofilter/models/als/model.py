"""Matrix factorization by alternating least squares, for ratings and for implicit feedback."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from cofilter.core.matrix import UNKNOWN, Interactions
from cofilter.models.als.config import ALSConfig
from cofilter.models.als.kernels.rows import Table
from cofilter.models.als.learner import (
    AlternatingFactors,
    HalfIteration,
    base_of,
    from_table,
    objective_of,
    observed,
    to_table,
)
from cofilter.models.als.shares import row_shares
from cofilter.recommender.factors import FactorRecommender
from cofilter.recommender.learner import Arrays, Learner
from cofilter.recommender.people import UserRows, UserState
from cofilter.recommender.sparse import ItemLists, as_sparse


class _ALS(FactorRecommender):
    """Factors of both sides, each solved exactly while the other is fixed.

    Fitted state: ``user_`` and ``item_``, float32[n, dim + 1], the bias in the last column.
    A new user is folded in by the same exact solution on the fixed item side. Shares of `explain`
    are exact for it (`cofilter.models.als.shares`): they sum to p_u·q_i (+ b_u), the score less
    μ + b_i where there are biases. A known user's are those of the same ratings folded in; the
    user's own row was solved on the items of an iteration before, which is the same in the limit.
    """

    family = "als"
    shares_are_exact = True
    remedy = "raise als.regularization"
    uses_weights = True
    config: ALSConfig
    config_class = ALSConfig
    _fixed: Table | None = None  # the items as people are solved against them
    _base: np.ndarray | None = None  # and what all people's equations share

    def _learner(self, data: Interactions) -> Learner:
        return AlternatingFactors(self.config, data, self._biases.mean)

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        known = observed(self.config, replace(data, items=self.items_, item=item))
        objective = objective_of(self.config, self._biases.mean)
        half = HalfIteration(known.by_user, known.weight_by_user, objective, steps=0)
        people = to_table(np.zeros((len(data.users), self.config.length + 1), np.float32))
        fixed = self._items_as_solved()
        if self._base is None:
            self._base = base_of(fixed, objective)
        for _ in half.solve(fixed, people, self._base):
            pass
        return from_table(people, self.config.length)

    def _shares(
        self, users: UserRows, row: np.ndarray, item: np.ndarray, history: Interactions
    ) -> sparse.csr_array:
        known = observed(self.config, history)
        matrix, order = known.by_user, np.argsort(row, kind="stable")
        rows, objective = as_sparse(matrix), objective_of(self.config, self._biases.mean)
        found = row_shares(
            rows, known.weight_by_user, (row[order], item[order]), self.item_, objective
        )
        shares = matrix[row].astype(np.float64)
        for pair, share in zip(order, found, strict=True):
            shares.data[shares.indptr[pair] : shares.indptr[pair + 1]] = share
        return shares

    def _set(self, parameters: Arrays) -> None:
        super()._set(parameters)
        self._fixed, self._base = None, None

    def prepare(self) -> None:
        """As the base's, and the items as people are solved against them."""
        super().prepare()
        self._items_as_solved()

    def _items_as_solved(self) -> Table:
        if self._fixed is None:
            self._fixed = to_table(self.item_)
        return self._fixed


class ExplicitALS(_ALS):
    """r̂_ui = μ + b_u + b_i + p_u·q_i, μ the mean of the training ratings, minimising

        Σ w_ui (r_ui − r̂_ui)² + λ Σ_u n_u (|p_u|² + b_u²) + λ Σ_i n_i (|q_i|² + b_i²)

    over the training ratings, n ratings a row: weighted-λ regularisation (Zhou, Wilkinson,
    Schreiber and Pan 2008), with the bias solved together with the factor as the weight of a
    feature that is always 1. Weights w are those of the rows, 1 without. Predicts ratings and ranks
    by them.
    """

    kind = "explicit"
    needs_ratings = True

    @property
    def _mean(self) -> float:
        return self._biases.mean


class ImplicitALS(_ALS):
    """Weighted factorization of what was observed and what was not (Hu, Koren, Volinsky 2008):

        Σ over all user-item pairs of c_ui (x_ui − p_u·q_i)² + λ (Σ_u |p_u|² + Σ_i |q_i|²)

    with x = 1 and c = 1 + w α · rating where the pair was observed, x = 0 and c = 1 otherwise. So a
    row's weight w (1 without) multiplies what it counts beyond a pair that was not observed, as α
    does, and one of weight 0 was not observed.
    The sum over all pairs is had from the Gram matrix of a side, so no dense matrix is built.
    Ranks by p_u·q_i; the bias column of its tables is 0. A user with nothing observed (see
    ``min_rating``) is ranked by popularity.
    """

    kind = "implicit"
    predicts_ratings = False

    def _best(
        self, users: UserRows, ids: np.ndarray, left_out: ItemLists, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        items, scores = super()._best(users, ids, left_out, k)
        silent = ~users.state.any(axis=1)
        items[silent], scores[silent] = UNKNOWN, -np.inf
        return items, scores

    def _ranking_users(self, users: UserRows) -> np.ndarray:
        return np.ascontiguousarray(users.state[:, :-1], np.float32)

    def _ranking_items(self) -> np.ndarray:
        return np.ascontiguousarray(self.item_[:, :-1], np.float32)


KINDS: dict[str, type[_ALS]] = {"explicit": ExplicitALS, "implicit": ImplicitALS}
