"""What a model answers, with titles, as rows that are printed or sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, USER
from cofilter.core.matrix import as_ids
from cofilter.recommender.inputs import Users
from cofilter.recommender.people import People
from cofilter.release.opened import Opened
from cofilter.reranking.config import RerankingConfig
from cofilter.reranking.reranker import Reranker

Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Rows, and what is to be known of them."""

    rows: list[Row]
    notes: list[str] = field(default_factory=list)


def recommended(
    opened: Opened,
    user: Users,
    k: int,
    *,
    exclude: Sequence[int | str] = (),
    reasons: int = 0,
    reranking: RerankingConfig | None = None,
) -> Answer:
    """A list for one user: rank, item, title, genres, score, perhaps predicted and because.

    Parameters
    ----------
    user:
        One known user's id, or `People` of one person.
    exclude:
        Further items that are left out.
    reasons:
        How many of the user's own ratings are named for each item.
    reranking:
        How the list is re-ranked; None: it is the model's own.
    """
    model = opened.model
    ids = user.ids if isinstance(user, People) else as_ids(user)
    out = pd.DataFrame({USER: np.repeat(ids, len(exclude)), ITEM: exclude}) if exclude else None
    if reranking is None:
        frame = model.recommend(user, k, exclude=out, as_frame=True)
    else:
        reranker = Reranker(model, opened.catalogue.genres_by_item())
        frame = reranker.recommend(user, k, reranking, exclude=out, as_frame=True)
    items = frame[ITEM].tolist()
    rows: list[Row] = [
        {"rank": at, **opened.catalogue.described(item), "score": float(score)}
        for at, (item, score) in enumerate(zip(items, frame["score"], strict=True), 1)
    ]
    if model.predicts_ratings and items:  # clipped to the scale, as scores are not
        for row, rating in zip(rows, model.predict(user, items), strict=True):
            row["predicted"] = float(rating)
    if reasons and items:
        for row, item in zip(rows, items, strict=True):
            row["because"] = [each["title"] for each in explained(opened, user, item, reasons)[0]]
    return Answer(rows, _notes(opened, user))


def similar(opened: Opened, item: int | str, k: int) -> list[Row]:
    """The items most similar to one: rank, item, title, genres, similarity (None: popularity's)."""
    items, scores, filled = opened.model.similar_items(item, k, return_fallback=True)
    found = zip(items[0].tolist(), scores[0].tolist(), filled[0].tolist(), strict=True)
    return [
        {"rank": at, **opened.catalogue.described(each), "similarity": None if popular else score}
        for at, (each, score, popular) in enumerate(found, 1)
        if np.isfinite(score)
    ]


def predicted(opened: Opened, user: Users, items: Sequence[int | str]) -> list[Row]:
    """Ratings of items: item, title, genres, predicted, perhaps std, and fallback."""
    model = opened.model
    if model.knows_std:
        rating, std, fallback = model.predict(user, items, return_std=True, return_fallback=True)
    else:
        rating, fallback = model.predict(user, items, return_fallback=True)
        std = None
    rows = []
    for at, item in enumerate(items):
        row = opened.catalogue.described(item) | {"predicted": float(rating[at])}
        if std is not None:
            row["std"] = None if np.isnan(std[at]) else float(std[at])
        rows.append(row | {"fallback": bool(fallback[at])})
    return rows


def explained(opened: Opened, user: Users, item: int | str, n: int) -> tuple[list[Row], list[str]]:
    """The own ratings that carried an item, largest share first: item, title, genres, share."""
    because, shares = opened.model.explain(user, item, n)
    found = zip(because[0].tolist(), shares[0].tolist(), strict=True)
    rows = [
        opened.catalogue.described(each) | {"share": share} for each, share in found if share != 0
    ]
    return rows, [] if rows else ["no rating of this user carries it: popularity answers"]


def _notes(opened: Opened, user: Users) -> list[str]:
    """What a person should know of a list."""
    _, _, fallback = opened.model.rank(user, 1, return_fallback=True)
    if not fallback[0]:
        return []
    return ["the model has no answer of its own for this user: these are the most popular items"]
