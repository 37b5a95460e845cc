from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cofilter.recommender.kernels.topk import top_k

# Few distinct values, so that ties are the rule.
scores = arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 12)),
    elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0, np.nan]),
)


@given(scores, st.integers(1, 14), st.randoms(use_true_random=False))
def test_agrees_with_sorting(values: np.ndarray, k: int, random: object) -> None:
    rows, columns = values.shape
    rng = np.random.default_rng(random.randint(0, 2**32))  # type: ignore[attr-defined]
    excluded = rng.random(values.shape) < 0.3
    start = np.r_[0, np.cumsum(excluded.sum(axis=1))]
    ids, best = top_k(values.copy(), start, np.nonzero(excluded)[1].astype(np.int32), k)
    for row in range(rows):
        allowed = [c for c in range(columns) if not excluded[row, c] and values[row, c] > -np.inf]
        expected = sorted(allowed, key=lambda c: (-values[row, c], c))[:k]
        padding = k - len(expected)
        assert ids[row].tolist() == expected + [-1] * padding
        assert best[row].tolist() == values[row, expected].tolist() + [-np.inf] * padding


@pytest.mark.parametrize("columns", [63, 64, 65, 1_000])
def test_long_rows_with_ties_agree_with_sorting(columns: int) -> None:
    rng = np.random.default_rng(columns)
    values = rng.integers(0, columns // 8, (20, columns)).astype(np.float32)
    values[0] = 1.0  # all equal
    values[1] = np.arange(columns)  # each beats all before it
    ids, best = top_k(values.copy(), np.zeros(21, np.int64), np.empty(0, np.int32), 9)
    expected = np.argsort(-values, axis=1, kind="stable")[:, :9]
    assert np.array_equal(ids, expected)
    assert np.array_equal(best, np.take_along_axis(values, expected, axis=1))
