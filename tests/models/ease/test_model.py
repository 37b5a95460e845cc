from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import ConfigError, TooLargeError
from cofilter.models.ease import closed_form
from cofilter.models.ease.config import EASEConfig
from cofilter.models.ease.model import EASE
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score
from cofilter.training.points import make_point
from tests.composition import compose
from tests.models.contract import SCALE, ModelContract, ratings_table


def config(**changes: Any) -> EASEConfig:
    values: dict[str, Any] = {"kind": "rating", "l2": 2.0, "threads": 1, "max_gib": 1.0}
    return EASEConfig(**(values | {"scale": SCALE} | changes))


def dense(table: pd.DataFrame, kind: str) -> np.ndarray:
    """X, float64[users, items], ids ascending."""
    rows = table.assign(**{RATING: 1.0}) if kind == "binary" else table
    return rows.pivot(index=USER, columns=ITEM, values=RATING).fillna(0.0).to_numpy(np.float64)


def by_least_squares(x: np.ndarray, added: float) -> np.ndarray:
    """B column by column: ridge regression of an item on all the others, by no inverse at all."""
    n_items = x.shape[1]
    result = np.zeros((n_items, n_items))
    for item in range(n_items):
        others = np.arange(n_items) != item
        design = np.vstack([x[:, others], np.sqrt(added) * np.eye(n_items - 1)])
        target = np.concatenate([x[:, item], np.zeros(n_items - 1)])
        result[others, item] = np.linalg.lstsq(design, target)[0]
    return result


class TestRating(ModelContract):
    def make(self) -> Recommender:
        return EASE(config())

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0


class TestBinary(ModelContract):
    def make(self) -> Recommender:
        return EASE(config(kind="binary"))

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0


@pytest.mark.parametrize("kind", ["binary", "rating"])
@pytest.mark.parametrize("block", [1, 45, 1 << 22])  # rows of 20 items: one, two, all at a time
def test_weights_and_scores_are_the_least_squares_ones(
    kind: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_form, "BLOCK_ENTRIES", block)
    table = ratings_table()
    model = EASE(config(kind=kind)).fit(table)
    x = dense(table, kind)
    expected = by_least_squares(x, 2.0 * np.mean(x[x > 0] ** 2))
    assert model.weights_.dtype == np.float32
    np.testing.assert_allclose(model.weights_, expected, atol=1e-6)
    users = np.unique(table[USER])
    items, scores = model.recommend(users, 20, exclude_seen=False)
    wanted = np.take_along_axis(x @ expected, items - 100, axis=1)
    np.testing.assert_allclose(scores, wanted, atol=1e-4)


def test_folding_in_a_known_history_gives_the_known_user_s_ranking() -> None:
    table = ratings_table()
    for kind in ("binary", "rating"):
        model = EASE(config(kind=kind)).fit(table)
        people = model.fold_in(table[table[USER].isin([30, 70])]).take([70, 30])
        folded, known = (
            model.recommend(people, 9, exclude_seen=False),
            model.recommend([70, 30], 9, exclude_seen=False),
        )
        assert all(np.array_equal(a, b) for a, b in zip(folded, known, strict=True))


def test_similar_items_are_the_ranking_of_somebody_with_that_item_alone() -> None:
    table = ratings_table()
    model = EASE(config(kind="binary")).fit(table)
    alone = pd.DataFrame({USER: [1], ITEM: [105], RATING: [3.0]})
    items, scores = model.recommend(model.fold_in(alone), 5, exclude=alone)
    similar, similarity = model.similar_items([105], 5)
    assert similar.tolist() == items.tolist()
    np.testing.assert_allclose(similarity, scores)


def test_l2_is_left_to_the_kind_of_data() -> None:
    table = ratings_table()
    assert EASE().fit(table).config.l2 == 300
    assert EASE(kind="binary").fit(table.assign(rating=1.0)).config.l2 == 240
    assert EASE(kind="binary", l2=7).fit(table.assign(rating=1.0)).config.l2 == 7


def test_l2_means_the_same_for_both_kinds() -> None:
    """With all ratings equal the kinds have the same weights, whatever the rating."""
    table = ratings_table().assign(**{RATING: np.float32(4.0)})
    binary, rating = (EASE(config(kind=kind)).fit(table) for kind in ("binary", "rating"))
    np.testing.assert_allclose(binary.weights_, rating.weights_, atol=1e-6)
    assert np.abs(EASE(config(l2=1e6)).fit(table).weights_).max() < 1e-3


