from __future__ import annotations

import numpy as np
import pytest

from cofilter.core.errors import DataError
from cofilter.recommender.people import People


def people() -> People:
    state = np.arange(6.0).reshape(3, 2)
    return People(
        np.array([2, 5, 9]), state, np.array([0.2, 0.5, 0.9]), np.array([True, False, True])
    )


def test_take_gives_people_in_the_order_asked_for_and_again() -> None:
    taken = people().take([9, 2, 9])
    assert taken.ids.tolist() == [9, 2, 9]
    assert taken.state.tolist() == [[4, 5], [0, 1], [4, 5]]
    assert taken.bias.tolist() == [0.9, 0.2, 0.9]
    assert taken.answered.tolist() == [True, True, True]
    assert len(taken) == 3


def test_take_of_a_stranger_names_them() -> None:
    with pytest.raises(DataError, match="no such person: 3"):
        people().take([2, 3])
