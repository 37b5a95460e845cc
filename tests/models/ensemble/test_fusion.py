from __future__ import annotations

import numpy as np
import pytest

from cofilter.core.matrix import UNKNOWN
from cofilter.models.ensemble.fusion import fuse


def test_scores_are_weighted_reciprocal_ranks() -> None:
    rng = np.random.default_rng(0)
    lists = [np.stack([rng.permutation(12)[:5] for _ in range(4)]) for _ in range(3)]
    lists[0][1, 3:] = UNKNOWN  # a user with a short list
    weights = [0.5, 0.2, 0.3]
    expected = np.zeros((4, 12))
    for ranked, weight in zip(lists, weights, strict=True):
        for row, items in enumerate(ranked):
            for rank, item in enumerate(items, start=1):
                if item != UNKNOWN:
                    expected[row, item] += weight / (60 + rank)
    assert fuse(lists, weights, 60.0, 12) == pytest.approx(expected, rel=1e-6)


def test_padding_takes_nothing_from_the_first_item() -> None:
    scores = fuse([np.array([[0, UNKNOWN, UNKNOWN]])], [1.0], 1.0, 2)
    assert scores.tolist() == [[0.5, 0.0]]
