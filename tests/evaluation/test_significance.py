from __future__ import annotations

import itertools

import numpy as np
import pytest

from cofilter.core.errors import DataError
from cofilter.evaluation.config import UncertaintyConfig
from cofilter.evaluation.intervals import Contributions
from cofilter.evaluation.significance import differences_to_best
from cofilter.evaluation.uncertainty import mean_intervals

CONFIG = UncertaintyConfig(resamples=5000, confidence_level=0.95, seed=0)


def mean_of(values: np.ndarray) -> Contributions:
    return Contributions(values, np.ones(len(values)), root=False)


def pooled(squared: np.ndarray, rows: np.ndarray) -> Contributions:
    return Contributions(squared, rows, root=True)


def test_a_clear_loser_is_told_from_the_best_and_a_twin_is_not() -> None:
    rng = np.random.default_rng(0)
    best = rng.normal(0.5, 0.1, 300)
    twin = best + rng.normal(0.0, 0.1, 300)
    loser = best - rng.normal(0.05, 0.1, 300)
    first, second, third = differences_to_best([mean_of(v) for v in (best, twin, loser)], CONFIG)
    assert (first.best_set, second.best_set, third.best_set) == (True, True, False)
    assert (first.difference, first.low, first.high) == (0.0, 0.0, 0.0)
    assert first.p_holm is first.effect_size is None
    assert second.low <= 0.0 <= second.high
    assert third.high < 0.0
    assert third.p_holm == pytest.approx(2 / 5001)  # nothing reaches it; times two for two tests
    assert third.effect_size == pytest.approx((loser - best).mean() / (loser - best).std(ddof=1))


def test_differences_have_the_interval_of_their_column() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 40))
    _, found = differences_to_best([mean_of(one), mean_of(two)], CONFIG)
    low, high = mean_intervals((two - one)[:, None], CONFIG)
    assert (found.low, found.high) == pytest.approx((low[0], high[0]))
    assert found.difference == pytest.approx((two - one).mean())


def test_pooled_rmse_is_tested_by_exchanging_users_answers() -> None:
    rng = np.random.default_rng(0)
    n = 8
    rows = rng.integers(1, 20, n).astype(float)
    a, b = rows * rng.gamma(1.0, size=(2, n))

    def difference(swapped: tuple[bool, ...]) -> float:
        one = np.where(swapped, b, a).sum()
        two = np.where(swapped, a, b).sum()
        return float(np.sqrt(two / rows.sum()) - np.sqrt(one / rows.sum()))

    observed = difference((False,) * n)
    every = [difference(each) for each in itertools.product([False, True], repeat=n)]
    expected = np.mean([abs(value) >= abs(observed) - 1e-12 for value in every])
    _, found = differences_to_best([pooled(a, rows), pooled(b, rows)], CONFIG)
    assert found.difference == pytest.approx(observed)
    assert found.p_holm == pytest.approx(expected)


def test_equal_models_are_alike() -> None:
    values = np.random.default_rng(0).normal(size=20)
    _, found = differences_to_best([mean_of(values), mean_of(values)], CONFIG)
    assert found.best_set
    assert (found.difference, found.p_holm, found.effect_size) == (0.0, 1.0, None)


def test_one_user_tells_nothing_apart() -> None:
    _, found = differences_to_best([mean_of(np.ones(1)), mean_of(np.zeros(1))], CONFIG)
    assert (found.best_set, found.p_holm, found.effect_size) == (True, 1.0, None)
    assert (found.difference, found.low, found.high) == (-1.0, -1.0, -1.0)


def test_no_models_and_different_users() -> None:
    assert differences_to_best([], CONFIG) == []
    with pytest.raises(DataError, match="different users"):
        differences_to_best([mean_of(np.ones(2)), pooled(np.ones(2), np.array([1.0, 2.0]))], CONFIG)
