"""What a model's scores depend on, and the metrics there are."""

from __future__ import annotations

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from cofilter.core.config import Config
from cofilter.metrics import ranking, rating


class ScoreConfig(Config):
    """What one model's scores depend on.

    Attributes
    ----------
    k:
        Lengths of the ranked lists.
    relevance_threshold:
        A held-out row rated at least this is relevant; None: every row.
    weighted:
        Whether a held-out row counts with its weight (`cofilter.metrics.ranking`).
    """

    k: tuple[PositiveInt, ...] = Field((5, 10, 20), min_length=1)
    relevance_threshold: float | None = None
    weighted: bool = False

    @model_validator(mode="after")
    def _different_lengths(self) -> Self:
        if len(set(self.k)) < len(self.k):
            raise ValueError(f"k {list(self.k)} names a length twice")
        return self


class PrimaryConfig(ScoreConfig):
    """What one model's scores depend on, and which of them models are compared by.

    Attributes
    ----------
    primary:
        Metric on warm rows that selects on validation and sorts the leaderboard; one of
        `metric_names`.
    """

    primary: str = "ndcg@10"

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
