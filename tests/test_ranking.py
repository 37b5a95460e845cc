from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.columns import ITEM, USER
from cofilter.matrix import IdMap
from cofilter.ranking import exclude_matrix, to_ids


def test_excluded_pairs_in_the_order_of_the_users_asked_for() -> None:
    items = IdMap.of([10, 20, 30])
    pairs = pd.DataFrame({USER: [7, 7, 5, 9, 7], ITEM: [10, 30, 20, 10, 99]})
    matrix = exclude_matrix(pairs, np.array([7, 5, 7, 4]), items)
    assert matrix is not None
    row = [1, 0, 1]
    assert matrix.toarray().astype(int).tolist() == [row, [0, 1, 0], row, [0, 0, 0]]
    assert exclude_matrix(None, np.array([7]), items) is None


def test_padding_of_ids() -> None:
    index = np.array([[1, -1]], np.int32)
    assert to_ids(index, IdMap.of([10, 20])).tolist() == [[20, -1]]
    assert to_ids(index, IdMap.of(["a", "b"])).tolist() == [["b", ""]]
