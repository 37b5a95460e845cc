"""Configuration that all models share."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from cofilter.config import Config
from cofilter.models.bias import BiasConfig


class ModelConfig(Config):
    """What every model is told beside its own hyper-parameters.

    Attributes
    ----------
    scale:
        (lowest, highest) rating; predictions are clipped to it. None takes the extremes of the
        ratings that the model is fitted on.
    seed:
        Seed of every random choice; models without any ignore it.
    bias:
        How the user and item biases of the fallback are regularised.
    """

    scale: tuple[float, float] | None = None
    seed: int = 0
    bias: BiasConfig = BiasConfig()

    @model_validator(mode="after")
    def _ordered_scale(self) -> Self:
        if self.scale is not None and self.scale[0] >= self.scale[1]:
            raise ValueError(f"scale must be [lowest, highest], got {list(self.scale)}")
        return self
