from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.errors import DataError
from cofilter.core.matrix import Interactions
from cofilter.core.weights import weights_of


def table(weight: list[float]) -> pd.DataFrame:
    n = len(weight)
    return pd.DataFrame(
        {
            "user_id": np.arange(n)[::-1],
            "item_id": 7 - np.arange(n),
            "rating": 3.0,
            "weight": weight,
        }
    )


@pytest.mark.parametrize("bad", [-0.5, np.nan, np.inf, 1e300])
def test_a_bad_weight_is_named_by_row(bad: float) -> None:
    with pytest.raises(DataError, match=r"column weight, row 2 \(counted from 1\): .* from 0 up"):
        weights_of(table([1.0, bad, 0.0]))


def test_weights_follow_the_stored_entries_of_both_orders() -> None:
    data = Interactions.of(table([1.0, 2.0, 4.0]))
    assert data.weight_by_user.tolist() == [4.0, 2.0, 1.0]  # user 0 is the last row
    assert data.weight_by_item.tolist() == [4.0, 2.0, 1.0]
    without = Interactions.of(table([1.0, 2.0, 4.0]).drop(columns="weight"))
    assert without.weight is None
    assert without.weight_by_user.tolist() == [1.0]


def test_weights_are_part_of_the_hash_and_only_where_they_are() -> None:
    plain = Interactions.of(table([1.0, 1.0]).drop(columns="weight")).sha256
    hashes = {Interactions.of(table(weight)).sha256 for weight in ([1.0, 1.0], [1.0, 2.0])}
    assert len(hashes | {plain}) == 3
