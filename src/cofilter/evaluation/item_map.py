"""Which items a model takes for alike: the numbers behind two pictures of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy

from cofilter.core.columns import ITEM, TITLE
from cofilter.core.errors import CapabilityError
from cofilter.recommender.base import Recommender
from cofilter.recommender.factors import FactorRecommender
from cofilter.recommender.store import load
from cofilter.scoring.config import lower_is_better
from cofilter.scoring.folders import ModelFolder

MODEL, RATINGS, SIMILARITY = "model", "ratings", "similarity"
ORDER, OTHER_ITEM, OTHER_TITLE, OTHER_ORDER = "order", "other_item", "other_title", "other_order"
X, Y, SHARE = "x", "y", "share"
N_SIMILAR, N_PLACED = 24, 300  # items in the two pictures
DECIMALS = 5  # beyond, threads of BLAS may differ
SIMILARITY_COLUMNS = [MODEL, ITEM, TITLE, ORDER, OTHER_ITEM, OTHER_TITLE, OTHER_ORDER, SIMILARITY]
FACTOR_COLUMNS = [MODEL, ITEM, TITLE, RATINGS, X, Y, SHARE]


def item_similarities(
    folders: Sequence[ModelFolder], primary: str, titles: pd.Series | None = None
) -> pd.DataFrame:
    """Similarities of the most rated items to each other, by one model that knows any.

    Parameters
    ----------
    folders:
        The models to choose from: item KNN, whose similarities are those of the ratings
        themselves, otherwise the best by ``primary`` on validation.
    titles:
        Title by item id; an item without one is called by its id.

    Returns
    -------
    One row an ordered pair of different items among the `N_SIMILAR` most rated: model, item_id,
    title, order, other_item, other_title, other_order, similarity (missing where the model
    knows none). ``order`` counts from 0 along a hierarchical clustering (average linkage of the
    rows of similarities, optimal leaf order), so that alike items stand beside each other. Only the
    header when no model knows similar items or there are fewer than three items.
    """
    ordered = sorted(by_validation(folders, primary), key=lambda each: each.name != "knn/item")
    for name, model in _loaded(ordered):
        item = most_rated(model, N_SIMILAR)
        if len(item) < 3:  # nothing to order
            continue
        ids = model.items_.ids[item]
        try:
            found, score, filled = model.similar_items(
                ids, k=len(model.items_), return_fallback=True
            )
        except CapabilityError:
            continue
        place = np.full(len(model.items_), -1)
        place[item] = np.arange(len(item))
        square = np.full((len(item), len(item)), np.nan)
        known = np.isfinite(score) & ~filled
        row, at = np.nonzero(known)
        other = place[model.items_.index(found[known])]
        square[row[other >= 0], other[other >= 0]] = np.round(score[row, at][other >= 0], DECIMALS)
        order = alike_order(square)
        return _pairs(name, ids, order, square, titles)
    return pd.DataFrame(columns=SIMILARITY_COLUMNS)


def item_plane(folders: Sequence[ModelFolder], titles: pd.Series | None = None) -> pd.DataFrame:
    """The most rated items in the plane of the first two principal components of their factors.

    The factors of the `FactorRecommender` that predicts ratings best on validation (if none does,
    of the first one) are taken at unit length (their
    lengths say how popular items are, their directions what they are like), centred over the
    `N_PLACED` most rated items, and projected. Each axis points so that its largest coordinate in
    absolute value is positive.

    Returns
    -------
    One row an item, most rated first: model, item_id, title, ratings, x, y, and the share of the
    variance that the plane holds. Only the header when there is no such model, its factors are
    shorter than 2, or there are fewer than three items.
    """
    for name, model in _loaded(by_validation(folders, "rmse")):
        if not isinstance(model, FactorRecommender):
            continue
        item = most_rated(model, N_PLACED)
        factors = model.item_[item, :-1].astype(np.float64)
        if factors.shape[1] < 2 or len(item) < 3:
            continue
        plane, share = principal_plane(factors)
        ids = model.items_.ids[item]
        table = pd.DataFrame({MODEL: name, ITEM: ids, TITLE: _titles(ids, titles)})
        table[RATINGS] = model.popularity_[item]
        axes = dict(zip((X, Y), np.round(plane.T, DECIMALS), strict=True))
        return table.assign(**axes, **{SHARE: round(share, DECIMALS)})
    return pd.DataFrame(columns=FACTOR_COLUMNS)


def by_validation(folders: Sequence[ModelFolder], metric: str) -> list[ModelFolder]:
    """Best first by a metric on validation, warm; those without it come last, in their order."""

    def place(folder: ModelFolder) -> tuple[bool, float]:
        value = folder.selection["validation"]["warm"][metric]
        if value is None:
            return True, 0.0
        return False, value if lower_is_better(metric) else -value

    return sorted(folders, key=place)


def _loaded(folders: Sequence[ModelFolder]) -> Iterator[tuple[str, Recommender]]:
    """Name and model of each folder, loaded when it is asked for."""
    for folder in folders:
        yield folder.name, load(folder.path)


def most_rated(model: Recommender, n: int) -> np.ndarray:
    """Dense indices of the ``n`` items with most ratings, ties by ascending id."""
    return np.argsort(-model.popularity_, kind="stable")[:n]


def alike_order(similarity: np.ndarray) -> np.ndarray:
    """An order of the rows that keeps alike ones together, int64[n]: the place of each row.

    ``similarity`` is float64[n, n], missing values counted as 0, the diagonal as the largest.
    """
    filled = np.nan_to_num(similarity, nan=0.0)
    filled = (filled + filled.T) / 2
    np.fill_diagonal(filled, filled.max())
    tree = hierarchy.linkage(filled, "average", optimal_ordering=True)
    place = np.empty(len(filled), np.int64)
    place[hierarchy.leaves_list(tree)] = np.arange(len(filled))
    return place


def principal_plane(factors: np.ndarray) -> tuple[np.ndarray, float]:
    """Rows at unit length, centred, on their first two principal components.

    Gives float64[n, 2] and the share of the variance that the two hold (0 without any).
    """
    length = np.linalg.norm(factors, axis=1, keepdims=True)
    unit = np.divide(factors, length, out=np.zeros_like(factors), where=length > 0)
    centred = unit - unit.mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred)  # ascending
    plane = centred @ axes[:, [-1, -2]]
    largest = plane[np.abs(plane).argmax(axis=0), [0, 1]]
    total = float(variance.sum())
    share = float(variance[-2:].sum()) / total if total > 0 else 0.0
    return plane * np.where(largest < 0, -1.0, 1.0), share


def _pairs(
    name: str, ids: np.ndarray, order: np.ndarray, square: np.ndarray, titles: pd.Series | None
) -> pd.DataFrame:
    names = _titles(ids, titles)
    by_place = np.argsort(order)
    one, other = (part.ravel() for part in np.meshgrid(by_place, by_place, indexing="ij"))
    different = one != other
    one, other = one[different], other[different]
    columns = (names[one], order[one], ids[other], names[other], order[other], square[one, other])
    table = dict(zip(SIMILARITY_COLUMNS[2:], columns, strict=True))
    return pd.DataFrame({MODEL: name, ITEM: ids[one], **table})


def _titles(ids: np.ndarray, titles: pd.Series | None) -> np.ndarray:
    named = pd.Series(ids).astype(str)
    if titles is None:
        return named.to_numpy(object)
    names = pd.Series(ids).map(titles)
    return names.where(names.notna() & (names != ""), named).to_numpy(object)
