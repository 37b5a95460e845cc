from __future__ import annotations

import pandas as pd

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.reproduction.neighbour import borrowed_from, most_rated


def test_the_most_rated_items_come_first_and_ties_go_to_the_smaller_id() -> None:
    ratings = pd.DataFrame({ITEM: [7, 7, 7, 3, 3, 5, 5, 9], USER: range(8), RATING: 1.0})
    assert most_rated(ratings, 3) == [7, 3, 5]


def test_the_most_similar_user_agrees_most_often() -> None:
    own = pd.DataFrame({ITEM: [1, 2, 3], RATING: [5.0, 1.0, 3.0]})
    others = pd.DataFrame(
        {USER: [9, 9, 8, 8, 8], ITEM: [1, 2, 1, 2, 3], RATING: [5.0, 5.0, 4.0, 2.0, 1.0]}
    )
    assert borrowed_from(own, others, 1.0) == 8
    assert borrowed_from(own.assign(**{ITEM: [7, 8, 9]}), others, 1.0) == 8
