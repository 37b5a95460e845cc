from __future__ import annotations

import numba
import numpy as np
import pytest

from cofilter.recommender.kernels.products import PackedItems, best_products
from cofilter.recommender.kernels.topk import top_k


def case(n_users: int, n_items: int, dim: int) -> tuple[np.ndarray, ...]:
    """Users, items with small whole factors (exact sums, many ties), and left-out items."""
    rng = np.random.default_rng(n_items)
    users, items = (rng.integers(-3, 4, (n, dim)).astype(np.float32) for n in (n_users, n_items))
    row, column = np.nonzero(rng.random((n_users, n_items)) < 0.2)
    start = np.r_[0, np.cumsum(np.bincount(row, minlength=n_users))]
    return users, items, start, column.astype(np.int32)


@pytest.mark.parametrize(
    ("n_users", "n_items", "dim"), [(1, 1, 1), (3, 127, 4), (66, 128, 5), (130, 300, 8)]
)
@pytest.mark.parametrize("k", [1, 10, 400])
def test_agrees_with_all_scores(n_users: int, n_items: int, dim: int, k: int) -> None:
    users, items, *left_out = case(n_users, n_items, dim)
    ids, best = best_products(users, PackedItems.of(items), *left_out, min(k, n_items))
    expected = top_k(users @ items.T, *left_out, min(k, n_items))
    assert np.array_equal(ids, expected[0])
    assert np.array_equal(best, expected[1])


def test_users_and_threads_beside_change_no_bit() -> None:
    rng = np.random.default_rng(0)
    users, items = (rng.normal(size=(n, 10)).astype(np.float32) for n in (200, 260))
    nothing = np.zeros(201, np.int64), np.empty(0, np.int32)
    packed = PackedItems.of(items)
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(best_products(users, packed, *nothing, 7))
    finally:
        numba.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    one = best_products(users[70:71], packed, nothing[0][:2], nothing[1], 7)
    assert all(np.array_equal(a[0], b[70]) for a, b in zip(one, results[0], strict=True))


def test_nothing_that_is_not_a_number_is_given() -> None:
    users, items = np.ones((1, 2), np.float32), np.ones((5, 2), np.float32)
    items[3] = np.nan
    ids, _ = best_products(
        users, PackedItems.of(items), np.zeros(2, np.int64), np.empty(0, np.int32), 5
    )
    assert ids.tolist() == [[0, 1, 2, 4, -1]]
    assert not PackedItems.of(items).finite
