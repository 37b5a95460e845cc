"""The ratings that a person may give to a model."""

from __future__ import annotations

import numpy as np

from cofilter.recommender.base import Recommender

_LARGEST = float(np.finfo(np.float32).max)


def rating_limits(model: Recommender) -> tuple[float, float] | None:
    """(lowest, highest) of a model with a scale of ratings; None: any number will do.

    A scale is one that was named, or that predictions are clipped to. Numbers that a model only
    ranks by may be counts, whose largest in the data is not the largest there can be.
    """
    bounded = model.config.scale is not None or model.predicts_ratings
    return model.scale_ if bounded else None


def why_not(model: Recommender, rating: float) -> str | None:
    """What a model expects in place of a rating that nobody can give to it; None of a good one."""
    limits = rating_limits(model)
    if limits is None:
        return None if abs(rating) <= _LARGEST else "a number is expected"
    low, high = limits
    return None if low <= rating <= high else f"a number from {low:g} to {high:g} is expected"
