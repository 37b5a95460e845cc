from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter import BiasBaseline, load
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import ConfigError
from cofilter.core.matrix import Interactions
from cofilter.metrics.rating import rmse
from cofilter.recommender.bias import ITEM_REGULARIZATION, USER_REGULARIZATION, BiasConfig, Biases
from cofilter.recommender.variance import MOST, shrinkage, variance_components

AUTO = BiasConfig(user_regularization="auto", item_regularization="auto")


def drawn(
    deviations: tuple[float, float, float], share: float, seed: int = 0, n: int = 400
) -> pd.DataFrame:
    """Ratings by the model, of users and items of very different activity."""
    rng = np.random.default_rng(seed)
    of_user, of_item, noise = deviations
    chance = rng.uniform(0, 2, (n, 1)) * rng.uniform(0, 2, n) * share
    user, item = np.nonzero(rng.random((n, n)) < chance)
    rating = rng.normal(0, of_user, n)[user] + rng.normal(0, of_item, n)[item]
    rating += 3 + rng.normal(0, noise, len(user))
    return pd.DataFrame({USER: user, ITEM: item, RATING: rating.astype(np.float32)})


def test_components_are_those_that_ratings_were_drawn_with() -> None:
    tables = [Interactions.of(drawn((0.5, 0.8, 1.0), 0.1, seed)) for seed in range(8)]
    found = np.array([variance_components(data) for data in tables])
    np.testing.assert_allclose(found.mean(axis=0), [0.25, 0.64, 1.0], rtol=0.06)


def test_expected_sums_are_those_of_all_pairs() -> None:
    """The three sums by their definition: half the squared differences of pairs of ratings."""
    data = Interactions.of(drawn((0.5, 0.8, 1.0), 0.1, n=30))
    user, item, y = data.user, data.item, data.rating.astype(float)
    apart = (y[:, None] - y) ** 2 / 2
    same_user, same_item = user[:, None] == user, item[:, None] == item
    n_user, n_item = same_user.sum(axis=1), same_item.sum(axis=1)
    left = [
        (apart * same_user / n_user).sum(), (apart * same_item / n_item).sum(), apart.sum()
    ]  # fmt: skip

    def expected(a: float, b: float, e: float) -> list[float]:
        pair = a * ~same_user + b * ~same_item + e * ~np.eye(len(y), dtype=bool)
        return [(pair * same_user / n_user).sum(), (pair * same_item / n_item).sum(), pair.sum()]

    found = variance_components(data)
    assert found is not None
    np.testing.assert_allclose(expected(*found), left, rtol=1e-9)


def test_no_other_shrinkage_predicts_better_by_much() -> None:
    table = drawn((0.4, 0.7, 1.0), 0.05)
    held_out = np.random.default_rng(1).random(len(table)) < 0.2
    train, test = table[~held_out], table[held_out]

    def error(**bias: float | str) -> float:
        model = BiasBaseline(bias=bias, scale=(-9, 9)).fit(train)
        return rmse(test[RATING].to_numpy(), model.predict(test[USER], test[ITEM]))

    found = error(user_regularization="auto", item_regularization="auto")
    others = [
        error(user_regularization=user, item_regularization=item)
        for user in (1.0, 3.0, 6.0, 12.0, 24.0)
        for item in (0.5, 1.0, 2.0, 4.0, 10.0)
    ]
    assert found < 1.003 * min(others)
    assert found < max(others) - 0.01


def test_it_does_not_depend_on_the_scale() -> None:
    table = drawn((0.5, 0.8, 1.0), 0.05, n=60)
    other = table.assign(**{RATING: 1_000 * table[RATING] - 7})
    found, same = (shrinkage(Interactions.of(each)) for each in (table, other))
    assert found == pytest.approx(same, rel=1e-4)


def test_a_side_that_does_not_differ_has_no_biases() -> None:
    data = Interactions.of(drawn((0.0, 0.8, 0.5), 0.1, n=60))
    rating = np.round(data.item % 3 + 1.0).astype(np.float32)
    equal = Interactions(data.users, data.items, data.user, data.item, rating)
    found = shrinkage(equal)
    assert found is not None
    assert found[0] == MOST
    assert abs(Biases.fit(equal, AUTO).user).max() < 1e-3


@pytest.mark.parametrize("case", ["one rating", "one item", "a rating a user", "equal ratings"])
def test_ratings_that_cannot_tell_have_finite_biases(case: str) -> None:
    table = {
        "one rating": pd.DataFrame({USER: [1], ITEM: [1], RATING: [4.0]}),
        "one item": pd.DataFrame({USER: [1, 2, 3], ITEM: 1, RATING: [4.0, 2.0, 5.0]}),
        "a rating a user": pd.DataFrame({USER: [1, 2, 3], ITEM: [1, 1, 2], RATING: [4.0, 2, 5]}),
        "equal ratings": drawn((0.5, 0.8, 1.0), 0.1, n=20).assign(**{RATING: 3.0}),
    }[case]
    data = Interactions.of(table)
    biases = Biases.fit(data, AUTO)
    assert np.isfinite([*biases.user, *biases.item, biases.user_regularization]).all()
    if case != "equal ratings":
        assert AUTO.resolved(data) == (USER_REGULARIZATION, ITEM_REGULARIZATION)


def test_one_side_alone_may_be_estimated_and_numbers_stay() -> None:
    data = Interactions.of(drawn((0.5, 0.8, 1.0), 0.05, n=60))
    found = shrinkage(data)
    assert found is not None
    assert BiasConfig(item_regularization="auto").resolved(data) == (USER_REGULARIZATION, found[1])
    assert BiasConfig(user_regularization=2.0).resolved(data) == (2.0, ITEM_REGULARIZATION)


def test_a_loaded_model_folds_in_with_what_was_estimated(tmp_path: Path) -> None:
    table = drawn((0.5, 0.8, 1.0), 0.05, n=60)
    model = BiasBaseline(bias=AUTO).fit(table)
    model.save(tmp_path)
    history = table[table[USER] == table[USER].iloc[0]]
    before, after = (each.fold_in(history).bias for each in (model, load(tmp_path)))
    assert before == after
    np.testing.assert_allclose(before[0], model._biases.user[0], rtol=1e-12)


@pytest.mark.parametrize("value", [-1.0, "best"])
def test_another_value_is_refused(value: float | str) -> None:
    told = (
        r"bias\.user_regularization: \S+ is not allowed: a number from 0 up, or auto, is expected$"
    )
    with pytest.raises(ConfigError, match=told):
        BiasBaseline(bias={"user_regularization": value})
