from __future__ import annotations

import numpy as np
import pytest

from benchmarks.resampling import Sums, counted, multinomial, ours, scipy


@pytest.mark.parametrize("side", [ours, counted, multinomial, scipy])
def test_all_sides_sum_the_same_thing(side: Sums) -> None:
    values = np.random.default_rng(0).random((40, 3))
    sums = side(values, 4_000)
    assert sums.shape == (4_000, 3)
    # A sum over n drawn users has n times a user's mean and variance.
    spread = np.sqrt(40 * values.var(axis=0))
    np.testing.assert_allclose(sums.mean(axis=0), values.sum(axis=0), atol=5 * spread.max() / 63)
    np.testing.assert_allclose(sums.std(axis=0), spread, rtol=0.06)
