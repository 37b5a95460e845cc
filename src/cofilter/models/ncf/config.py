"""Hyper-parameters of the networks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from cofilter.recommender.config import DeviceConfig


class NCFConfig(DeviceConfig):
    """What both kinds of network are told.

    Attributes
    ----------
    dim:
        Length of a user's and of an item's embedding.
    hidden:
        Units of each hidden layer.
    dropout:
        Share of units left out at each training step; see the models for which.
    batch_size:
        Ratings a step; None: all of them in one step.
    weight_decay:
        Added to every gradient, times the parameter (Adam's L2).
    schedule:
        (epochs, learning rate) of fits in a row, each with Adam started anew; the last one's rate
        stays in force for as many epochs as there are.
    init_uniform, init_std:
        Embeddings start at U(low, high), or at N(0, init_std²) when there is no range. Layers
        start at U(±1/√inputs).
    fold_in_steps, fold_in_lr:
        Adam steps that a new user's embedding gets.
    threads:
        Of torch; its last bits depend on them.
    """

    dim: PositiveInt = 64
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (128, 64)
    dropout: float = Field(0.2, ge=0, le=0.95)
    batch_size: PositiveInt | None = 512
    weight_decay: float = Field(0.0, ge=0)
    schedule: Annotated[tuple[tuple[PositiveInt, PositiveFloat], ...], Field(min_length=1)] = (
        (8, 0.005),
        (4, 0.001),
    )
    init_uniform: tuple[float, float] | None = None
    init_std: float = Field(0.1, ge=0)
    fold_in_steps: PositiveInt = 30
    fold_in_lr: PositiveFloat = 0.05
    threads: PositiveInt = 1


class ImplicitNetworkConfig(NCFConfig):
    """Hyper-parameters of `ImplicitNetwork`.

    Attributes
    ----------
    n_negatives:
        Items drawn for each rating; one that the user has rated counts for nothing.
    negatives:
        Drawn uniformly, or in proportion to their number of ratings, so that popular items are
        not preferred for being popular.
    """

    epochs: int = Field(12, gt=0)
    patience: int | None = Field(3, gt=0)
    n_negatives: PositiveInt = 4
    negatives: Literal["uniform", "popularity"] = "uniform"


class RatingNetworkConfig(NCFConfig):
    """Hyper-parameters of `RatingNetwork`.

    Attributes
    ----------
    centred:
        Whether the network learns what is left when the mean rating is taken off.
    """

    dim: PositiveInt = 100
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (10,)
    dropout: float = Field(0.3, ge=0, le=0.95)
    batch_size: PositiveInt | None = 1024
    weight_decay: float = Field(1e-4, ge=0)
    schedule: Annotated[tuple[tuple[PositiveInt, PositiveFloat], ...], Field(min_length=1)] = (
        (20, 0.003),
        (20, 0.0005),
    )
    epochs: int = Field(40, gt=0)
    patience: int | None = Field(6, gt=0)
    centred: bool = True
