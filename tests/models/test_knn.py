from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.columns import ITEM, RATING, USER
from cofilter.models.base import Recommender
from cofilter.models.knn import AGGREGATIONS, KNN_KINDS, SIMILARITIES, ItemKNN, KNNConfig, UserKNN
from tests.models.contract import SCALE, ModelContract, ratings_table


def config(**changes: Any) -> KNNConfig:
    values = {"similarity": "pearson_baseline", "k": 5, "aggregation": "baseline_centred"}
    return KNNConfig(**{**values, "shrinkage": 3.0, "scale": SCALE, **changes})


class TestUserKNN(ModelContract):
    def make(self) -> Recommender:
        return UserKNN(config())


class TestItemKNN(ModelContract):
    def make(self) -> Recommender:
        return ItemKNN(config())

    def test_similar_items_are_the_most_similar(self, model: Recommender) -> None:
        items, scores = model.similar_items(model.items_.ids, 19)
        assert (items != model.items_.ids[:, None]).all()
        assert (np.diff(scores) <= 0).all()


class TestRankingByPrediction(ModelContract):
    def make(self) -> Recommender:
        return UserKNN(config(ranking="prediction"))

    def test_scores_are_the_predictions(self, model: Recommender, table: pd.DataFrame) -> None:
        items, scores = model.recommend([0], 20)
        inside = (scores[0] > SCALE[0]) & (scores[0] < SCALE[1])  # predictions are clipped
        given = model.predict(np.zeros(20, int), items[0])
        np.testing.assert_allclose(scores[0][inside], given[inside], rtol=1e-6)


def brute_force(
    table: pd.DataFrame, cfg: KNNConfig, by_user: bool, model: Recommender
) -> np.ndarray:
    """Predictions [users, items] from dense matrices and the definitions; NaN without neighbour."""
    wide = table.pivot(index=USER, columns=ITEM, values=RATING).to_numpy(float)
    user_mean, item_mean = (np.nanmean(wide, axis=axis, keepdims=True) for axis in (1, 0))
    baseline = model.biases_.mean + model.biases_.user[:, None] + model.biases_.item[None]
    offset = {"nothing": 0 * wide, "baseline": baseline}
    own, other = (user_mean, item_mean) if by_user else (item_mean, user_mean)
    offset |= {"own": own + 0 * baseline, "other": other + 0 * baseline}
    _, centre = SIMILARITIES[cfg.similarity]
    compared = wide - np.nan_to_num(offset[centre])
    expected = np.nan_to_num(offset[AGGREGATIONS[cfg.aggregation]])
    deviation = wide - expected
    if not by_user:
        compared, deviation, expected = compared.T, deviation.T, expected.T
    there = ~np.isnan(compared)
    filled = np.nan_to_num(compared)
    n = (there[:, None] & there[None]).sum(axis=2)
    weight = np.zeros(n.shape)
    for a, b in product(range(len(compared)), repeat=2):
        both = there[a] & there[b]
        x, y = compared[a, both], compared[b, both]
        if cfg.similarity == "pearson" and len(x):
            x, y = x - x.mean(), y - y.mean()
        norm = np.linalg.norm(x) * np.linalg.norm(y)
        if cfg.similarity == "cosine":
            norm = np.linalg.norm(filled[a]) * np.linalg.norm(filled[b])
        ratio = x @ y / norm if norm > 1e-9 else 0.0
        if cfg.similarity == "msd":
            ratio = 1 / (1 + np.mean((x - y) ** 2)) if len(x) else 0.0
        if a != b:
            weight[a, b] = ratio * n[a, b] / (n[a, b] + cfg.shrinkage)
    result = np.full(wide.shape if by_user else wide.T.shape, np.nan)
    for row, column in np.ndindex(result.shape):
        able = [b for b in range(len(weight)) if weight[row, b] > 1e-12 and there[b, column]]
        best = sorted(able, key=lambda b: (-weight[row, b], b))[: cfg.k]
        if best:
            total = weight[row, best]
            result[row, column] = expected[row, column] + (
                total @ deviation[best, column] / total.sum()
            )
    return result if by_user else result.T


@pytest.mark.parametrize("kind", KNN_KINDS)
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_predictions_agree_with_brute_force(kind: str, similarity: str, aggregation: str) -> None:
    table = ratings_table(14, 11, seed=3)
    cfg = config(similarity=similarity, aggregation=aggregation, k=3)
    model = KNN_KINDS[kind](cfg).fit(table)
    expected = brute_force(table, cfg, kind == "user", model)
    users, items = model.users_.ids, model.items_.ids
    pairs = np.repeat(users, len(items)), np.tile(items, len(users))
    given, fallback = model.predict(*pairs, return_fallback=True)
    assert np.array_equal(fallback, np.isnan(expected).ravel())
    own = ~fallback
    np.testing.assert_allclose(given[own], np.clip(expected.ravel()[own], *SCALE), rtol=1e-4)


@pytest.mark.parametrize("kind", KNN_KINDS)
def test_a_folded_in_history_is_compared_like_a_known_one(kind: str) -> None:
    """Somebody with a known user's ratings is predicted as that user, whose own row is a twin."""
    table = ratings_table()
    model = KNN_KINDS[kind](config()).fit(table)
    history = table[table[USER] == 20]
    people = model.fold_in(history.assign(**{USER: 1}))
    unseen = np.setdiff1d(model.items_.ids, history[ITEM])
    given = model.predict(people.take([1] * len(unseen)), unseen)
    known = model.predict([20] * len(unseen), unseen)
    np.testing.assert_allclose(given, known, rtol=1e-6)  # the twin has not rated the unseen


def test_summed_similarity_of_item_knn_is_a_sum_over_the_history() -> None:
    table = ratings_table()
    model = ItemKNN(config(k=4)).fit(table)
    history = table[table[USER] == 0].set_index(ITEM)[RATING]
    items, scores = model.recommend([0], 20)
    near, weight = model.similar_items(model.items_.ids, 4)
    for item, score in zip(items[0], scores[0], strict=True):
        place = int(np.flatnonzero(model.items_.ids == item)[0])
        able = zip(near[place], weight[place], strict=True)
        expected = sum(history.get(other, 0.0) * w for other, w in able if w > 0)
        assert score == pytest.approx(expected, rel=1e-5)
