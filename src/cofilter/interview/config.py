"""Group ``ask`` of the configuration."""

from __future__ import annotations

from pydantic import PositiveInt

from cofilter.core.config import Config


class AskConfig(Config):
    """An interview.

    Attributes
    ----------
    model:
        family/point of a trained model.
    movies:
        How many to choose from, the most rated ones.
    at_least:
        Ratings that are needed.
    scale:
        Lowest and highest rating that a person may give.
    k:
        Length of the list.
    """

    model: str
    movies: PositiveInt
    at_least: PositiveInt
    scale: tuple[float, float]
    k: PositiveInt
