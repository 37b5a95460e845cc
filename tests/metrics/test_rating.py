from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.metrics.rating import DEFINITIONS, errors_by_user, mae, rmse

RATINGS = st.floats(0.5, 5.0, width=32)
ROWS = st.lists(st.tuples(st.integers(0, 4), RATINGS, RATINGS), max_size=30)


def by_hand(rows: list[tuple[int, float, float]]) -> dict[str, float | None]:
    if not rows:
        return dict.fromkeys(DEFINITIONS)
    users = sorted({user for user, _, _ in rows})
    squared = {u: [(t - p) ** 2 for user, t, p in rows if user == u] for u in users}
    absolute = {u: [abs(t - p) for user, t, p in rows if user == u] for u in users}
    return {
        "rmse": math.sqrt(sum(map(sum, squared.values())) / len(rows)),
        "mae": sum(map(sum, absolute.values())) / len(rows),
        "user_rmse": sum(math.sqrt(sum(e) / len(e)) for e in squared.values()) / len(users),
        "user_mae": sum(sum(e) / len(e) for e in absolute.values()) / len(users),
    }


@given(ROWS)
def test_agrees_with_loops(rows: list[tuple[int, float, float]]) -> None:
    user = np.array([row[0] for row in rows], np.int64)
    truth = np.array([row[1] for row in rows], np.float32)
    predicted = np.array([row[2] for row in rows], np.float32)
    found = errors_by_user(user, truth, predicted, 5).metrics()
    expected = by_hand(rows)
    assert list(found) == list(expected)
    if not rows:
        assert found == expected
        assert rmse(truth, predicted) is None
        assert mae(truth, predicted) is None
        return
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert rmse(truth, predicted) == pytest.approx(expected["rmse"], rel=1e-9, abs=1e-12)
    assert mae(truth, predicted) == pytest.approx(expected["mae"], rel=1e-9, abs=1e-12)


def test_users_without_rows_keep_their_place_but_do_not_count() -> None:
    errors = errors_by_user(np.array([2]), np.array([3.0]), np.array([1.0]), 4)
    assert errors.rows.tolist() == [0, 0, 1, 0]
    assert errors.squared.tolist() == [0, 0, 4, 0]
    assert errors.user_rmse() == 2.0
    each = errors.by_user()
    np.testing.assert_array_equal(each["user_rmse"], [np.nan, np.nan, 2.0, np.nan])
    np.testing.assert_array_equal(each["user_mae"], [np.nan, np.nan, 2.0, np.nan])
