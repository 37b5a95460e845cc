"""Bayesian personalised ranking: factors that put what a user likes above what is unknown."""

from __future__ import annotations

import numpy as np

from cofilter.core.matrix import Interactions
from cofilter.models.bpr.config import BPRConfig
from cofilter.models.bpr.kernels import triples as kernels
from cofilter.models.bpr.learner import TripleFactors, likes, negatives
from cofilter.recommender.factors import FactorRecommender
from cofilter.recommender.kernels.random import stream_key
from cofilter.recommender.learner import Learner
from cofilter.recommender.people import UserRows, UserState
from cofilter.recommender.ranking import users_with_constants


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

    def _ranking_users(self, users: UserRows) -> np.ndarray:
        return users_with_constants(users.state, np.zeros(len(users.state)))

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


KINDS: dict[str, type[BPR]] = {"bpr": BPR}
