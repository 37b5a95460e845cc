"""The scale that models learn ratings on: settings mean the same whatever scale a source has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cofilter.core.matrix import Interactions
from cofilter.recommender.bias import Biases

LOWEST, HIGHEST = 1.0, 5.0  # of learned ratings; the defaults of all models are made for these
# Learned ratings are multiples of this. A float32 of 0.2 or 0.7 is off in its eighth digit, which
# would decide ties between neighbours otherwise than the same rating on another scale.
STEP = 2.0**-16


@dataclass(frozen=True)
class LearningScale:
    """Maps ratings r of a source to those that a model learns, and what it learned back:

        x = (r − zero) / unit

    Attributes
    ----------
    zero:
        Rating that is learned as 0.
    unit:
        Length of 1 in ratings of the source, above 0.
    limits:
        (lowest, highest) rating as learned.
    """

    zero: float
    unit: float
    limits: tuple[float, float]

    @classmethod
    def of(cls, scale: tuple[float, float], unit: float | None = None) -> LearningScale:
        """Of a scale (lowest, highest), which is learned as 1 to 5, so that its unit is a quarter.

        Where both ends are one rating it is learned as 1. A ``unit`` that is given only divides:
        0 is learned as 0.
        """
        low, high = scale
        if unit is not None:
            return cls(0.0, unit, (low / unit, high / unit))
        if low == high:
            return cls(low - LOWEST, 1.0, (LOWEST, LOWEST))
        unit = (high - low) / (HIGHEST - LOWEST)
        return cls(low - LOWEST * unit, unit, (LOWEST, HIGHEST))

    @property
    def is_identity(self) -> bool:
        """Whether ratings are learned as they are."""
        return (self.zero, self.unit) == (0.0, 1.0)

    def learned(self, data: Interactions) -> Interactions:
        """The same rows with their ratings as they are learned, to the nearest `STEP`."""
        if self.is_identity:
            return data
        learned = (data.rating.astype(np.float64) - self.zero) / self.unit
        return replace(data, rating=(np.rint(learned / STEP) * STEP).astype(np.float32))

    def ratings(self, learned: np.ndarray) -> np.ndarray:
        """Ratings of the source, of the same shape, dtype kept."""
        return learned if self.is_identity else self.zero + self.unit * learned

    def biases(self, learned: Biases) -> Biases:
        """Biases in ratings of the source."""
        if self.is_identity:
            return learned
        mean = self.zero + self.unit * learned.mean
        return replace(
            learned, mean=mean, user=self.unit * learned.user, item=self.unit * learned.item
        )


AS_THEY_ARE = LearningScale.of((LOWEST, HIGHEST))
