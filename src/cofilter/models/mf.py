"""Matrix factorization trained by gradient: dot product, with or without biases."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from cofilter.kernels.ridge import ridge_rows
from cofilter.matrix import Interactions
from cofilter.models.device import resolve_device
from cofilter.models.factors import FactorRecommender
from cofilter.models.iterative import DeviceConfig
from cofilter.models.learner import Learner
from cofilter.models.people import UserState

FUSED_OPTIMIZERS = ("adagrad", "sgd", "gd")
FIRST_SQUARES = 0.1  # AdaGrad's sums at the start, so that the first rates are about 3 · lr


class MFConfig(DeviceConfig):
    """Hyper-parameters of `MatrixFactorization`.

    Attributes
    ----------
    kind:
        ``biased``: μ + b_u + b_i + p_u·q_i (Koren, Bell and Volinsky 2009); ``dot``: p_u·q_i;
        ``item_centred``: m_i + p_u·q_i, m_i the item's mean rating; ``svdpp``: see `SVDPlusPlus`.
    dim:
        Length of the factors.
    optimizer, lr:
        ``adagrad``: AdaGrad with one rate a row (Duchi, Hazan and Singer 2011); ``sgd``: plain;
        both step by half the gradient of the loss summed over a batch. ``adam`` (Kingma and Ba
        2015): by its mean over a batch; torch engine only. ``gd``: full-batch gradient descent,
        for ``item_centred`` and only there.
    batch_size:
        Ratings a step of the torch engine, None: all of them. The fused engine steps after each
        rating (``gd``: after all).
    l2:
        λ of the loss.
    schedule:
        ``constant``; ``exponential``: lr · decay^(epoch − 1); ``cosine``: from lr to 0 over
        ``epochs`` (the only one that reads their number). Or (epochs, learning rate) of fits in a
        row, each with Adam started anew; the last rate stays in force, and ``lr`` is not read.
    decay:
        Factor an epoch of the exponential schedule.
    init_uniform, init_std:
        The factors start at U(low, high), or at N(0, init_std²) when there is no range.
    bias_uniform:
        The biases start at U(low, high); None: at 0.
    centred:
        Whether μ is part of ``biased`` and ``svdpp``; False leaves the level to the biases.
    weight_decay:
        Added to every gradient, times the parameter (Adam's L2), once a step whatever the batch.
    propensity:
        Power of the inverse-propensity weights (see `item_weights`); None: all ratings count alike.
    engine, threads:
        How it is trained; ``auto`` takes the fused CPU kernels where it is trained on the CPU by
        an optimizer that they have, torch otherwise. ``threads`` are torch's, whose last bits
        depend on their number.
    """

    kind: Literal["biased", "dot", "svdpp", "item_centred"]
    dim: int = Field(gt=0)
    optimizer: Literal["adagrad", "sgd", "adam", "gd"]
    lr: float = Field(gt=0)
    batch_size: int | None = Field(gt=0)
    l2: float = Field(ge=0)
    schedule: (
        Literal["constant", "exponential", "cosine"]
        | Annotated[tuple[tuple[PositiveInt, PositiveFloat], ...], Field(min_length=1)]
    )
    decay: float = Field(gt=0, le=1)
    init_uniform: tuple[float, float] | None
    init_std: float = Field(ge=0)
    bias_uniform: tuple[float, float] | None
    centred: bool
    weight_decay: float = Field(ge=0)
    propensity: float | None = Field(gt=0)
    engine: Literal["auto", "torch", "fused"] = "auto"
    threads: int = Field(1, gt=0)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.kind == "item_centred") != (self.optimizer == "gd"):
            raise ValueError(
                f"optimizer {self.optimizer!r} with kind {self.kind!r}: "
                "item_centred takes gd, and the other kinds take adagrad, sgd or adam"
            )
        if self.optimizer == "gd" and self.batch_size is not None:
            raise ValueError(f"batch_size {self.batch_size} with optimizer 'gd': null is expected")
        if self.adam_alone and (self.optimizer != "adam" or self.kind == "svdpp"):
            raise ValueError(
                f"{', '.join(self.adam_alone)} with optimizer {self.optimizer!r} and kind "
                f"{self.kind!r}: adam and dot or biased are expected"
            )
        if self.engine == "fused" and self.optimizer not in FUSED_OPTIMIZERS:
            have = ", ".join(FUSED_OPTIMIZERS)
            raise ValueError(f"optimizer {self.optimizer!r} with engine 'fused', which has {have}")
        if self.engine == "fused" and self.device not in ("auto", "cpu"):
            raise ValueError(f"engine 'fused' with device {self.device!r}: it runs on the cpu only")
        return self

    @property
    def adam_alone(self) -> list[str]:
        """Names of the settings in use that only the torch engine's Adam has."""
        used = {
            "init_uniform": self.init_uniform is not None,
            "bias_uniform": self.bias_uniform is not None,
            "weight_decay": self.weight_decay > 0,
            "schedule": not isinstance(self.schedule, str),
        }
        return [name for name, is_used in used.items() if is_used]

    def starts_anew(self, epoch: int) -> bool:
        """Whether this epoch is the first of a later fit in a row, where Adam forgets."""
        if isinstance(self.schedule, str):
            return False
        lengths = [epochs for epochs, _ in self.schedule[:-1]]
        return epoch - 1 in accumulate(lengths)

    def learning_rate(self, epoch: int) -> float:
        """By the schedule; epochs count from 1."""
        if not isinstance(self.schedule, str):
            ends = accumulate(epochs for epochs, _ in self.schedule[:-1])
            return self.schedule[sum(epoch > end for end in ends)][1]
        if self.schedule == "exponential":
            return self.lr * self.decay ** (epoch - 1)
        if self.schedule == "cosine":
            return self.lr * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / self.epochs))
        return self.lr

    def resolved_engine(self) -> str:
        """``fused`` or ``torch``."""
        if self.engine != "auto":
            return self.engine
        fused = self.optimizer in FUSED_OPTIMIZERS and resolve_device(self.device) == "cpu"
        return "fused" if fused else "torch"


