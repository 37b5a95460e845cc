from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cofilter.evaluation import uncertainty
from cofilter.evaluation.config import UncertaintyConfig
from cofilter.evaluation.uncertainty import (
    holm,
    mean_intervals,
    paired_effect_size,
    ratio_intervals,
    resampled_means,
    sign_flip_p,
)

MANY = UncertaintyConfig(resamples=20_000, confidence_level=0.9, seed=3)
FEW = UncertaintyConfig(resamples=400, confidence_level=0.95, seed=0)


def peer(statistic: object, *samples: np.ndarray) -> tuple[float, float]:
    """SciPy's interval; with several samples, rows are drawn together."""
    found = stats.bootstrap(
        samples,
        statistic,
        paired=len(samples) > 1,
        vectorized=False,
        n_resamples=MANY.resamples,
        confidence_level=MANY.confidence_level,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    return found.low, found.high


@pytest.mark.parametrize("n", [5, 60])
def test_mean_intervals_agree_with_scipy(n: int) -> None:
    values = np.random.default_rng(n).gamma(1.0, size=n)
    low, high = mean_intervals(values[:, None], MANY)
    near = pytest.approx(peer(np.mean, values), abs=0.03 * values.std())
    assert (low[0], high[0]) == near


@pytest.mark.parametrize("root", [False, True])
def test_ratio_intervals_agree_with_scipy(root: bool) -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(1, 30, 80).astype(float)
    squared = rows * rng.gamma(1.0, size=80)

    def pooled(squared: np.ndarray, rows: np.ndarray) -> float:
        ratio = squared.sum() / rows.sum()
        return float(np.sqrt(ratio) if root else ratio)

    low, high = ratio_intervals(squared[:, None], rows[:, None], MANY, root=root)
    assert (low[0], high[0]) == pytest.approx(peer(pooled, squared, rows), abs=0.02)


@given(st.integers(1, 25), st.integers(1, 4), st.integers(0, 2**16))
@settings(max_examples=50)
def test_resampled_means_are_literal_means_of_the_drawn_users(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, m))
    values[rng.random((n, m)) < 0.3] = np.nan
    config = FEW.model_copy(update={"seed": seed, "resamples": 100})
    found = resampled_means(values, config)
    part = values[~np.isnan(values).all(axis=1)]
    if not len(part):
        assert np.isnan(found).all()
        return
    counts = resampled_counts(len(part), config)
    for resample, column in itertools.product(range(100), range(m)):
        drawn = np.repeat(part[:, column], counts[resample])
        drawn = drawn[~np.isnan(drawn)]
        expected = drawn.mean() if len(drawn) else np.nan
        np.testing.assert_allclose(found[resample, column], expected, rtol=1e-9, atol=1e-12)


def resampled_counts(n: int, config: UncertaintyConfig) -> np.ndarray:
    """How often each user is drawn: n times the mean of its indicator."""
    return np.round(resampled_means(np.eye(n), config) * n).astype(int)


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=200)
    two = one + 0.1
    low, high = mean_intervals(np.column_stack([one, two, two - one]), FEW)
    assert (low[1] - low[0], high[1] - high[0]) == pytest.approx((0.1, 0.1))
    assert (low[2], high[2]) == pytest.approx((0.1, 0.1))


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(30, 23))
    values[:7, 5:9] = np.nan
    whole = np.array(mean_intervals(values, FEW))
    monkeypatch.setattr(uncertainty, "_BLOCK", 4)
    # The same resamples, but BLAS may round the sums of fewer columns otherwise.
    np.testing.assert_allclose(np.array(mean_intervals(values, FEW)), whole, rtol=1e-12)


def test_edges_have_a_defined_interval() -> None:
    nan = np.nan
    values = np.array([[nan, 2.0, 1.0], [nan, nan, 1.0], [nan, nan, 1.0], [nan, nan, nan]])
    low, high = mean_intervals(values, FEW)
    np.testing.assert_array_equal(low, [nan, 2.0, 1.0])  # nobody, one user, all alike
    np.testing.assert_array_equal(high, [nan, 2.0, 1.0])
    assert np.isnan(mean_intervals(np.empty((0, 2)), FEW)).all()
    assert mean_intervals(np.empty((3, 0)), FEW)[0].shape == (0,)
    assert np.isnan(ratio_intervals(np.zeros((2, 1)), np.zeros((2, 1)), FEW)).all()


@given(st.lists(st.integers(-3, 3), max_size=8))
@settings(max_examples=50)
def test_p_of_few_users_counts_every_pattern_of_signs(differences: list[int]) -> None:
    values = np.array(differences, float)[:, None] / 7
    patterns = itertools.product([1, -1], repeat=len(differences))
    sums = [sum(s * d for s, d in zip(signs, differences, strict=True)) for signs in patterns]
    expected = np.mean([abs(total) >= abs(sum(differences)) for total in sums])
    config = UncertaintyConfig(resamples=256, confidence_level=0.95, seed=0)
    assert sign_flip_p(values, config)[0] == pytest.approx(expected)


def test_p_of_many_users_agrees_with_scipy() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal((0.0, 0.12, 0.2), size=(200, 3))
    found = sign_flip_p(values, MANY)
    for column in range(3):
        peer = stats.permutation_test(
            (values[:, column],),
            np.sum,
            permutation_type="samples",
            n_resamples=MANY.resamples,
            rng=np.random.default_rng(2),
        )
        assert found[column] == pytest.approx(peer.pvalue, abs=0.02)


def test_p_is_never_zero_and_one_without_differences() -> None:
    values = np.column_stack([np.full(50, 1.0), np.zeros(50), np.full(50, np.nan)])
    assert sign_flip_p(values, FEW).tolist() == [1 / 401, 1.0, 1.0]
    assert sign_flip_p(np.empty((0, 2)), FEW).tolist() == [1.0, 1.0]


def test_p_is_uniform_when_methods_are_alike() -> None:
    rng = np.random.default_rng(0)
    found = sign_flip_p(rng.standard_t(3, size=(40, 2000)), FEW)
    assert stats.kstest(found, "uniform").pvalue > 1e-3


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_steps_down(p: list[float]) -> None:
    order = sorted(range(len(p)), key=lambda at: p[at])
    expected, worst = [0.0] * len(p), 0.0
    for rank, at in enumerate(order):
        worst = max(worst, (len(p) - rank) * p[at])
        expected[at] = min(1.0, worst)
    assert holm(np.array(p)).tolist() == pytest.approx(expected)


def test_holm_of_a_worked_example() -> None:
    # Holm (1979): the smallest of four by 4, the next by 3, …, never below the one before.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )


def test_effect_size_is_the_paired_t_over_root_n() -> None:
    values = np.random.default_rng(0).normal(0.3, 1.0, size=(30, 1))
    t = stats.ttest_1samp(values[:, 0], 0.0).statistic
    assert paired_effect_size(values)[0] == pytest.approx(t / np.sqrt(30))
    edges = np.array([[1.0, np.nan, 0.0], [1.0, 2.0, 0.0]])
    assert np.isnan(paired_effect_size(edges)).all()
