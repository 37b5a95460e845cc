"""Which kind of feedback a log holds: ratings, clicks or counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Feedback = Literal["ratings", "clicks", "counts"]


def feedback_of(rating: np.ndarray, scale: Sequence[float] | None = None) -> Feedback:
    """What the numbers of a log are, by the numbers alone.

    - ``clicks``: all are equal, so they say nothing but that something happened.
    - ``ratings``: a source names their scale.
    - ``counts``: whole numbers from 1 that thin out upwards, as repeated events do: at least half
      of them are 1, or their mean is at least twice their median.
    - ``ratings`` otherwise.

    Parameters
    ----------
    rating:
        Number of each row; a single row is a rating, since it cannot be told.
    scale:
        (lowest, highest) rating that the source names; that of real counts is not known.
    """
    if len(rating) < 2:
        return "ratings"
    lowest = rating.min()
    if lowest == rating.max():
        return "clicks"
    if scale is None and lowest >= 1 and (rating == np.floor(rating)).all():
        thins_out = np.mean(rating == 1) >= 0.5 or rating.mean() >= 2 * np.median(rating)
        return "counts" if thins_out else "ratings"
    return "ratings"
