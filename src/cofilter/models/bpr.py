"""Bayesian personalised ranking: factors that put what a user likes above what is unknown."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from cofilter.kernels import bpr as kernels
from cofilter.kernels import random
from cofilter.kernels.random import stream_key
from cofilter.matrix import Interactions
from cofilter.models.bpr_learner import TripleFactors, likes, negatives
from cofilter.models.factors import FactorRecommender
from cofilter.models.iterative import IterativeConfig
from cofilter.models.learner import Learner
from cofilter.models.people import UserRows, UserState
from cofilter.ranking import with_constants


class BPRConfig(IterativeConfig):
    """Hyper-parameters of `BPR`.

    Attributes
    ----------
    dim:
        Length of the factors.
    lr:
        Learning rate of every step.
    l2:
        λ of the loss, for factors and item biases alike.
    init_std:
        Standard deviation of the normal start of the factors; biases start at 0.
    negatives, power:
        The items that positives are compared with: ``uniform``, or ``popularity``, in proportion
        to (an item's ratings)^power. Power 1 is what drawing a random row gives.
    tries:
        Draws of a negative for a positive; when all of them are items that the user has rated,
        the positive is passed over in that epoch. With 1, users and items that are often hit so
        train less, which keeps popular negatives from pushing popular items down.
    min_rating:
        Lowest rating of a positive; None takes every row as one. Rows below are known items.
    fold_in_passes:
        Passes over a new user's positives.
    """

    dim: int = Field(gt=0)
    lr: float = Field(gt=0)
    l2: float = Field(ge=0)
    init_std: float = Field(gt=0)
    negatives: Literal["uniform", "popularity"]
    power: float = Field(ge=0, le=2)
    tries: int = Field(gt=0, le=kernels.TRIES)
    min_rating: float | None
    fold_in_passes: int = Field(gt=0)


class BPR(FactorRecommender):
    """Factors p_u, q_i and item biases b_i that minimise, over the positives (u, i),

        mean of −ln σ(x_ui − x_uj) + λ/2 (|p_u|² + |q_i|² + |q_j|² + b_i² + b_j²),
        x_ui = p_u·q_i + b_i,

    with a negative j drawn anew for each positive in each epoch, by stochastic gradient steps on
    one triple at a time (Rendle, Freudenthaler, Gantner and Schmidt-Thieme 2009, "BPR: Bayesian
    Personalized Ranking from Implicit Feedback"). The loss of an epoch is that mean, each term
    before its own step. A negative that the user has rated, however badly, is rejected and drawn
    again, ``tries`` draws in all; a positive for which all of them fail is passed over in that
    epoch. Ranks only: x_ui is no rating.

    A new user's p_u minimises the same loss with the item side fixed, which is then convex: by
    the same steps from 0, with draws of their own, averaged (see `kernels.bpr.fold_in`). One
    without positives is ranked by item bias.

    Fitted state: ``user_``, float32[users, dim] (0 for a user without positives), and ``item_``,
    float32[items, dim + 1], the bias in the last column.
    """

    family = "bpr"
    predicts_ratings = False
    config: BPRConfig
    config_class = BPRConfig

    def _learner(self, data: Interactions) -> Learner:
        return TripleFactors(self.config, data)

    def _code(self) -> tuple[str, ...]:
        return kernels.__name__, random.__name__

    def _ranking_factors(self, users: UserRows) -> tuple[np.ndarray, np.ndarray]:
        no_constant = np.zeros(len(users.state))
        return with_constants(users.state, no_constant, self.item_[:, :-1], self.item_[:, -1])

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        config = self.config
        mine = Interactions(data.users, self.items_, data.user, item, data.rating)
        liked, known = likes(mine, config.min_rating)
        # Epochs count from 1, so −1 − pass is no epoch of the training.
        keys = [stream_key(config.seed, -1 - turn) for turn in range(config.fold_in_passes)]
        return kernels.fold_in(
            self.item_, config.dim, liked, known, negatives(config, self.popularity_),
            np.array(keys, np.uint64), config.tries, np.float32(config.lr), np.float32(config.l2),
        )  # fmt: skip
