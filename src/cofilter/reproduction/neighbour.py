"""R4's way to recommend to a person: borrow the predictions of the user who agrees most."""

from __future__ import annotations

import pandas as pd

from cofilter.core.columns import ITEM, RATING, USER


def most_rated(ratings: pd.DataFrame, n: int) -> list[int | str]:
    """The n items with most ratings, most first; ties go to the smaller id."""
    counts = ratings[ITEM].value_counts().rename_axis(ITEM).reset_index(name="count")
    ordered = counts.sort_values(["count", ITEM], ascending=[False, True])
    return ordered[ITEM].head(n).tolist()


def borrowed_from(own: pd.DataFrame, others: pd.DataFrame, within: float) -> int | str:
    """The user who agrees with a person most often: whose rating of an item is near the person's.

    Parameters
    ----------
    own:
        The person's ratings.
    others:
        The ratings to look in; not empty.
    within:
        The largest difference that counts as agreement.

    Returns
    -------
    The user with the most agreements; the smallest id among equals, also when nobody agrees.
    """
    both = others.merge(own[[ITEM, RATING]], on=ITEM, suffixes=("", "_own"))
    near = both[(both[RATING] - both[f"{RATING}_own"]).abs() <= within]
    if near.empty:
        return others[USER].min()
    votes = near[USER].value_counts()
    return votes.index[votes == votes.max()].min()