def test_ratings_of_zero_say_nothing() -> None:
    table = ratings_table().assign(**{RATING: np.float32(0.0)})
    model = EASE(config(scale=(0.0, 1.0))).fit(table)
    assert not model.weights_.any()
    items, _, fallback = model.rank([0], 3, return_fallback=True)
    assert items[0].tolist() == np.argsort(-model.popularity_, kind="stable")[:3].tolist()
    assert fallback.all()


def test_items_that_no_user_links_to_the_history_follow_by_popularity() -> None:
    """Two groups of users without a common item, and an item of one user alone."""
    table = ratings_table(30, 8)
    other = table.assign(**{USER: table[USER] + 1, ITEM: table[ITEM] + 900})
    alone = pd.DataFrame({USER: [5_000], ITEM: [500], RATING: [3.0]})
    model = EASE(config()).fit(pd.concat([table, other, alone]))
    index, _, fallback = model.rank([0, 5_000], 1_000, return_fallback=True)
    items = model.items_.ids[index]
    assert fallback.tolist() == [False, True]
    assert set(items[0][:8]) == set(table[ITEM])
    counts = model.popularity_[model.items_.index(items[0][8:])]
    assert (np.diff(counts) <= 0).all()
    assert items[1].tolist() == model.recommend([-5], 1_000)[0][0].tolist()
    similar, scores, filled = model.similar_items([100, 500], 1_000, return_fallback=True)
    assert set(similar[0][:7]) == {*table[ITEM]} - {100}
    assert filled.tolist() == [[False] * 7 + [True] * 9 + [False], [True] * 16 + [False]]
    assert (np.diff(scores[:, :16]) <= 0).all()
    popular = model.items_.ids[np.argsort(-model.popularity_, kind="stable")]
    assert similar[1][:16].tolist() == [item for item in popular if item != 500]
    assert similar[0][7:16].tolist() == [item for item in popular if item not in set(table[ITEM])]


def test_users_whom_popularity_answers_are_counted() -> None:
    """Of two users with an item that nobody else has, both; of those with common items, none."""
    table = ratings_table(30, 8)
    alone = pd.DataFrame({USER: [5_000, 5_001], ITEM: [500, 501], RATING: [3.0, 4.0]})
    train = pd.concat([table.iloc[::2], alone])
    known = table.iloc[1::2]
    known = known[known[USER].isin(train[USER]) & known[ITEM].isin(train[ITEM])]
    test = pd.concat([known, alone.assign(**{ITEM: table[ITEM].iloc[0]})])
    config_of_scores = ScoreConfig(k=(5,), relevance_threshold=None)
    found = score(EASE(config()).fit(train), train, None, test, config_of_scores)
    share = 2 / test[USER].nunique()
    assert found.warm.counts["ranking_fallback_share"] == pytest.approx(share)


def test_nothing_of_the_inverse_depends_on_the_run() -> None:
    """The configured threads are set, so a fit on whatever machine gives the same bits."""
    table = ratings_table(300, 200)
    one, two = (EASE(config(threads=2)).fit(table).weights_ for _ in range(2))
    assert np.array_equal(one, two)
    np.testing.assert_allclose(one, EASE(config(threads=1)).fit(table).weights_, atol=1e-6)


def test_too_large_is_refused_before_anything_is_allocated() -> None:
    with pytest.raises(TooLargeError, match=r"ease\.max_gib allows 0\.1"):
        EASE(config(max_gib=0.1)).fit(ratings_table())


def stage_config(**changes: Any) -> dict[str, Any]:
    cfg = compose()
    return cfg | {"ease": cfg["ease"] | changes}


def test_stage_makes_the_model_or_says_what_is_wrong() -> None:
    assert make_point("ease", "binary", compose()).config.kind == "binary"
    with pytest.raises(ConfigError, match=r"ease\.l2: 0 is not allowed"):
        make_point("ease", "", stage_config(l2=0))
    with pytest.raises(ConfigError, match=r"ease\.kind: 'count' is not one of binary, rating"):
        make_point("ease", "", stage_config(kind="count"))
