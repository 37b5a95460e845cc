"""Matrix factorization trained by gradient: dot product, with or without biases."""

from __future__ import annotations

from typing import Any

import numpy as np

from cofilter.core.errors import ConfigError
from cofilter.core.matrix import Interactions
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.kernels.ridge import ridge_rows
from cofilter.models.mf.weights import item_weights
from cofilter.recommender.device import require_torch, resolve_device
from cofilter.recommender.factors import FactorRecommender
from cofilter.recommender.learner import Learner
from cofilter.recommender.people import UserState


class MatrixFactorization(FactorRecommender):
    """Factors p_u, q_i (and biases) that minimise, over the training ratings,

        mean of w_ui (r_ui − r̂_ui)² + λ (|p_u|² + |q_i|² + b_u² + b_i²)

    so a user or item is regularised in proportion to its ratings. ``kind: biased`` adds
    μ + b_u + b_i to the product, μ being the mean of the training ratings and fixed (0 unless
    ``centred``). The weights w_ui are those of the rows (1 without any) times those of
    ``propensity``.

    ``kind: item_centred`` takes each item's mean (weighted as the rows are) off first, adds it back
    to predict, and counts λ once a row instead of once a rating:

        ½ Σ w_ui (r_ui − m_i − p_u·q_i)² + λ/2 (Σ_u |p_u|² + Σ_i |q_i|²)

    minimised by gradient descent on all ratings and both sides at once. Its loss is shown
    divided by the number of ratings.

    ``weight_decay`` δ adds δ/2 Σ of all squared parameters to the mean.

    A new user is folded in by ridge regression on the fixed item side, which is the exact
    minimum of the same loss over p_u and b_u.

    Fitted state: ``user_`` and ``item_``, float32[n, dim + 1], the bias in the last column (0
    for ``dot``; for ``item_centred`` 0 and the item's mean).
    """

    family = "mf"
    needs_ratings = True
    uses_weights = True
    config: MFConfig
    config_class = MFConfig

    def __init__(self, config: MFConfig | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        if (self.config.kind == "svdpp") != (self.kind == "svdpp"):
            raise ConfigError("kind: 'svdpp' is SVDPlusPlus, the other kinds are not")

    def require(self, n_users: int, n_items: int, n_ratings: int) -> None:
        """The device that is named, and torch where its engine trains."""
        resolve_device(self.config.device)
        if self._engine() == "torch":
            require_torch("engine 'torch'")

    def _engine(self) -> str:
        return self.config.resolved_engine()

    def _learner(self, data: Interactions) -> Learner:
        self.require(*data.shape, len(data))
        # An engine is imported only when it trains: torch takes seconds.
        if self._engine() == "torch":
            from cofilter.models.mf.torch_learner import TorchFactors

            return TorchFactors(self.config, data, self._mean)
        from cofilter.models.mf.fused import FusedDescent, FusedFactors

        learner = FusedDescent if self.config.optimizer == "gd" else FusedFactors
        return learner(self.config, data, self._mean)

    def _epochs_matter(self) -> bool:
        return self.config.schedule == "cosine"

    @property
    def _mean(self) -> float:
        has_mean = self.config.kind in ("biased", "svdpp") and self.config.centred
        return self._biases.mean if has_mean else 0.0

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        n_users = len(data.users)
        order = np.argsort(data.user, kind="stable")
        count = np.bincount(data.user, minlength=n_users)
        start = np.concatenate([[0], np.cumsum(count)])
        target = data.rating - self._mean - self.item_[item, -1].astype(np.float64)
        counted = np.ones(n_users) if self.config.kind == "item_centred" else count
        # The small floor makes an unregularised system with fewer ratings than factors solvable.
        decay = 0.5 * self.config.weight_decay * self.popularity_.sum()  # of the summed loss
        penalty = np.maximum(self.config.l2 * counted + decay, 1e-6)
        weight = item_weights(self.popularity_, self.config.propensity)[item]
        weight = weight if data.weight is None else weight * data.weight
        biased = self.config.kind in ("biased", "svdpp")
        rows = item[order].astype(np.int32), target[order], self.item_
        return ridge_rows(start, *rows, weight[order], penalty, float(biased)).astype(np.float32)
