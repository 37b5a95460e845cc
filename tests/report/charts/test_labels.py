from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cofilter.report.charts.labels import LETTER_PX, pixels, sides, spread

FINITE = st.floats(-100, 100)


@given(st.lists(FINITE, min_size=1, max_size=12), st.floats(0.1, 10))
def test_spread_labels_keep_their_order_and_their_distance(values: list[float], gap: float) -> None:
    given_values = np.array(values)
    placed = spread(given_values, gap)
    order = np.argsort(given_values, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-9).all()
    assert np.isclose(placed.mean(), given_values.mean())  # none drifts off with the others


def test_labels_with_room_stay_where_they_are() -> None:
    values = np.array([5.0, 1.0, 3.0])
    assert spread(values, 2.0).tolist() == values.tolist()


def test_a_name_stands_where_it_covers_nothing() -> None:
    alone = sides(np.array([[50.0, 0.0]]), ["ab"], 200)
    assert alone == ["right"]
    at_the_edge = sides(np.array([[195.0, 0.0]]), ["long name"], 200)
    assert at_the_edge == ["left"]
    beside = np.array([[50.0, 0.0], [60.0, 0.0]])
    assert sides(beside, ["first", "second"], 200) == ["left", "right"]
    crowd = np.array([[50.0 + LETTER_PX * x, 7.0 * y] for x in range(4) for y in range(4)])
    found = sides(crowd, ["a name"] * 16, 200)
    assert "" in found
    assert any(found)


def test_pixels_span_the_axis() -> None:
    assert pixels(pd.Series([2.0, 4.0, 3.0]), 100).tolist() == [0.0, 100.0, 50.0]
    assert pixels(pd.Series([2.0, 2.0]), 100).tolist() == [0.0, 0.0]
