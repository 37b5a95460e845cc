"""Returns and cancelled orders: negative numbers in a log of counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import DataError
from cofilter.core.feedback import feedback_of
from cofilter.preparation.duplicates import Policy


def refuse_returns(
    ratings: pd.DataFrame, policy: Policy, scale: Sequence[float] | None = None
) -> None:
    """Refuse negative numbers that look like returns and that no rule settles.

    They look so where all numbers are whole and those above 0, by themselves, are clicks or counts
    (`cofilter.core.feedback.feedback_of`). The policy ``sum`` nets them, and a scale that the
    source names makes them ratings.

    Raises
    ------
    DataError
        Names the first such row.
    """
    rating = ratings[RATING].to_numpy()
    negative = rating < 0
    if policy == "sum" or scale is not None or not negative.any():
        return
    if (rating != np.floor(rating)).any() or feedback_of(rating[rating > 0]) == "ratings":
        return
    at = int(negative.argmax())
    user, item = (ratings[name].iloc[at : at + 1].tolist()[0] for name in (USER, ITEM))
    raise DataError(
        f"{int(negative.sum()):,} of {len(rating):,} numbers are negative among counts, first "
        f"{rating[at]:g} of user {user!r} for item {item!r}, row {at + 1} of the filtered ratings "
        "(counted from 1). Returns: split.duplicates=sum nets them, filter.min_rating=1 leaves "
        "them out; ratings: name their scale in data.scale, such as [-10, 10]"
    )
