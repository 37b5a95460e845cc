"""Where neighbours have nothing to say: popularity ranks, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter.recommender.rankings as rankings
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.matrix import Interactions
from cofilter.models.baseline.model import Popularity
from cofilter.models.knn.config import users_of_clicks
from cofilter.models.knn.model import KINDS, ItemKNN, UserKNN
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score
from tests.models.contract import ratings_table

K = 1_000  # more neighbours than there are, so that all positive ones take part


def sparse_table(values: list[float]) -> pd.DataFrame:
    """Three ratings a user of 25 items, a user and an item that nobody is like."""
    rng = np.random.default_rng(0)
    item = np.concatenate([rng.choice(25, 3, replace=False) for _ in range(40)])
    rating = rng.choice(values, len(item))
    alone = pd.DataFrame({USER: [900], ITEM: [90], RATING: [values[-1]]})
    table = pd.DataFrame({USER: np.repeat(np.arange(40), 3), ITEM: item, RATING: rating})
    return pd.concat([table, alone], ignore_index=True)


def dense(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(ratings, whether there is one) of all users and items."""
    wide = table.pivot(index=USER, columns=ITEM, values=RATING).to_numpy(float)
    return np.nan_to_num(wide), ~np.isnan(wide)


def summed(table: pd.DataFrame, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """By the definition, with cosine: scores[users, items], and whether a neighbour speaks."""
    rating, there = dense(table)
    rows = rating if kind == "user" else rating.T
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    weight = unit @ unit.T
    np.fill_diagonal(weight, 0.0)
    weight[weight < 1e-9] = 0.0
    if kind == "user":
        return weight @ rating, (weight > 0).astype(float) @ there > 0
    return rating @ weight.T, there.astype(float) @ (weight > 0).T > 0


def folded(model: Recommender, table: pd.DataFrame) -> Any:
    """The known users once more, as people who are not known."""
    return model.fold_in(table.assign(**{USER: table[USER] + 10_000}))


@pytest.mark.parametrize("values", [[1.0, 3.0, 5.0], [-1.0, 0.0, 1.0]])
@pytest.mark.parametrize("kind", KINDS)
def test_items_that_no_neighbour_speaks_for_follow_by_popularity(
    kind: str, values: list[float]
) -> None:
    """Also where sums are negative or 0, which are scores like any other."""
    table = sparse_table(values)
    model = KINDS[kind](similarity="cosine", shrinkage=0.0, k=K, unit=1.0).fit(table)
    scores, speaks = summed(table, kind)
    n_items = len(model.items_)
    index, best, fallback = model.rank(model.users_.ids, n_items, return_fallback=True)
    assert 0 < fallback.sum() < len(fallback)
    assert (best <= 0).any()
    popular = model.popularity_
    for user in range(len(model.users_)):
        n_own = int(speaks[user].sum())
        own, tail = index[user, :n_own], index[user, n_own:]
        assert set(own) == set(np.flatnonzero(speaks[user]))
        np.testing.assert_allclose(best[user, :n_own], scores[user, own], atol=1e-5)
        assert tail.tolist() == sorted(tail, key=lambda item: (-popular[item], item))
        assert (np.diff(best[user]) <= 0).all()
        assert fallback[user] == (n_own == 0)
        if n_own == 0:
            assert best[user].tolist() == popular[index[user]].tolist()
        elif n_own < n_items:
            assert best[user, n_own] < best[user, n_own - 1]
    if values[0] < 0:
        assert (scores[speaks] < -0.1).any()
        assert (np.abs(scores[speaks]) < 1e-9).any()


@pytest.mark.parametrize("k", [1, 4, 26])
@pytest.mark.parametrize("kind", KINDS)
def test_shorter_lists_blocks_and_people_make_no_difference(
    kind: str, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sparse_table([-1.0, 0.0, 1.0])
    model = KINDS[kind](similarity="cosine", shrinkage=0.0, k=5).fit(table)
    users, exclude = model.users_.ids, table.sample(60, random_state=0)
    whole = model.rank(users, 26, return_fallback=True)
    some = model.rank(users, k, return_fallback=True)
    assert np.array_equal(some[0], whole[0][:, :k])
    assert np.array_equal(some[1], whole[1][:, :k])
    assert np.array_equal(some[2], whole[2])
    expected = model.recommend(np.r_[users, -5], k, exclude=exclude)
    people = folded(model, table)
    expected_of_people = model.recommend(people, k)
    if kind == "item":  # a person's own row is no neighbour of theirs
        assert np.array_equal(expected_of_people[0], model.recommend(users, k)[0])
    monkeypatch.setattr(rankings, "BLOCK_SCORES", 60)  # two users of 26 items at a time
    for given, wanted in (
        (model.recommend(np.r_[users, -5], k, exclude=exclude), expected),
        (model.recommend(people, k), expected_of_people),
        (model.rank(users, k, return_fallback=True), some),
    ):
        assert all(np.array_equal(a, b) for a, b in zip(given, wanted, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_on_clicks_deviations_have_no_neighbours_and_popularity_answers(
    kind: str,
) -> None:
    clicks = ratings_table(60, 30).assign(**{RATING: np.float32(1)})
    train, test = clicks.iloc[::2], clicks.iloc[1::2]
    model = KINDS[kind](similarity="pearson_baseline").fit(train)
    popularity = Popularity().fit(train)
    users = np.r_[train[USER].unique(), -5]
    for given in (users, folded(model, train)):
        expected = popularity.recommend(given if given is users else folded(popularity, train), 7)
        assert all(
            np.array_equal(a, b) for a, b in zip(model.recommend(given, 7), expected, strict=True)
        )
    config = ScoreConfig(k=(5,), relevance_threshold=None)
    found, expected_scores = (
        score(each, train, None, test, config) for each in (model, popularity)
    )
    assert (
        found.warm.metrics(("ndcg@5",))["ndcg@5"]
        == (expected_scores.warm.metrics(("ndcg@5",))["ndcg@5"])
    )
    assert found.warm.counts["ranking_fallback_share"] == 1.0
    assert expected_scores.warm.counts["ranking_fallback_share"] == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_ranking_by_prediction_falls_back_for_those_without_any(kind: str) -> None:
    table = sparse_table([1.0, 3.0, 5.0])
    model = KINDS[kind](similarity="cosine", ranking="prediction", k=5).fit(table)
    items, scores, fallback = model.rank([900, 0], 26, return_fallback=True)
    assert fallback.tolist() == [True, False]
    popular = np.argsort(-model.popularity_, kind="stable")
    assert items[0].tolist() == popular.tolist()
    # For others an item without neighbours has its fallback's rating, so that all can be compared.
    given, own = model.predict([0] * 26, model.items_.ids[items[1]], return_fallback=True)
    assert 0 < own.sum() < 26
    assert np.array_equal(np.clip(scores[1], *model.scale_), given)


def test_items_that_nobody_compares_follow_by_popularity() -> None:
    table = sparse_table([1.0, 3.0, 5.0])
    model = ItemKNN(similarity="cosine", shrinkage=0.0).fit(table)
    items, scores, filled = model.similar_items(model.items_.ids, 26, return_fallback=True)
    _, there = dense(table)
    together = there.T.astype(float) @ there > 0
    np.fill_diagonal(together, False)
    for item in range(26):
        n_own = int(together[item].sum())
        assert set(items[item, :n_own]) == set(model.items_.ids[together[item]])
        assert filled[item].tolist() == [False] * n_own + [True] * (25 - n_own) + [False]
        counts = model.popularity_[model.items_.index(items[item, n_own:25])]
        assert (np.diff(counts) <= 0).all()
        assert len(set(items[item, :25]) - {model.items_.ids[item]}) == 25
        assert (np.diff(scores[item, :25]) <= 0).all()
        assert (items[item, 25], scores[item, 25]) == (-1, -np.inf)  # itself has no place
    assert filled.any()


@pytest.mark.parametrize("cls", [ItemKNN, UserKNN])
def test_equal_scores_go_by_item_id(cls: type[Recommender]) -> None:
    """Items that are rated alike by everybody tie exactly, whatever place the list is cut at."""
    table = ratings_table(30, 6)
    twins = [table.assign(**{ITEM: table[ITEM] + shift}) for shift in (0, 300, 200, 100)]
    model = cls(similarity="cosine", shrinkage=0.0, k=K).fit(pd.concat(twins))
    users = table[USER].unique()
    whole, scores = model.recommend(users, 24, exclude_seen=False)
    assert (np.diff(scores) == 0).sum() >= 3 * 6 * len(users) * 0.9
    for row, values in zip(whole, scores, strict=True):
        assert row.tolist() == [item for _, item in sorted(zip(-values, row.tolist(), strict=True))]
    for k in range(1, 24):
        assert np.array_equal(model.recommend(users, k, exclude_seen=False)[0], whole[:, :k])


def test_equally_similar_neighbours_count_by_ascending_id() -> None:
    """With room for two of four twins, those with the lowest ids are the neighbours."""
    table = ratings_table(30, 6)
    twins = [table.assign(**{ITEM: table[ITEM] + shift}) for shift in (0, 300, 200, 100)]
    model = ItemKNN(similarity="cosine", shrinkage=0.0, k=2).fit(pd.concat(twins))
    near = model.items_.ids[model.neighbour_]
    for item, pair in zip(model.items_.ids, near, strict=True):
        kin = [item % 100 + hundred for hundred in (100, 200, 300, 400)]
        assert pair.tolist() == [other for other in kin if other != item][:2]
    assert model.similar_items(model.items_.ids, 2)[0].tolist() == near.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("numbers", "scale", "expected"),
    [
        ((1.0, 1.0), None, "cosine"),
        ((1.0, 80.0), None, "cosine"),
        ((1.0, 80.0), (1.0, 80.0), "pearson_baseline"),
        ((3.0, 4.0), None, "pearson_baseline"),
    ],
)
def test_what_is_left_to_the_data_differs_for_clicks_and_counts(
    kind: str,
    numbers: tuple[float, float],
    scale: tuple[float, float] | None,
    expected: str,
) -> None:
    log = ratings_table(20, 12)
    values = np.where(np.arange(len(log)) % 5 == 0, numbers[1], numbers[0])
    model = KINDS[kind](scale=scale).fit(log.assign(**{RATING: values}))
    k = 120 if kind == "item" else 40  # at least
    settled = (expected, k, 3.0) if expected == "cosine" else (expected, 40, 100.0)
    for config in (model.config, model.for_refit().config):
        assert (config.similarity, config.k, config.shrinkage) == settled
    named = KINDS[kind](similarity="msd", k=7, shrinkage=0.0)
    config = named.fit(log.assign(**{RATING: values})).config
    assert (config.similarity, config.k, config.shrinkage) == ("msd", 7, 0.0)


@pytest.mark.parametrize(
    ("n_users", "length", "k"), [(400, 50, 70), (400, 5, 100), (400, 200, 40), (40, 5, 40)]
)
def test_shorter_histories_have_more_neighbours_up_to_a_quarter(
    n_users: int, length: int, k: int
) -> None:
    user, item = np.divmod(np.arange(n_users * length), length)
    log = pd.DataFrame({USER: user, ITEM: (item + user) % 250, RATING: 1.0})
    heavy = pd.DataFrame({USER: n_users, ITEM: np.arange(5_000), RATING: 1.0})
    assert users_of_clicks(Interactions.of(pd.concat([log, heavy], ignore_index=True))) == k
