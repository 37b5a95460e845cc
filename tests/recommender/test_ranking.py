from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, USER
from cofilter.core.matrix import IdMap
from cofilter.recommender.ranking import (
    exclude_matrix,
    items_with_biases,
    to_ids,
    users_with_constants,
)


def test_excluded_pairs_in_the_order_of_the_users_asked_for() -> None:
    items = IdMap.of([10, 20, 30])
    pairs = pd.DataFrame({USER: [7, 7, 5, 9, 7], ITEM: [10, 30, 20, 10, 99]})
    matrix = exclude_matrix(pairs, np.array([7, 5, 7, 4]), items)
    assert matrix is not None
    row = [1, 0, 1]
    assert matrix.toarray().astype(int).tolist() == [row, [0, 1, 0], row, [0, 0, 0]]
    assert exclude_matrix(None, np.array([7]), items) is None


def test_padding_of_ids() -> None:
    index = np.array([[1, -1]], np.int32)
    assert to_ids(index, IdMap.of([10, 20])).tolist() == [[20, -1]]
    assert to_ids(index, IdMap.of(["a", "b"])).tolist() == [["b", ""]]


def test_products_of_factors_with_constants_are_biased_scores() -> None:
    rng = np.random.default_rng(0)
    user, item = (rng.normal(size=(n, 4)).astype(np.float32) for n in (3, 5))
    constant, bias = rng.normal(size=3), rng.normal(size=5).astype(np.float32)
    left, right = users_with_constants(user, constant), items_with_biases(item, bias)
    assert left.dtype == right.dtype == np.float32
    expected = user @ item.T + constant[:, None] + bias
    np.testing.assert_allclose(left @ right.T, expected, atol=1e-5)
