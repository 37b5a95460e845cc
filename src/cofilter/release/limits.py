"""The ratings that a person may give to a model."""

from __future__ import annotations

from cofilter.recommender.base import Recommender


def rating_limits(model: Recommender) -> tuple[float, float] | None:
    """(lowest, highest) of a model with a scale of ratings; None: any number will do.

    A scale is one that was named, or that predictions are clipped to. Numbers that a model only
    ranks by may be counts, whose largest in the data is not the largest there can be.
    """
    bounded = model.config.scale is not None or model.predicts_ratings
    return model.scale_ if bounded else None
