"""What a model answers, with titles, as rows that are printed or sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cofilter.core.errors import CapabilityError
from cofilter.core.matrix import UNKNOWN
from cofilter.recommender.base import Recommender
from cofilter.recommender.inputs import Users
from cofilter.recommender.sparse import ItemLists
from cofilter.release.opened import Opened
from cofilter.reranking.config import RerankingConfig

Row = dict[str, Any]
ONLY_POPULAR = "the model has no answer of its own for this user: these are the most popular items"


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
    if not model.ranks:
        raise CapabilityError(f"{type(model).__name__} does not rank, it only predicts ratings")
    index, scores, own = _ranked(opened, user, k, _left_out(model, user, exclude), reranking)
    items = model.items_.ids[index].tolist()
    rows: list[Row] = [
        {"rank": at, **opened.catalogue.described(item), "score": score}
        for at, (item, score) in enumerate(zip(items, scores.tolist(), strict=True), 1)
    ]
    if model.predicts_ratings and items:  # clipped to the scale, as scores are not
        for row, rating in zip(rows, model.predict(user, items), strict=True):
            row["predicted"] = float(rating)
    if reasons and items:
        for row, item in zip(rows, items, strict=True):
            row["because"] = [each["title"] for each in explained(opened, user, item, reasons)[0]]
    return Answer(rows, [] if own else [ONLY_POPULAR])


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


def _left_out(model: Recommender, user: Users, exclude: Sequence[int | str]) -> ItemLists:
    """What a list may not hold: what the user has rated, and further items."""
    item = np.union1d(model.seen_by(user).item, model.items_.index(list(exclude)))
    return ItemLists(np.array([0, len(item)]), item.astype(np.int32))


def _ranked(
    opened: Opened, user: Users, k: int, left_out: ItemLists, reranking: RerankingConfig | None
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Items and scores of one list, and whether any of them is the model's own."""
    model = opened.model
    if reranking is None:
        items, scores, own = model.rank_own(user, k, left_out)
    else:
        depth = min(max(k, reranking.depth), len(model.items_))
        items, scores, own = model.rank_own(user, depth, left_out)
        items, scores = opened.reranker.reordered(user, items, scores, own, k, reranking)
    there = items[0] != UNKNOWN
    return items[0, there], scores[0, there], bool(own[0])
