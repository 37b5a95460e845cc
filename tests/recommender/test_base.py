"""What the base class does beyond `ModelContract`."""

from __future__ import annotations

import numpy as np
import pytest

import cofilter.recommender.rankings as rankings
from cofilter.core.columns import ITEM, USER
from cofilter.core.errors import CapabilityError, DataError
from cofilter.models.baseline.model import BiasBaseline, Popularity
from cofilter.models.knn.model import ItemKNN
from cofilter.recommender.people import UserRows
from cofilter.recommender.ranking import items_with_biases, users_with_constants
from tests.models.contract import ratings_table
from tests.models.knn.test_model import config


def test_users_and_items_must_be_as_many() -> None:
    model = BiasBaseline().fit(ratings_table())
    with pytest.raises(DataError, match="2 users but 3 items"):
        model.predict([0, 10], [100, 101, 102])


def test_ranking_in_blocks_equals_ranking_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table = ratings_table()
    model = ItemKNN(config()).fit(table)
    users = np.r_[table[USER].unique(), -1, -2]
    whole = model.recommend(users, 6, exclude=table), model.similar_items(model.items_.ids, 3)
    monkeypatch.setattr(rankings, "BLOCK_SCORES", 45)  # two users of twenty items at a time
    blocks = model.recommend(users, 6, exclude=table), model.similar_items(model.items_.ids, 3)
    for one, other in zip(whole, blocks, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_similar_items_of_a_stranger_or_of_a_model_without_them() -> None:
    table = ratings_table()
    with pytest.raises(DataError, match="unknown item: 5"):
        ItemKNN(config()).fit(table).similar_items([5])
    with pytest.raises(CapabilityError, match="Popularity does not know similar items"):
        Popularity().fit(table).similar_items([table[ITEM].iloc[0]])


def test_people_and_known_users_may_be_asked_for_more_than_once() -> None:
    table = ratings_table()
    model = ItemKNN(config()).fit(table)
    items, _ = model.recommend([0, 10, 0], 4, exclude_seen=False)
    assert items[0].tolist() == items[2].tolist() != items[1].tolist()
    people = model.fold_in(table[table[USER].isin([0, 10])])
    folded, _ = model.recommend(people.take([10, 0, 10]), 4, exclude_seen=False)
    assert folded.tolist() == items[[1, 0, 1]].tolist()


def test_strangers_among_known_users_get_the_most_popular_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = ratings_table()
    model = ItemKNN(config()).fit(table)
    users = [-1, 0, -2, 10, 20, -3]
    expected = [model.recommend([user], 5, exclude=table) for user in users]
    for scores in (1 << 23, 60):  # all at once, and three users of twenty items
        monkeypatch.setattr(rankings, "BLOCK_SCORES", scores)
        items, best = model.recommend(users, 5, exclude=table)
        assert items.tolist() == [one[0].tolist() for one, _ in expected]
        assert best.tolist() == [one[0].tolist() for _, one in expected]


def test_users_in_any_order_get_their_own_ratings() -> None:
    table = ratings_table().sample(frac=1.0, random_state=0)
    model = BiasBaseline().fit(table)
    together = model.predict(table[USER], table[ITEM])
    pairs = zip(table[USER], table[ITEM], strict=True)
    assert together.tolist() == [model.predict([user], [item])[0] for user, item in pairs]


class ByProducts(BiasBaseline):
    """The bias baseline, with no factors but the constants."""

    scores_are_products = True

    def _ranking_users(self, users: UserRows) -> np.ndarray:
        nothing = np.empty((len(users.bias), 0))
        return users_with_constants(nothing, self.biases_.mean + users.bias)

    def _ranking_items(self) -> np.ndarray:
        return items_with_biases(np.empty((len(self.items_), 0)), self.biases_.item)

    def _score_items(self, users: UserRows) -> np.ndarray:
        raise AssertionError("no block of scores is needed")


def test_ranking_by_products_equals_ranking_by_scores() -> None:
    table = ratings_table()
    users = np.r_[-1, table[USER].unique(), -2, 0]
    expected = BiasBaseline().fit(table).recommend(users, 9, exclude=table)
    model = ByProducts().fit(table)
    items, scores = model.recommend(users, 9, exclude=table)
    assert np.array_equal(items, expected[0])
    np.testing.assert_allclose(scores, expected[1], rtol=1e-6)
    people = model.fold_in(table.iloc[:50], user_ids=[-9])
    folded, _ = model.recommend(people, 9, exclude_seen=False)
    assert np.array_equal(
        folded, BiasBaseline().fit(table).recommend(people, 9, exclude_seen=False)[0]
    )


class HalfSure(BiasBaseline):
    """Answers for even items alone, and says how sure it is of every one."""

    knows_std = True

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(row), 2.0), item % 2 == 0

    def _pair_std(self, users: UserRows, row: np.ndarray, item: np.ndarray) -> np.ndarray:
        return 0.1 + row + 10.0 * item


def test_the_fallback_has_no_standard_deviation_and_all_parts_come_in_one_order() -> None:
    table = ratings_table()
    model, plain = HalfSure().fit(table), BiasBaseline().fit(table)
    users, items = [20, -5, 0, 20, 0], [102, 102, 103, 104, 9_999]
    own = np.array([True, False, False, True, False])
    given, std, fallback = model.predict(users, items, return_std=True, return_fallback=True)
    assert fallback.tolist() == (~own).tolist()
    assert given[own].tolist() == [2.0, 2.0]
    assert given[~own].tolist() == plain.predict(users, items)[~own].tolist()
    assert std[own].tolist() == pytest.approx([0.1 + 1 + 20, 0.1 + 1 + 40])  # 20 after 0
    assert np.isnan(std[~own]).all()
    assert std.dtype == given.dtype == np.float32
    alone = model.predict(users, items, return_std=True)
    assert np.array_equal(alone[0], given)
    assert np.array_equal(alone[1], std, equal_nan=True)
    assert np.array_equal(model.predict(users, items, return_fallback=True)[1], fallback)
