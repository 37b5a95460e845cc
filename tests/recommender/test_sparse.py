from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

import cofilter
from cofilter.core.columns import ITEM, USER
from cofilter.core.matrix import IdMap
from cofilter.recommender.ranking import exclude_matrix
from cofilter.recommender.sparse import ItemLists, as_sparse

DENSE = np.array([[0, 2, 0], [0, 0, 0], [1, 0, 3]], np.float64)


def test_a_matrix_has_the_dtypes_of_the_kernels() -> None:
    matrix = sparse.csr_array(DENSE)
    found = as_sparse(matrix)
    assert [array.dtype for array in found] == [np.int64, np.int32, np.float32]
    assert [array.tolist() for array in found] == [[0, 1, 1, 3], [1, 0, 2], [2, 1, 3]]
    assert as_sparse(matrix, matrix.data - 2).value.tolist() == [0, -1, 1]
    narrow = matrix.astype(np.float32)
    assert as_sparse(narrow).value is narrow.data  # 20 M ratings are not copied


def test_left_out_items_by_row() -> None:
    items = IdMap.of([10, 20, 30])
    pairs = pd.DataFrame({USER: [7, 7, 5], ITEM: [10, 30, 20]})
    some = ItemLists.of(exclude_matrix(pairs, np.array([5, 6, 7]), items), 3)
    assert some.start.tolist() == [0, 1, 1, 3]
    assert some.item.tolist() == [1, 0, 2]
    assert ItemLists.of(None, 3).start.tolist() == [0, 0, 0, 0]


def test_rows_of_what_is_left_out_may_be_taken_in_any_order() -> None:
    some = ItemLists(np.array([0, 2, 2, 5]), np.array([1, 4, 0, 2, 3], np.int32)).take(
        np.array([2, 1, 0, 2])
    )
    assert some.start.tolist() == [0, 3, 3, 5, 8]
    assert some.item.tolist() == [0, 2, 3, 1, 4, 0, 2, 3]


def test_rows_may_be_unknown() -> None:
    some = ItemLists.of(sparse.csr_array(DENSE), 3).take(np.array([-1, 2, -1], np.int32))
    assert some.start.tolist() == [0, 0, 2, 2]
    assert some.item.tolist() == [0, 2]


def test_there_is_one_kind_of_each() -> None:
    """No other module has CSR arrays or lists by row; KNN's tiles hold several a row."""
    found = []
    for path in Path(cofilter.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = getattr(node, "bases", [])
            if any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in bases):
                fields = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign)]
                if fields[0] == "start" and len(fields) <= 3:
                    found.append(node.name)
    assert sorted(found) == ["ItemLists", "Sparse", "Tiles"]
