from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from threadpoolctl import threadpool_info, threadpool_limits

from cofilter.evaluation.kernels import resampling
from cofilter.evaluation.kernels.resampling import weighted_sums
from cofilter.recommender.kernels.random import stream_key

KEY = stream_key(0, 1)


def weights(n: int, resamples: int, *, flips: bool = False) -> np.ndarray:
    """The weights themselves: sums of an identity matrix."""
    return weighted_sums(np.eye(n), resamples, KEY, flips=flips)


@given(st.integers(1, 70), st.integers(1, 9), st.integers(1, 150), st.booleans())
@settings(max_examples=60)
def test_sums_are_weights_times_values(n: int, m: int, resamples: int, flips: bool) -> None:
    values = np.random.default_rng(n).normal(size=(n, m))
    found = weighted_sums(values, resamples, KEY, flips=flips)
    assert found.shape == (resamples, m)
    np.testing.assert_allclose(found, weights(n, resamples, flips=flips) @ values, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7, 64, 129, 500])
def test_a_resample_draws_as_many_users_as_there_are(n: int) -> None:
    counts = weights(n, 200)
    assert (counts.sum(axis=1) == n).all()
    assert (counts >= 0).all()
    assert (counts == np.round(counts)).all()


def test_counts_are_multinomial() -> None:
    counts = weights(20, 20_000)
    # A user's count is Binomial(20, 1/20); two users' counts have covariance −1/20.
    for user in (0, 19):
        seen = np.bincount(counts[:, user].astype(int), minlength=6)
        chance = stats.binom.pmf(np.arange(5), 20, 1 / 20)
        expected = np.append(chance, 1 - chance.sum()) * len(counts)
        seen = np.append(seen[:5], seen[5:].sum())
        assert stats.chisquare(seen, expected).pvalue > 1e-3
    assert np.cov(counts.T)[~np.eye(20, dtype=bool)].mean() == pytest.approx(-1 / 20, abs=2e-3)


def test_signs_are_fair_and_independent() -> None:
    signs = weights(70, 20_000, flips=True)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert np.abs(signs.mean(axis=0)).max() < 5 / np.sqrt(len(signs))
    assert np.abs(np.corrcoef(signs.T) - np.eye(70)).max() < 5 / np.sqrt(len(signs))


@pytest.mark.parametrize("flips", [False, True])
def test_same_bits_for_any_threads_and_number_of_resamples(
    monkeypatch: pytest.MonkeyPatch, flips: bool
) -> None:
    monkeypatch.setattr(resampling, "SMALL", 0)
    values = np.random.default_rng(0).normal(size=(197, 300))
    before = numba.get_num_threads()
    with threadpool_limits(2, user_api="blas"):
        found = weighted_sums(values, 190, KEY, flips=flips)
    try:
        numba.set_num_threads(1)
        with threadpool_limits(1, user_api="blas"):
            alone = weighted_sums(values, 190, KEY, flips=flips)
    finally:
        numba.set_num_threads(before)
    assert (found == alone).all()
    some = weighted_sums(values[:, 200:203], 70, KEY, flips=flips)
    np.testing.assert_allclose(some, found[:70, 200:203], atol=1e-12)
    assert (weighted_sums(values, 5, stream_key(0, 2), flips=flips) != found[:5]).any()


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("block", [1, 3 * 65, 10 * 65])
def test_blocks_of_resamples_change_nothing(
    monkeypatch: pytest.MonkeyPatch, flips: bool, block: int
) -> None:
    whole = weights(65, 10, flips=flips)
    monkeypatch.setattr(resampling, "_BLOCK", block)
    assert (weights(65, 10, flips=flips) == whole).all()
    assert len(np.unique(whole, axis=0)) == 10


def test_the_callers_threads_come_back() -> None:
    before = threadpool_info()
    weights(5, 5)
    assert threadpool_info() == before
