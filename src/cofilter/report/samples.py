"""A few predictions and recommendations with titles, for a person to look at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, TITLE, USER
from cofilter.core.parts import Parts
from cofilter.recommender.base import Recommender

USERS, LENGTH, ROWS = 5, 10, 50


def sample_predictions(
    model: Recommender, held_out: pd.DataFrame, titles: pd.Series
) -> pd.DataFrame:
    """Rating and prediction of evenly spaced rows; empty when the model predicts no ratings."""
    if not model.predicts_ratings or held_out.empty:
        return pd.DataFrame()
    rows = held_out.iloc[np.linspace(0, len(held_out) - 1, min(ROWS, len(held_out))).astype(int)]
    predicted = model.predict(rows[USER], rows[ITEM])
    table = rows[[USER, ITEM, RATING]].reset_index(drop=True)
    return table.assign(**{TITLE: rows[ITEM].map(titles).to_numpy(), "predicted": predicted})


def sample_recommendations(model: Recommender, parts: Parts, titles: pd.Series) -> pd.DataFrame:
    """The best items of the first users of train, what they rated left out; empty if it cannot."""
    if not model.ranks:
        return pd.DataFrame()
    users = np.sort(parts.train[USER].unique())[:USERS]
    seen = pd.concat([parts.train, parts.validation])
    exclude = seen[seen[USER].isin(users)]
    table = model.recommend(users, LENGTH, exclude_seen=False, exclude=exclude, as_frame=True)
    return table.assign(**{TITLE: table[ITEM].map(titles)})
