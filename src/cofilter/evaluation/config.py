"""Group ``evaluate`` of the configuration, and the metrics it chooses from."""

from __future__ import annotations

from typing import Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from cofilter.config import Config
from cofilter.metrics import ranking, rating


class UncertaintyConfig(Config):
    """Group ``evaluate.uncertainty``.

    Attributes
    ----------
    resamples:
        Bootstrap resamples of the users, and random patterns of signs of a permutation test.
    confidence_level:
        Of the intervals; a corrected p below 1 − level tells a model from the best one.
    seed:
        Names the resamples.
    """

    resamples: int = Field(ge=100)
    confidence_level: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)


class ColdStartConfig(Config):
    """Group ``evaluate.cold_start``.

    Attributes
    ----------
    revealed:
        How many of a new user's first ratings are folded in, ascending.
    max_users:
        At most so many new users take part.
    seed:
        Of the draw among more.
    """

    revealed: tuple[NonNegativeInt, ...] = Field(min_length=1)
    max_users: PositiveInt
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.revealed) != sorted(set(self.revealed)):
            raise ValueError(f"revealed {list(self.revealed)} is not ascending")
        return self


class ScoreConfig(Config):
    """What one model's scores depend on.

    Attributes
    ----------
    k:
        Lengths of the ranked lists.
    relevance_threshold:
        A held-out row rated at least this is relevant; None: every row.
    """

    k: tuple[PositiveInt, ...] = Field(min_length=1)
    relevance_threshold: float | None

    @model_validator(mode="after")
    def _different_lengths(self) -> Self:
        if len(set(self.k)) < len(self.k):
            raise ValueError(f"k {list(self.k)} names a length twice")
        return self


class EvaluateConfig(ScoreConfig):
    """Group ``evaluate``.

    Attributes
    ----------
    primary:
        Metric that selects on validation and sorts the leaderboard, warm rows; one of
        `metric_names`.
    min_users:
        With fewer evaluable warm users the leaderboard is headed "too few users to rank".
    uncertainty:
        Of the leaderboard's intervals and tests.
    bands:
        How many bands of users by activity and of items by popularity.
    calibration_bins:
        How many bins of predicted ratings.
    diversity_dim:
        Length of the items' factors that intra-list diversity is measured by.
    cold_start:
        Of the curves for users first seen in test.
    """

    primary: str
    min_users: int = Field(ge=0)
    uncertainty: UncertaintyConfig
    bands: PositiveInt
    calibration_bins: PositiveInt
    diversity_dim: PositiveInt
    cold_start: ColdStartConfig

    @model_validator(mode="after")
    def _known_primary(self) -> Self:
        if self.primary not in metric_names(self):
            raise ValueError(
                f'primary "{self.primary}" is not allowed: one of '
                f"{', '.join(metric_names(self))} is expected (k comes from the key k)"
            )
        return self

    @property
    def list_length(self) -> int:
        """The primary's k, or the first k when the primary has none."""
        _, _, k = self.primary.partition("@")
        return int(k) if k else self.k[0]


def metric_names(config: ScoreConfig) -> tuple[str, ...]:
    """Metrics that can be the primary, in the order of files: rmse, …, precision@5, …, ndcg@20."""
    ranked = (f"{name}@{k}" for name in ranking.DEFINITIONS for k in config.k)
    return (*rating.DEFINITIONS, *ranked)


def lower_is_better(metric: str) -> bool:
    """Whether the metric is an error."""
    return metric in rating.DEFINITIONS
