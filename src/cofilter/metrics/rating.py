"""Accuracy of predicted ratings: pooled over rows, and as a mean over users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DEFINITIONS = {
    "rmse": "√(mean of (rating − prediction)²) over all rows pooled; lower is better.",
    "mae": "Mean of |rating − prediction| over all rows pooled; lower is better.",
    "user_rmse": "Mean over users of each user's own RMSE; lower is better.",
    "user_mae": "Mean over users of each user's own MAE; lower is better.",
}


@dataclass(frozen=True)
class UserErrors:
    """Sums of errors a user: what every rating metric, and a bootstrap over users, needs.

    Attributes
    ----------
    rows:
        int64[users], rated rows of each user, or float64[users], the sum of their weights; 0 for a
        user without any.
    squared, absolute:
        float64[users], Σ w (rating − prediction)² and Σ w |rating − prediction|, w = 1 without
        weights.
    """

    rows: np.ndarray
    squared: np.ndarray
    absolute: np.ndarray

    def rmse(self) -> float | None:
        """√(Σ squared / Σ rows); None without rows."""
        n = self.rows.sum()
        return float(np.sqrt(self.squared.sum() / n)) if n else None

    def mae(self) -> float | None:
        """Σ absolute / Σ rows; None without rows."""
        n = self.rows.sum()
        return float(self.absolute.sum() / n) if n else None

    def user_rmse(self) -> float | None:
        """Mean of √(squared / rows) over the users that have rows; None without rows."""
        return self._mean("user_rmse")

    def user_mae(self) -> float | None:
        """Mean of absolute / rows over the users that have rows; None without rows."""
        return self._mean("user_mae")

    def by_user(self) -> dict[str, np.ndarray]:
        """float64[users] of ``user_rmse`` and ``user_mae``; NaN for a user without rows."""
        rows = np.where(self.rows > 0, self.rows, np.nan)
        return {"user_rmse": np.sqrt(self.squared / rows), "user_mae": self.absolute / rows}

    def _mean(self, name: str) -> float | None:
        each = self.by_user()[name][self.rows > 0]
        return float(each.mean()) if len(each) else None

    def metrics(self) -> dict[str, float | None]:
        """Every metric of `DEFINITIONS`, in its order."""
        return {name: getattr(self, name)() for name in DEFINITIONS}


def errors_by_user(
    user: np.ndarray,
    truth: np.ndarray,
    predicted: np.ndarray,
    n_users: int,
    weight: np.ndarray | None = None,
) -> UserErrors:
    """Sum the errors of rated rows by user.

    Parameters
    ----------
    user:
        int[n], index of each row's user, in 0 … n_users − 1.
    truth, predicted:
        float[n]; differences are taken in float64.
    weight:
        float64[n], how much each row counts: with inverse propensities the errors are
        self-normalised inverse propensity scores, √(Σ w (r − r̂)² / Σ w); None: all alike.

    No rows give zeros, and no users empty arrays.
    """
    error = np.asarray(truth, np.float64) - np.asarray(predicted, np.float64)
    w = 1.0 if weight is None else weight
    rows = np.bincount(user, weight, n_users)
    return UserErrors(
        rows if weight is None else rows.astype(np.float64),
        np.bincount(user, w * error**2, n_users).astype(np.float64),
        np.bincount(user, w * np.abs(error), n_users).astype(np.float64),
    )


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float | None:
    """Root of the mean squared error, √(Σ (r − r̂)² / n), pooled; None without rows."""
    return errors_by_user(np.zeros(len(truth), np.int64), truth, predicted, 1).rmse()


def mae(truth: np.ndarray, predicted: np.ndarray) -> float | None:
    """Mean absolute error, Σ |r − r̂| / n, pooled; None without rows."""
    return errors_by_user(np.zeros(len(truth), np.int64), truth, predicted, 1).mae()
