from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter.models.knn.model as knn
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.models.knn.model import (
    AGGREGATIONS,
    KINDS,
    PRODUCT_SUMS,
    SIMILARITIES,
    ItemKNN,
    KNNConfig,
    UserKNN,
)
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People
from cofilter.recommender.store import load
from tests.models.contract import SCALE, ModelContract, ratings_table


def config(**changes: Any) -> KNNConfig:
    values = {"similarity": "pearson_baseline", "k": 5, "aggregation": "baseline_centred"}
    return KNNConfig(**{**values, "shrinkage": 3.0, "scale": SCALE, **changes})


class TestUserKNN(ModelContract):
    def make(self) -> Recommender:
        return UserKNN(config())

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0


class TestItemKNN(ModelContract):
    def make(self) -> Recommender:
        return ItemKNN(config())

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0

    def test_similar_items_are_the_most_similar(self, model: Recommender) -> None:
        items, scores = model.similar_items(model.items_.ids, 19)
        assert (items != model.items_.ids[:, None]).all()
        assert (np.diff(scores) <= 0).all()


class TestRankingByPrediction(ModelContract):
    def make(self) -> Recommender:
        return UserKNN(config(ranking="prediction"))

    def constant(self, model: Recommender, person: People) -> np.ndarray:
        """The baseline, in ratings of the source."""
        biases = model.biases_
        own: np.ndarray = biases.mean + person.bias + biases.item
        return own

    def test_scores_are_the_predictions(self, model: Recommender, table: pd.DataFrame) -> None:
        items, scores = model.recommend([0], 20, exclude_seen=False)
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
        weight[a, b] = ratio * n[a, b] / (n[a, b] + cfg.shrinkage)
    np.fill_diagonal(weight, float(cfg.self_votes))
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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("self_votes", [False, True])
def test_predictions_agree_with_brute_force(
    kind: str, similarity: str, aggregation: str, self_votes: bool
) -> None:
    table = ratings_table(14, 11, seed=3)
    k = 3 + self_votes  # as many other neighbours either way
    cfg = config(similarity=similarity, aggregation=aggregation, k=k, self_votes=self_votes)
    model = KINDS[kind](cfg).fit(table)
    expected = brute_force(table, cfg, kind == "user", model)
    users, items = model.users_.ids, model.items_.ids
    pairs = np.repeat(users, len(items)), np.tile(items, len(users))
    given, fallback = model.predict(*pairs, return_fallback=True)
    assert np.array_equal(fallback, np.isnan(expected).ravel())
    own = ~fallback
    np.testing.assert_allclose(given[own], np.clip(expected.ravel()[own], *SCALE), rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("similarity", sorted(PRODUCT_SUMS))
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("self_votes", [False, True])
def test_shares_of_known_users_sum_to_their_scores(
    kind: str, similarity: str, aggregation: str, self_votes: bool
) -> None:
    """Also of items that they have rated, where a row may vote for itself."""
    table = ratings_table(14, 11, seed=3)
    for ranking in ("prediction", "summed_similarity"):
        model = KINDS[kind](
            config(similarity=similarity, aggregation=aggregation, ranking=ranking, k=3,
                   self_votes=self_votes)
        ).fit(table)  # fmt: skip
        n_items = len(model.items_)
        everybody = model._everybody
        row, item = (part.ravel() for part in np.indices((len(model.users_), n_items)))
        if ranking == "prediction":
            user_offset, item_offset = model._offsets(everybody, AGGREGATIONS[aggregation])
            scores, answered = model._score_pairs(everybody, row, item)
            expected = np.where(answered, scores - user_offset[row] - item_offset[item], 0.0)
        else:
            scores = model._score_items(everybody).ravel()
            expected = np.where(np.isfinite(scores), scores, 0.0)
        _, shares = model.explain(model.users_.ids[row], model.items_.ids[item], n_items)
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(shares.sum(axis=1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folded_in_history_is_compared_like_a_known_one(kind: str) -> None:
    """Somebody with a known user's ratings is predicted as that user, whose own row is a twin."""
    table = ratings_table()
    model = KINDS[kind](config()).fit(table)
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
    items, scores = model.recommend([0], 20, exclude_seen=False)
    near, weight = model.similar_items(model.items_.ids, 4)
    for item, score in zip(items[0], scores[0], strict=True):
        place = int(np.flatnonzero(model.items_.ids == item)[0])
        able = zip(near[place], weight[place], strict=True)
        expected = sum(history.get(other, 0.0) * w for other, w in able if w > 0)
        if expected:
            assert score == pytest.approx(expected, rel=1e-5)
        else:  # no neighbour speaks for it
            assert score < 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [2, 7, 100])
@pytest.mark.parametrize("self_votes", [False, True])
def test_similarities_at_hand_change_no_bit(
    kind: str, k: int, self_votes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = ratings_table(40, 25)
    users, items = np.unique(table[USER]), np.unique(table[ITEM])
    pairs = np.repeat(users, len(items)), np.tile(items, len(users))
    answers = []
    for bytes_allowed, near in ((1 << 20, 1), (1 << 20, 32), (0, 32)):
        monkeypatch.setattr(knn, "MATRIX_BYTES", bytes_allowed)
        monkeypatch.setattr(knn, "NEAR", near)
        model = KINDS[kind](config(k=k, self_votes=self_votes)).fit(table)
        assert (model._similarities_at_hand() is None) is (bytes_allowed == 0)
        answers.append(model.predict(*pairs, return_fallback=True))
    for answer in answers[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(answer, answers[0], strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_model_answers_a_few_pairs_without_all_similarities(
    kind: str, tmp_path: Path
) -> None:
    table = ratings_table(40, 25)
    fitted = KINDS[kind](config(k=5)).fit(table)
    fitted.save(tmp_path)
    loaded = load(tmp_path)
    user, items = table[USER].iloc[0], np.unique(table[ITEM])[:10]
    assert isinstance(loaded, KINDS[kind])
    for derived in (False, True):
        assert (loaded._at_hand is not None) is derived
        answer = loaded.predict(user, items, return_fallback=True)
        expected = fitted.predict(user, items, return_fallback=True)
        assert all(np.array_equal(a, b) for a, b in zip(answer, expected, strict=True))
        loaded.derive()


@pytest.mark.parametrize("kind", KINDS)
def test_only_with_self_votes_does_a_rating_predict_itself(kind: str) -> None:
    table = ratings_table()
    alone = {"similarity": "cosine", "shrinkage": 0.0, "k": 1, "aggregation": "plain"}
    blind, told = (
        KINDS[kind](config(**alone, self_votes=votes)).fit(table).predict(table[USER], table[ITEM])
        for votes in (False, True)
    )
    assert np.array_equal(told, table[RATING])  # the nearest row is the row itself
    assert np.mean(blind != table[RATING]) > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_pairs_are_predicted_as_among_many(kind: str) -> None:
    table = ratings_table()
    model = KINDS[kind](config()).fit(table)
    whole = model.predict(table[USER], table[ITEM])
    some = table.sample(frac=0.1, random_state=0)
    given = model.predict(some[USER], some[ITEM])
    assert np.array_equal(given, whole[some.index])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_equal_ratings_one_user_and_one_item_have_defined_answers(
    kind: str, similarity: str
) -> None:
    cfg = config(similarity=similarity, k=1_000)  # more neighbours than there are
    equal = ratings_table().assign(**{RATING: np.float32(3)})
    for table in (equal, equal[equal[USER] == 0], equal[equal[ITEM] == 100]):
        model = KINDS[kind](cfg).fit(table)
        given = model.predict(table[USER], table[ITEM])
        np.testing.assert_allclose(given, 3.0, rtol=1e-6)
        items, scores = model.recommend(table[USER].unique(), 1_000, exclude_seen=False)
        assert np.isfinite(scores).all()
        assert (np.sort(items, axis=1) == np.unique(table[ITEM])).all()
