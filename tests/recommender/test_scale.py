from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter import EASE, BiasBaseline, MatrixFactorization
from cofilter.core.columns import RATING
from cofilter.core.errors import ConfigError
from cofilter.core.matrix import Interactions
from cofilter.models.als.model import ImplicitALS
from cofilter.recommender.scale import STEP, LearningScale
from tests.models.contract import ratings_table


def rated(*ratings: float) -> Interactions:
    numbers = np.array(ratings, np.float32)
    return Interactions.of(
        pd.DataFrame({"user_id": range(len(numbers)), "item_id": 0, "rating": numbers})
    )


@pytest.mark.parametrize(
    "scale", [(0.2, 1.0), (0.0, 1.0), (0.0, 100.0), (-10.0, 10.0), (1e6, 5e6), (0.5, 5.0)]
)
def test_every_scale_is_learned_as_one_to_five(scale: tuple[float, float]) -> None:
    found = LearningScale.of(scale)
    ratings = np.linspace(*scale, 9)
    learned = found.learned(rated(*ratings)).rating
    assert learned.dtype == np.float32
    assert learned.tolist() == np.linspace(1.0, 5.0, 9).tolist()
    np.testing.assert_allclose(found.ratings(learned), ratings, rtol=1e-7, atol=1e-7 * scale[1])
    assert found.limits == (1.0, 5.0)


def test_one_to_five_is_learned_as_it_is() -> None:
    data = rated(1.0, 3.7, 5.0)
    scale = LearningScale.of((1.0, 5.0))
    assert scale.is_identity
    assert scale.learned(data) is data


def test_equal_ratings_are_learned_as_one() -> None:
    scale = LearningScale.of((3.0, 3.0))
    assert scale.learned(rated(3.0, 3.0)).rating.tolist() == [1.0, 1.0]
    assert scale.ratings(np.ones(1)).tolist() == [3.0]
    assert scale.limits == (1.0, 1.0)


def test_a_rating_between_two_steps_goes_to_the_nearer_one() -> None:
    learned = LearningScale.of((0.0, 100.0)).learned(rated(33.3, 77.7)).rating
    assert (learned / STEP == np.rint(learned / STEP)).all()
    np.testing.assert_allclose(learned, [1 + 33.3 / 25, 1 + 77.7 / 25], atol=STEP)


def test_a_unit_that_is_given_only_divides() -> None:
    scale = LearningScale.of((0.0, 100.0), unit=10.0)
    assert scale.learned(rated(0.0, 25.0)).rating.tolist() == [0.0, 2.5]
    assert scale.limits == (0.0, 10.0)
    assert LearningScale.of((0.5, 5.0), unit=1.0).is_identity
    with pytest.raises(ConfigError, match="unit"):
        BiasBaseline(unit=0.0)


def test_without_a_named_scale_the_extremes_of_train_are_its_ends() -> None:
    table = ratings_table()
    settings: dict[str, Any] = {"dim": 3, "epochs": 3, "optimizer": "sgd"}
    model = MatrixFactorization(**settings).fit(table)
    tens = MatrixFactorization(**settings).fit(table.assign(**{RATING: 10 * table[RATING]}))
    assert (model.scale_, tens.scale_) == ((1.0, 5.0), (10.0, 50.0))
    assert np.array_equal(model.user_, tens.user_)


def test_early_stopping_watches_rmse_in_ratings_of_the_source() -> None:
    table = ratings_table()
    train, validation = table.iloc[::2], table.iloc[1::2]
    histories = []
    for factor in (1.0, 20.0):
        parts = [part.assign(**{RATING: factor * part[RATING]}) for part in (train, validation)]
        model = MatrixFactorization(dim=3, epochs=4, scale=(factor, 5 * factor)).fit(*parts)
        histories.append([row["rmse"] for row in model.history_])
    np.testing.assert_allclose(histories[1], 20 * np.array(histories[0]), rtol=1e-6)


def test_a_model_that_only_ranks_learns_ratings_as_they_are() -> None:
    """Amounts stay amounts: a confidence of 1 + α · rating, and thresholds in the user's unit."""
    table = ratings_table()
    tens = table.assign(**{RATING: 10 * table[RATING]})
    one = ImplicitALS(dim=3, epochs=2, alpha=1.0, min_rating=3).fit(table)
    ten = ImplicitALS(dim=3, epochs=2, alpha=0.1, min_rating=30).fit(tens)
    np.testing.assert_allclose(one.user_, ten.user_, rtol=1e-4, atol=1e-6)
    weights = [EASE(l2=10.0).fit(each).weights_ for each in (table, tens)]
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-6)
