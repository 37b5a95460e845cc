"""The ratings that a person may give to a model."""

from __future__ import annotations

from cofilter.recommender.base import Recommender


def rating_limits(model: Recommender) -> tuple[float, float] | None:
    """(lowest, highest) of a model that learned ratings on a scale; None: any number will do.

    Counts and clicks have no scale: the largest count of the data is not the largest there can be.
    """
    bounded = model.config.scale is not None or model.predicts_ratings or model.needs_ratings
    return model.scale_ if bounded else None
