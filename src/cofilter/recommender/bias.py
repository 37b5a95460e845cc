"""Regularised user and item biases: a baseline, the centring of KNN and everybody's fallback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from cofilter.core.config import Config
from cofilter.core.matrix import UNKNOWN, Interactions
from cofilter.recommender.variance import shrinkage


def _said_once(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """One line for a value that is neither of a union's types."""
    try:
        return validate(value)
    except ValidationError:
        raise ValueError("a number from 0 up, or auto, is expected") from None


Shrinkage = Annotated[Annotated[float, Field(ge=0)] | Literal["auto"], WrapValidator(_said_once)]
USER_REGULARIZATION, ITEM_REGULARIZATION = 15.0, 10.0


class BiasConfig(Config):
    """Regularisation of the biases, in pseudo-ratings of zero deviation.

    Attributes
    ----------
    user_regularization, item_regularization:
        λ_user and λ_item below. ``auto``: the ratio of the variance of a rating's noise to that
        of the users' or items' effects, estimated from the ratings by moments
        (`cofilter.recommender.variance`), which is the empirical Bayes estimate. Where the
        ratings cannot tell, it is the default.
    iterations:
        Alternating passes; ten are enough for the third decimal of a rating.
    """

    user_regularization: Shrinkage = USER_REGULARIZATION
    item_regularization: Shrinkage = ITEM_REGULARIZATION
    iterations: int = Field(default=10, gt=0)

    def resolved(self, data: Interactions) -> tuple[float, float]:
        """(λ_user, λ_item) for these ratings."""
        given = self.user_regularization, self.item_regularization
        found = shrinkage(data) if "auto" in given else None
        estimated = found or (USER_REGULARIZATION, ITEM_REGULARIZATION)
        user, item = (
            own if side == "auto" else side for side, own in zip(given, estimated, strict=True)
        )
        return user, item


@dataclass(frozen=True)
class Biases:
    """Fitted biases: rating ≈ mean + user + item; float64 throughout.

    Computed by alternating least squares (Koren 2010, "Factor in the Neighbors", section 2.1):

        b_i = Σ_u (r_ui − μ − b_u) / (λ_item + n_i),   b_u = Σ_i (r_ui − μ − b_i) / (λ_user + n_u)
    """

    mean: float
    user: np.ndarray
    item: np.ndarray
    user_regularization: float

    @classmethod
    def fit(cls, data: Interactions, config: BiasConfig) -> Biases:
        """Fit to all rows; with no rows the mean is 0 and there are no biases."""
        from cofilter.recommender.kernels.bias import summed_residuals

        n_users, n_items = data.shape
        mean = float(data.rating.mean(dtype=np.float64)) if len(data) else 0.0
        deviation = data.rating.astype(np.float64) - mean
        user_regularization, item_regularization = config.resolved(data)
        user_weight = np.bincount(data.user, minlength=n_users) + user_regularization
        item_weight = np.bincount(data.item, minlength=n_items) + item_regularization
        user, item = np.zeros(n_users), np.zeros(n_items)
        for _ in range(config.iterations):
            item = summed_residuals(data.item, data.user, deviation, user, n_items) / item_weight
            user = summed_residuals(data.user, data.item, deviation, item, n_users) / user_weight
        return cls(mean, user, item, user_regularization)

    def of_new_users(self, data: Interactions, item: np.ndarray) -> np.ndarray:
        """User biases float64[users of data] with everything else fixed.

        ``item`` holds, for each row of ``data``, the item's index in this model.
        """
        n_users = len(data.users)
        error = data.rating.astype(np.float64) - self.mean - self.item[item]
        weight = np.bincount(data.user, minlength=n_users) + self.user_regularization
        total = np.bincount(data.user, error, n_users)
        return np.divide(total, weight, out=np.zeros(n_users), where=weight > 0)

    def predict(self, user_bias: np.ndarray, item: np.ndarray) -> np.ndarray:
        """mean + user + item, float64[n]; an unknown item counts as average."""
        if not len(self.item):
            return self.mean + user_bias
        return self.mean + user_bias + np.where(item == UNKNOWN, 0.0, self.item[item])

    def user_bias(self, user: np.ndarray) -> np.ndarray:
        """Bias of each user index, float64[n]; an unknown user counts as average."""
        if not len(self.user):
            return np.zeros(len(user))
        return np.where(user == UNKNOWN, 0.0, self.user[user])
