"""Matrix factorization trained by gradient: dot product, with or without biases."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from cofilter.errors import ConfigError
from cofilter.matrix import Interactions
from cofilter.models.iterative import IterativeConfig, IterativeRecommender
from cofilter.models.learner import Arrays, Learner
from cofilter.models.people import UserRows, UserState


class MFConfig(IterativeConfig):
    """Hyper-parameters of `MatrixFactorization`.

    Attributes
    ----------
    kind:
        ``biased``: μ + b_u + b_i + p_u·q_i (Koren, Bell and Volinsky 2009); ``dot``: p_u·q_i.
    dim:
        Length of the factors.
    optimizer, lr:
        ``adam`` (Kingma and Ba 2015) or plain ``sgd``; both take mean gradients over a batch.
    batch_size:
        Ratings a step.
    l2:
        λ of the loss below.
    schedule:
        ``constant``; ``exponential``: lr · decay^(epoch − 1); ``cosine``: from lr to 0 over
        ``epochs`` (the only one that reads their number).
    decay:
        Factor an epoch of the exponential schedule.
    init_std:
        Standard deviation of the normal start of the factors.
    engine, threads:
        How it is trained; ``auto`` resolves once. The torch engine's last bits depend on the
        number of threads.
    """

    kind: Literal["biased", "dot"]
    dim: int = Field(gt=0)
    optimizer: Literal["adam", "sgd"]
    lr: float = Field(gt=0)
    batch_size: int = Field(gt=0)
    l2: float = Field(ge=0)
    schedule: Literal["constant", "exponential", "cosine"]
    decay: float = Field(gt=0, le=1)
    init_std: float = Field(ge=0)
    engine: Literal["auto", "torch"] = "auto"
    threads: int = Field(1, gt=0)


class MatrixFactorization(IterativeRecommender):
    """Factors p_u, q_i (and biases) that minimise, over the training ratings,

        mean of (r_ui − r̂_ui)² + λ (|p_u|² + |q_i|² + b_u² + b_i²)

    so a user or item is regularised in proportion to its ratings. ``kind: biased`` adds
    μ + b_u + b_i to the product, μ being the mean of the training ratings and fixed.

    A new user is folded in by ridge regression on the fixed item side, which is the exact
    minimum of the same loss over p_u and b_u.

    Fitted state: ``user_`` and ``item_``, float32[n, dim + 1], the bias in the last column (0
    for ``dot``).
    """

    family = "mf"
    config: MFConfig
    config_class = MFConfig

    def _learner(self, data: Interactions) -> Learner:
        if self.config.engine in ("auto", "torch"):
            # torch is imported only when it trains.
            from cofilter.models.mf_torch import TorchFactors

            return TorchFactors(self.config, data, self._mean)
        raise ConfigError(f"mf.engine: {self.config.engine!r} is not known")

    def _epochs_matter(self) -> bool:
        return self.config.schedule == "cosine"

    def _set(self, parameters: Arrays) -> None:
        self.user_, self.item_ = parameters["user"], parameters["item"]

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.user_[user]

    @property
    def _mean(self) -> float:
        return self.biases_.mean if self.config.kind == "biased" else 0.0

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        scores = np.empty(len(row), np.float32)
        step = 1 << 18  # keeps the gathered factors in some hundred MB at most
        for start in range(0, len(row), step):
            p, q = users.state[row[start : start + step]], self.item_[item[start : start + step]]
            product = np.einsum("nd,nd->n", p[:, :-1], q[:, :-1])
            scores[start : start + step] = self._mean + p[:, -1] + q[:, -1] + product
        return scores, np.ones(len(row), bool)

    def _score_items(self, users: UserRows) -> np.ndarray:
        product = users.state[:, :-1] @ self.item_[:, :-1].T
        return product + (self._mean + users.state[:, -1:]) + self.item_[:, -1]

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        """Cosine of factors."""
        factors = self.item_[:, :-1]
        length = np.linalg.norm(factors, axis=1, keepdims=True)
        unit = np.divide(factors, length, out=np.zeros_like(factors), where=length > 0)
        return unit[item] @ unit.T

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        state = np.zeros((len(data.users), self.config.dim + 1), np.float32)
        order = np.argsort(data.user, kind="stable")
        bounds = np.searchsorted(data.user[order], np.arange(len(data.users) + 1))
        biased = self.config.kind == "biased"
        for person in range(len(data.users)):
            rows = order[bounds[person] : bounds[person + 1]]
            design = self.item_[item[rows]].astype(np.float64)
            target = data.rating[rows] - self._mean - design[:, -1]
            design[:, -1] = 1.0 if biased else 0.0
            # Normal equations of the class's loss: λ counts once a rating. The small floor makes
            # an unregularised system with fewer ratings than factors solvable.
            ridge = max(self.config.l2 * len(rows), 1e-6)
            normal = design.T @ design + ridge * np.eye(design.shape[1])
            state[person] = np.linalg.solve(normal, design.T @ target)
        return state

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"user": self.user_, "item": self.item_}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._set(arrays)
