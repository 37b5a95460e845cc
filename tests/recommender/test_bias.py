from __future__ import annotations

import numpy as np
import pytest

from cofilter.core.matrix import Interactions
from cofilter.recommender.bias import BiasConfig, Biases
from tests.models.contract import ratings_table


def test_converges_to_the_minimum_of_the_regularised_loss() -> None:
    """At the minimum the gradient of Σ(r − μ − b_u − b_i)² + λ_u Σb_u² + λ_i Σb_i² is zero."""
    data = Interactions.of(ratings_table())
    config = BiasConfig(user_regularization=3.0, item_regularization=2.0, iterations=500)
    biases = Biases.fit(data, config)
    error = (
        data.rating.astype(float) - biases.mean - biases.user[data.user] - biases.item[data.item]
    )
    user = np.bincount(data.user, error) - 3.0 * biases.user
    item = np.bincount(data.item, error) - 2.0 * biases.item
    np.testing.assert_allclose(user, 0, atol=1e-9)
    np.testing.assert_allclose(item, 0, atol=1e-9)


def test_new_user_with_a_known_history_gets_the_known_bias() -> None:
    data = Interactions.of(ratings_table())
    biases = Biases.fit(data, BiasConfig())
    np.testing.assert_allclose(biases.of_new_users(data, data.item), biases.user, rtol=1e-12)


def test_unregularised_bias_of_one_rating_explains_it() -> None:
    data = Interactions.of(ratings_table().iloc[:1])
    config = BiasConfig(user_regularization=0.0, item_regularization=0.0, iterations=3)
    biases = Biases.fit(data, config)
    assert biases.predict(biases.user, np.array([0])) == pytest.approx(data.rating)
