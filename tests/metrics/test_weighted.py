from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.metrics.ranking import DEFINITIONS, RelevantWeights, at_k, weighted_at_k
from cofilter.metrics.rating import errors_by_user

WEIGHT = st.floats(0.1, 20)
LONGEST = 10


@st.composite
def lists(draw: st.DrawFn) -> list[tuple[list[float], list[float]]]:
    """Of each user the weights at the ranks of the list, 0 for a miss, and those not found."""
    length = draw(st.integers(1, 8))
    users = []
    for _ in range(draw(st.integers(1, 5))):
        row = draw(st.lists(st.just(0.0) | WEIGHT, min_size=length, max_size=length))
        missed = draw(st.lists(WEIGHT, max_size=4))
        users.append((row, missed if missed or any(row) else [1.0]))
    return users


def by_hand(row: list[float], missed: list[float], k: int) -> dict[str, float]:
    hits = [(rank, w) for rank, w in enumerate(row[:k], start=1) if w]
    relevant = sorted([*filter(None, row), *missed], reverse=True)
    ideal = sum(w / math.log2(rank + 1) for rank, w in enumerate(relevant[:k], start=1))
    recall = sum(w for _, w in hits) / sum(relevant)
    precisions = [w * found / rank for found, (rank, w) in enumerate(hits, start=1)]
    return {
        "precision": len(relevant) / k * recall,
        "recall": recall,
        "hit_rate": float(bool(hits)),
        "mrr": 1 / hits[0][0] if hits else 0.0,
        "map": sum(precisions) / sum(relevant[:k]),
        "ndcg": sum(w / math.log2(rank + 1) for rank, w in hits) / ideal,
    }


def relevant_of(users: list[tuple[list[float], list[float]]]) -> RelevantWeights:
    rows = [(user, w) for user, (row, missed) in enumerate(users) for w in [*row, *missed] if w > 0]
    shuffled = np.random.default_rng(0).permutation(len(rows))
    user, weight = (np.array(each)[shuffled] for each in zip(*rows, strict=True))
    return RelevantWeights.of(user, weight, len(users), LONGEST)


@given(lists(), st.integers(1, LONGEST))
def test_agrees_with_loops(users: list[tuple[list[float], list[float]]], k: int) -> None:
    found = weighted_at_k(np.array([row for row, _ in users]), relevant_of(users), k)
    assert list(found) == list(DEFINITIONS)
    for user, (row, missed) in enumerate(users):
        expected = by_hand(row, missed, k)
        assert {name: each[user] for name, each in found.items()} == pytest.approx(expected)


@given(lists(), st.integers(1, LONGEST), WEIGHT)
def test_equal_weights_give_the_plain_metrics(
    users: list[tuple[list[float], list[float]]], k: int, weight: float
) -> None:
    flat = [([weight * (w > 0) for w in row], [weight] * len(missed)) for row, missed in users]
    relevant = relevant_of(flat)
    array = np.array([row for row, _ in flat])
    plain = at_k(array > 0, relevant.count, k)
    for name, each in weighted_at_k(array, relevant, k).items():
        np.testing.assert_allclose(each, plain[name])


def test_weighted_errors_are_self_normalised() -> None:
    user, truth = np.array([0, 0, 1]), np.array([1.0, 3.0, 5.0])
    errors = errors_by_user(user, truth, np.array([2.0, 3.0, 3.0]), 3, np.array([3.0, 1.0, 0.5]))
    assert errors.rmse() == pytest.approx(math.sqrt((3 * 1 + 0.5 * 4) / 4.5))
    assert errors.mae() == pytest.approx((3 * 1 + 0.5 * 2) / 4.5)
    assert errors.user_rmse() == pytest.approx((math.sqrt(3 / 4) + 2) / 2)


def test_inverse_propensities_take_off_what_exposure_adds() -> None:
    """Saito et al. 2020: the weighted estimate of recall has the mean that full exposure gives."""
    rng = np.random.default_rng(0)
    found, propensity = rng.random((1, 8)) < 0.5, np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.3, 0.2, 0.1])
    found[:, :3] = True  # what is shown most is found
    truth = found.mean()
    seen = rng.random((20_000, 8)) < propensity
    seen = seen[seen.any(axis=1)]
    naive = (seen & found).sum() / seen.sum()
    weight = seen / propensity
    corrected = (weight * found).sum() / weight.sum()
    assert abs(naive - truth) > 0.1
    assert corrected == pytest.approx(truth, abs=0.01)
