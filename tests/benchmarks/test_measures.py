from __future__ import annotations

import numpy as np
import pytest

from benchmarks.dataset import Ratings, dense
from benchmarks.measures import implicit_loss, ndcg, rmse


def ratings(user: list[int], item: list[int], rating: list[float]) -> Ratings:
    return Ratings(np.array(user, np.int32), np.array(item, np.int32), np.array(rating, np.float32))


def test_implicit_loss_equals_the_sum_over_every_cell() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    seen = ratings([0, 0, 2], [1, 3, 2], [1, 1, 1])
    confidence = np.array([2.0, 5.0, 3.0])
    c, p = np.ones((3, 4)), np.zeros((3, 4))
    c[seen.user, seen.item], p[seen.user, seen.item] = confidence, 1
    penalty = 0.3 * ((x**2).sum() + (y**2).sum())
    expected = ((c * (p - x @ y.T) ** 2).sum() + penalty) / c.sum()
    assert implicit_loss(x, y, seen, confidence, 0.3) == pytest.approx(expected)


def test_ndcg_counts_only_relevant_items_of_ranked_users() -> None:
    test = ratings([0, 0, 0, 1, 5], [7, 8, 9, 2, 1], [5, 4, 1, 2, 5])
    lists = np.array([[9, 7, 8], [2, 3, 4]])
    gain = 1 / np.log2([3, 4])
    assert ndcg(lists, test, 3) == pytest.approx(gain.sum() / (1 + 1 / np.log2(3)))


def test_rmse_clips_to_the_scale() -> None:
    assert rmse(np.array([5.0, 1.0]), np.array([9.0, -3.0]), (1.0, 5.0)) == 0


def test_dense_keeps_what_train_knows() -> None:
    train, test = dense(ratings([9, 4], [5, 5], [1, 2]), ratings([4, 9, 7], [5, 6, 5], [3, 4, 5]))
    assert train.user.tolist() == [1, 0]
    assert train.item.tolist() == [0, 0]
    assert (test.user.tolist(), test.rating.tolist()) == ([0], [3])
