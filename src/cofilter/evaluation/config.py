"""Group ``evaluate`` of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from cofilter.core.config import Config
from cofilter.scoring.config import PrimaryConfig


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

    resamples: int = Field(default=10_000, ge=100)
    confidence_level: float = Field(default=0.95, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)


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

    revealed: tuple[NonNegativeInt, ...] = Field(default=(0, 1, 3, 5, 10, 20), min_length=1)
    max_users: PositiveInt = 200
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.revealed) != sorted(set(self.revealed)):
            raise ValueError(f"revealed {list(self.revealed)} is not ascending")
        return self


class RerankingCurves(Config):
    """Group ``evaluate.reranking``: what of the shipped model is scored re-ranked.

    Attributes
    ----------
    strengths:
        Of the curves, each for each kind; empty: no curves.
    mmr, popularity, genres:
        The strength of the kind that stands under the leaderboard; None: none.
    depth:
        How many of the model's best items a list is made of.
    """

    strengths: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.1, 0.3, 0.5, 0.7, 0.9)
    mmr: float | None = Field(default=0.5, gt=0, le=1)
    popularity: float | None = Field(default=0.3, gt=0, le=1)
    genres: float | None = Field(default=0.3, gt=0, le=1)
    depth: PositiveInt = 100

    @property
    def listed(self) -> dict[str, float]:
        """Strength by kind of what stands under the leaderboard."""
        named = {"mmr": self.mmr, "popularity": self.popularity, "genres": self.genres}
        return {kind: strength for kind, strength in named.items() if strength is not None}

    def scored(self, kind: str) -> list[float]:
        """All strengths of a kind, ascending."""
        listed = self.listed
        return sorted({*self.strengths, *([listed[kind]] if kind in listed else [])})


class FaithfulnessConfig(Config):
    """Group ``evaluate.faithfulness``: on whom it is measured how true explanations are.

    Attributes
    ----------
    max_users:
        Warm test users whose first recommendation is explained; 0: nothing is measured.
    work:
        Operations that a model may take (`Recommender.folding_work`), by which fewer users take
        part of one that folds in slowly: the same ones on every machine.
    """

    max_users: NonNegativeInt = 100
    work: float = Field(default=3e10, gt=0)


class EvaluateConfig(PrimaryConfig):
    """Group ``evaluate``.

    Attributes
    ----------
    select_on:
        What chooses the model to ship, by the primary metric: ``backtest``, among the methods that
        took part in it (where there is none, validation), or ``validation``.
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
    reranking:
        Of the shipped model's lists once more, re-ranked.
    faithfulness:
        Of how true explanations are (`cofilter.evaluation.faithfulness`).
    """

    select_on: Literal["backtest", "validation"] = "backtest"
    min_users: int = Field(200, ge=0)
    uncertainty: UncertaintyConfig = UncertaintyConfig()
    bands: PositiveInt = 5
    calibration_bins: PositiveInt = 10
    diversity_dim: PositiveInt = 32
    cold_start: ColdStartConfig = ColdStartConfig()
    reranking: RerankingCurves = RerankingCurves()
    faithfulness: FaithfulnessConfig = FaithfulnessConfig()
