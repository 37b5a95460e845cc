from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.preparation.instants import Instants, instants

SHARES = st.sampled_from([0.05, 0.1, 0.25, 0.4])


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60), SHARES, SHARES)
def test_cuts_where_a_sort_says(times: list[int], validation: float, test: float) -> None:
    ordered, n = sorted(times), len(times)
    test_rows, validation_rows = (max(1, math.floor(s * n + 0.5)) for s in (test, validation))
    cut = max(0, n - test_rows)
    expected = Instants(ordered[max(0, cut - validation_rows)], ordered[cut])
    sizes = [
        sum(t < expected.validation for t in times),
        sum(expected.validation <= t < expected.test for t in times),
        sum(t >= expected.test for t in times),
    ]
    if all(sizes):
        assert instants(np.array(times), validation, test) == expected
        assert sizes[2] >= test_rows
    else:
        with pytest.raises(DataError):
            instants(np.array(times), validation, test)


def test_distinct_times_give_exact_shares_whatever_the_order() -> None:
    times = pd.Series(np.random.default_rng(0).permutation(100))
    assert instants(times, 0.1, 0.2) == Instants(validation=70, test=80)


def test_ties_go_to_the_later_part() -> None:
    assert instants(np.array([1, 2, 3, 4, 5, 5, 5, 9, 9, 9]), 0.4, 0.1) == Instants(5, 9)


def test_empty_part_is_named_with_instants_and_sizes() -> None:
    with pytest.raises(DataError) as error:
        instants(np.full(10, 86400), 0.1, 0.1)
    message = str(error.value)
    assert "86400 (1970-01-02T00:00:00Z)" in message
    assert "train has 0, validation 0 and test 10 rows" in message


def test_empty_log() -> None:
    with pytest.raises(DataError, match="empty"):
        instants(np.array([], dtype=np.int64), 0.1, 0.1)
