"""What NumPy gives for one user is what the kernels give, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from cofilter.recommender import best
from cofilter.recommender.kernels import popular, topk
from cofilter.recommender.ranking import by_popularity

CASES = range(60)


def left_out(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    item = np.flatnonzero(rng.random(n) < rng.choice([0.0, 0.3, 1.0])).astype(np.int32)
    return np.array([0, len(item)]), item


@pytest.mark.parametrize("seed", CASES)
def test_the_best_of_a_row(seed: int) -> None:
    """With ties, both zeros, and scores that are never given."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(1, 200)), int(rng.integers(1, 30))
    scores = np.round(rng.normal(size=(1, n)), 1).astype(np.float32)
    scores[rng.random((1, n)) < 0.1] = rng.choice([-np.inf, np.nan, -0.0, np.inf])
    start, item = left_out(rng, n)
    expected = topk.top_k(scores.copy(), start, item, k)
    for found, wanted in zip(best._top_of_row(scores[0], item, k), expected, strict=True):
        assert found.dtype == wanted.dtype
        assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("seed", CASES)
def test_the_most_popular_at_the_end_of_a_list(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(1, 60)), int(rng.integers(1, 30))
    popularity = rng.integers(0, 5, n)
    order = by_popularity(popularity)
    start, item = left_out(rng, n)
    items, scores = np.full((1, k), -1, np.int32), np.full((1, k), -np.inf, np.float32)
    own = rng.permutation(np.setdiff1d(np.arange(n), item))[: int(rng.integers(0, k + 1))]
    items[0, : len(own)] = own
    scores[0, : len(own)] = -np.sort(rng.normal(scale=5, size=len(own)))
    expected = items.copy(), scores.copy()
    popular.append_popular(*expected, popularity, order, (start, item))
    best._append_to_row(items[0], scores[0], popularity, order, item)
    assert items.tobytes() == expected[0].tobytes()
    assert scores.tobytes() == expected[1].tobytes()
