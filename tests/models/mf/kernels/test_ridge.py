from __future__ import annotations

import numba
import numpy as np
import pytest

from cofilter.models.mf.kernels.ridge import ridge_rows


@pytest.mark.parametrize("constant", [1.0, 0.0])
def test_each_person_s_ridge_is_numpy_s_on_any_threads(constant: float) -> None:
    rng = np.random.default_rng(0)
    count = rng.integers(0, 30, 70)
    count[3] = 0
    start = np.concatenate([[0], np.cumsum(count)])
    item = rng.integers(0, 25, start[-1]).astype(np.int32)
    target, penalty = rng.normal(size=start[-1]), rng.uniform(0.1, 3, 70)
    table, weight = rng.normal(size=(25, 7)).astype(np.float32), rng.uniform(0.2, 2, start[-1])
    before, found = numba.get_num_threads(), []
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        found.append(ridge_rows(start, item, target, table, weight, penalty, constant))
    numba.set_num_threads(before)
    assert np.array_equal(*found)
    assert not found[0][3].any()
    q = table.astype(float)
    q[:, -1] = constant
    for person in range(70):
        rows = slice(start[person], start[person + 1])
        x, w = q[item[rows]], weight[rows]
        normal = (x.T * w) @ x + penalty[person] * np.eye(7)
        expected = np.linalg.solve(normal, (x.T * w) @ target[rows])
        np.testing.assert_allclose(found[0][person], expected, atol=1e-10)
