"""Hyper-parameters of the baselines."""

from __future__ import annotations

from pydantic import Field

from cofilter.recommender.config import ModelConfig


class BaselineConfig(ModelConfig):
    """What the baseline group of the configuration says.

    Attributes
    ----------
    half_life_days:
        Days after which a rating counts half in `RecentPopularity`; the others have no use for
        it.
    """

    half_life_days: float = Field(90.0, gt=0)
