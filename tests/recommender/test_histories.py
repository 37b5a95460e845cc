from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cofilter.core.matrix import UNKNOWN
from cofilter.recommender.histories import Histories


def ratings(values: list[float]) -> sparse.csr_array:
    """Three users, the second without ratings."""
    items = np.array([1, 3, 0, 2, 3], np.int32)
    return sparse.csr_array((np.array(values, np.float32), items, [0, 2, 2, 5]), shape=(3, 4))


@pytest.mark.parametrize(("values", "code"), [
    ([5, 4, 5, 0.5, 4], np.uint8), ([0, 0, 0, 0, 0], np.uint8), ([-1, 1e6, 0.1, 2, 3], np.uint8),
])  # fmt: skip
def test_ratings_come_back_as_they_were(values: list[float], code: type) -> None:
    found = Histories.of(ratings(values))
    assert found.code.dtype == code
    assert found.rating.tolist() == np.array(values, np.float32).tolist()
    assert (found.matrix(4) != ratings(values)).nnz == 0


@pytest.mark.parametrize(("levels", "code"), [
    (256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.float32),
])  # fmt: skip
def test_many_levels_take_wider_codes(levels: int, code: type) -> None:
    values = np.random.default_rng(0).permutation(levels).astype(np.float32)
    matrix = sparse.csr_array((values, np.arange(levels), [0, levels]), shape=(1, levels))
    found = Histories.of(matrix)
    assert found.code.dtype == code
    assert np.array_equal(found.rating, values)
    assert np.array_equal(found.take(np.array([0])).rating, values)


def test_take_gives_users_in_the_order_asked_for_and_none_for_an_unknown_one() -> None:
    found = Histories.of(ratings([5, 4, 3, 2, 1]), np.arange(5, dtype=np.float32))
    taken = found.take(np.array([2, UNKNOWN, 1, 2, 0]))
    assert np.diff(taken.seen.start).tolist() == [3, 0, 0, 3, 2]
    assert taken.seen.item.tolist() == [0, 2, 3, 0, 2, 3, 1, 3]
    assert taken.rating.tolist() == [3, 2, 1, 3, 2, 1, 5, 4]
    assert taken.weight is not None
    assert taken.weight.tolist() == [2, 3, 4, 2, 3, 4, 0, 1]


@pytest.mark.parametrize("weight", [None, np.arange(5, dtype=np.float32)])
def test_arrays_bring_everything_back(weight: np.ndarray | None) -> None:
    found = Histories.of(ratings([5, 4, 3, 2, 1]), weight)
    again = Histories.restored(found.arrays(with_items=True), None)
    without = Histories.restored(found.arrays(with_items=False), found.seen)
    for each in (again, without):
        assert (each.matrix(4) != found.matrix(4)).nnz == 0
        assert np.array_equal(each.weight, found.weight) or weight is None
