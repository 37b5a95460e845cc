"""SVD++: matrix factorization that also learns from which items a user rated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cofilter.core.errors import ConfigError
from cofilter.core.matrix import Interactions
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.models.mf.kernels.svdpp import implicit_sums
from cofilter.recommender.learner import Arrays, Learner
from cofilter.recommender.people import UserState

FUSED_OPTIMIZER = "sgd"


class SVDPlusPlus(MatrixFactorization):
    """SVD++ (Koren 2008, "Factorization meets the neighborhood", section 4):

        r̂_ui = μ + b_u + b_i + q_i·(p_u + z_u),   z_u = |N(u)|^-½ Σ_{j ∈ N(u)} y_j

    N(u) being the items that u rated. Minimises, over the training ratings,

        mean of w_i (r_ui − r̂_ui)² + λ (|p_u|² + |q_i|² + |y_i|² + b_u² + b_i²)

    so that each row is regularised in proportion to its ratings (Koren charges y_j for each of
    its raters' ratings instead).

    A new user's history gives z_u; p_u and b_u are the exact minimum of the same loss with all
    else fixed, a ridge regression on what z_u leaves.

    Fitted state: ``user_``, float32[users, dim + 1], p_u + z_u and b_u; ``item_``,
    float32[items, dim + 1], q_i and b_i; ``implicit_``, y, float32[items, dim]. Everything but
    the fit and the folding in is that of `MatrixFactorization`.
    """

    kind = "svdpp"
    uses_weights = False

    def __init__(self, config: MFConfig | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        config = self.config
        if config.engine == "fused" and config.optimizer != FUSED_OPTIMIZER:
            raise ConfigError(
                f"mf.optimizer: {config.optimizer!r} with kind 'svdpp' and engine 'fused', "
                f"which have {FUSED_OPTIMIZER}"
            )

    def _engine(self) -> str:
        return super()._engine() if self.config.optimizer == FUSED_OPTIMIZER else "torch"

    def _learner(self, data: Interactions) -> Learner:
        self.require(*data.shape, len(data))
        config = self.config
        # An engine is imported only when it trains: torch takes seconds.
        if self._engine() == "torch":
            from cofilter.models.mf.svdpp_torch import TorchSVDPlusPlus

            return TorchSVDPlusPlus(config, data, self._mean)
        from cofilter.models.mf.svdpp_fused import FusedSVDPlusPlus

        return FusedSVDPlusPlus(config, data, self._mean)

    def _set(self, parameters: Arrays) -> None:
        super()._set(parameters)
        self.implicit_ = parameters["implicit"]

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        order = np.argsort(data.user, kind="stable")
        start = np.searchsorted(data.user[order], np.arange(len(data.users) + 1))
        prior = implicit_sums(start, item[order], self.implicit_)
        explained = np.einsum("nd,nd->n", prior[data.user], self.item_[item, :-1])
        state = super()._fold_in(replace(data, rating=data.rating - explained), item, bias)
        state[:, :-1] += prior
        return state

    def _arrays(self) -> dict[str, np.ndarray]:
        return super()._arrays() | {"implicit": self.implicit_}
