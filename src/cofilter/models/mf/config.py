"""Hyper-parameters of matrix factorization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from cofilter.recommender.config import DeviceConfig
from cofilter.recommender.device import resolve_device

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

    kind_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "dot": {"l2": 0.06, "epochs": 100},
        "item_centred": {
            "optimizer": "gd",
            "batch_size": None,
            "lr": 0.003,
            "l2": 8.0,
            "init_std": 0.01,
            "epochs": 1000,
            "patience": 50,
        },
        "svdpp": {
            "optimizer": "sgd",
            "lr": 0.015,
            "schedule": "exponential",
            "decay": 0.97,
            "l2": 0.08,
            "batch_size": 16384,
        },
    }

    kind: Literal["biased", "dot", "svdpp", "item_centred"] = "biased"
    dim: int = Field(50, gt=0)
    epochs: int = Field(60, gt=0)
    patience: int | None = Field(10, gt=0)
    optimizer: Literal["adagrad", "sgd", "adam", "gd"] = "adagrad"
    lr: float = Field(0.03, gt=0)
    batch_size: int | None = Field(1024, gt=0)
    l2: float = Field(0.1, ge=0)
    schedule: (
        Literal["constant", "exponential", "cosine"]
        | Annotated[tuple[tuple[PositiveInt, PositiveFloat], ...], Field(min_length=1)]
    ) = "constant"
    decay: float = Field(0.95, gt=0, le=1)
    init_uniform: tuple[float, float] | None = None
    init_std: float = Field(0.03, ge=0)
    bias_uniform: tuple[float, float] | None = None
    centred: bool = True
    weight_decay: float = Field(0.0, ge=0)
    propensity: float | None = Field(None, gt=0)
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
