from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import DataError
from cofilter.core.matrix import Interactions
from cofilter.recommender.inputs import checked, list_length, paired


def interactions(rows: list[tuple[object, object, float]]) -> Interactions:
    return Interactions.of(pd.DataFrame(rows, columns=[USER, ITEM, RATING]))


def test_what_can_be_learned_from_comes_as_a_matrix() -> None:
    matrix = checked(interactions([(2, 7, 1.5), (1, 7, 0.0)]), "fit")
    assert matrix.toarray().tolist() == [[0.0], [1.5]]
    assert matrix.nnz == 2


def test_the_first_wrong_row_is_named() -> None:
    rows = [("a", "x", 1.0), ("b", "y", np.inf), ("b", "z", np.nan)]
    with pytest.raises(DataError, match=r"^fit: .* got inf of user 'b' for item 'y'$"):
        checked(interactions(rows), "fit")
    rows = [(1, 7, 1.0), (2, 7, 1.0), (2, 8, 1.0), (2, 7, 4.0), (1, 7, 2.0)]
    with pytest.raises(DataError, match=r"^fold_in: .* several of user 2 for item 7$"):
        checked(interactions(rows), "fold_in")


@pytest.mark.parametrize(
    ("users", "items", "expected"),
    [
        ([1, 2], [3, 4], ([1, 2], [3, 4])),
        (1, [3, 4], ([1, 1], [3, 4])),
        ([1], [3, 4], ([1, 1], [3, 4])),
        ([1, 2], [3], ([1, 2], [3, 3])),
        ([], [3], ([], [])),
        ([1], [], ([], [])),
        ([], [], ([], [])),
    ],
)
def test_a_single_user_or_item_is_repeated(
    users: object, items: list[int], expected: tuple[list[int], list[int]]
) -> None:
    found = paired(users, np.array(items, np.int32))  # type: ignore[arg-type]
    assert (list(found[0]), list(found[1])) == expected


@pytest.mark.parametrize(
    ("users", "items"), [([1, 2], [3, 4, 5]), ([1, 2, 3], [3, 4]), ([], [1, 2])]
)
def test_other_numbers_do_not_pair_up(users: list[int], items: list[int]) -> None:
    with pytest.raises(DataError, match=f"{len(users)} users but {len(items)} items"):
        paired(users, np.array(items, np.int32))


def test_a_list_is_at_most_as_long_as_the_catalogue() -> None:
    assert [list_length(k, 5) for k in (1, 5, 6, np.int64(3), np.uint8(9))] == [1, 5, 5, 3, 5]
    for k in (0, -1, True, np.True_, 1.5, 2.0, "3", None):
        with pytest.raises(DataError, match=r"^k: "):
            list_length(k, 5)  # type: ignore[arg-type]
