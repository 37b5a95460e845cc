"""Hyper-parameters of Bayesian personalised ranking."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cofilter.models.bpr.kernels import triples as kernels
from cofilter.recommender.config import IterativeConfig


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

    dim: int = Field(64, gt=0)
    epochs: int = Field(150, gt=0)
    patience: int | None = Field(25, gt=0)
    lr: float = Field(0.02, gt=0)
    l2: float = Field(0.03, ge=0)
    init_std: float = Field(0.1, gt=0)
    negatives: Literal["uniform", "popularity"] = "popularity"
    power: float = Field(0.4, ge=0, le=2)
    tries: int = Field(1, gt=0, le=kernels.TRIES)
    min_rating: float | None = None
    fold_in_passes: int = Field(50, gt=0)