class MatrixFactorization(FactorRecommender):
    """Factors p_u, q_i (and biases) that minimise, over the training ratings,

        mean of w_i (r_ui − r̂_ui)² + λ (|p_u|² + |q_i|² + b_u² + b_i²)

    so a user or item is regularised in proportion to its ratings. ``kind: biased`` adds
    μ + b_u + b_i to the product, μ being the mean of the training ratings and fixed (0 unless
    ``centred``). The weights w_i are 1 unless ``propensity`` is set.

    ``kind: item_centred`` takes each item's mean off first, adds it back to predict, and counts λ
    once a row instead of once a rating:

        ½ Σ w_i (r_ui − m_i − p_u·q_i)² + λ/2 (Σ_u |p_u|² + Σ_i |q_i|²)

    minimised by gradient descent on all ratings and both sides at once. Its loss is shown
    divided by the number of ratings.

    ``weight_decay`` δ adds δ/2 Σ of all squared parameters to the mean.

    A new user is folded in by ridge regression on the fixed item side, which is the exact
    minimum of the same loss over p_u and b_u.

    Fitted state: ``user_`` and ``item_``, float32[n, dim + 1], the bias in the last column (0
    for ``dot``; for ``item_centred`` 0 and the item's mean).
    """

    family = "mf"
    config: MFConfig
    config_class = MFConfig

    def _learner(self, data: Interactions) -> Learner:
        # An engine is imported only when it trains: torch takes seconds.
        if self.config.resolved_engine() == "torch":
            from cofilter.models.mf_torch import TorchFactors

            return TorchFactors(self.config, data, self._mean)
        from cofilter.models.mf_fused import FusedDescent, FusedFactors

        learner = FusedDescent if self.config.optimizer == "gd" else FusedFactors
        return learner(self.config, data, self._mean)

    def _code(self) -> tuple[str, ...]:
        return ("cofilter.kernels.sgd", "cofilter.kernels.blocks")

    def _epochs_matter(self) -> bool:
        return self.config.schedule == "cosine"

    @property
    def _mean(self) -> float:
        has_mean = self.config.kind in ("biased", "svdpp") and self.config.centred
        return self.biases_.mean if has_mean else 0.0

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
        weight = item_weights(self.popularity_, self.config.propensity)
        biased = self.config.kind in ("biased", "svdpp")
        rows = item[order].astype(np.int32), target[order], self.item_
        return ridge_rows(start, *rows, weight, penalty, float(biased)).astype(np.float32)


def item_weights(popularity: np.ndarray, power: float | None) -> np.ndarray:
    """Inverse-propensity weight of each item's ratings, float64[items] (Schnabel et al. 2016).

    w_i ∝ (n_i / max n)^−power with n_i the ratings of item i, scaled so that the mean over all
    ratings is 1; all 1 for None. It takes off how much oftener popular items are rated.
    """
    if power is None:
        return np.ones(len(popularity))
    propensity = (np.maximum(popularity, 1) / popularity.max()) ** power
    return popularity.sum() / (popularity / propensity).sum() / propensity


def item_means(data: Interactions) -> np.ndarray:
    """Mean rating of each item, float64[items]."""
    count = np.bincount(data.item, minlength=len(data.items))
    return np.bincount(data.item, data.rating, len(data.items)) / np.maximum(count, 1)
