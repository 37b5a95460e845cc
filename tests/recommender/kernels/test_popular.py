from __future__ import annotations

import numba
import numpy as np
import pytest

from cofilter.recommender.kernels.popular import append_popular
from cofilter.recommender.ranking import by_popularity

POPULARITY = np.array([3, 9, 3, 1, 9, 2], np.int64)  # in order: 1, 4, 0, 2, 5, 3
NOBODY = np.empty(0, np.int32)


def filled(
    items: list[list[int]], scores: list[list[float]], excluded: list[list[int]] | None = None
) -> tuple[list[list[int]], list[list[float]]]:
    """Lists filled up from POPULARITY, padded with −1 and −inf to the length of the longest."""
    rows = np.array(items, np.int32), np.array(scores, np.float32)
    left_out = [[] for _ in items] if excluded is None else excluded
    start = np.r_[0, np.cumsum([len(row) for row in left_out])]
    flat = np.array([item for row in left_out for item in row], np.int32)
    append_popular(*rows, POPULARITY, by_popularity(POPULARITY), (start, flat))
    return rows[0].tolist(), rows[1].tolist()


def test_an_empty_list_is_the_popularity_ranking() -> None:
    items, scores = filled([[-1] * 6], [[-np.inf] * 6])
    assert items == [[1, 4, 0, 2, 5, 3]]
    assert scores == [[9.0, 9.0, 3.0, 3.0, 2.0, 1.0]]


@pytest.mark.parametrize(
    ("lowest", "tail"),
    [(0.5, [-1.0, -7.0, -7.0]), (0.0, [-1.0, -7.0, -7.0]), (-0.25, [-1.25, -7.25, -7.25]),
     (-100.0, [-200.0, -800.0, -800.0])],
)  # fmt: skip
def test_a_list_goes_on_below_its_lowest_score(lowest: float, tail: list[float]) -> None:
    items, scores = filled([[4, 3, -1, -1, -1]], [[2.0, lowest] + [-np.inf] * 3])
    assert items == [[4, 3, 1, 0, 2]]
    assert scores == [[2.0, lowest, *tail]]


def test_what_a_list_holds_or_must_not_hold_takes_no_further_place() -> None:
    items, scores = filled(
        [[-1, -1], [0, -1], [5, 2], [1, -1]],
        [[-np.inf, -np.inf], [1.0, -np.inf], [7.0, 6.0], [1.0, -np.inf]],
        [[1, 4], [2], [1], [0, 2, 3, 4, 5]],
    )
    assert items == [[0, 2], [0, 1], [5, 2], [1, -1]]
    assert scores[0] == [3.0, 3.0]
    assert scores[2:] == [[7.0, 6.0], [1.0, -np.inf]]


def test_scores_fall_strictly_with_popularity_far_below_zero() -> None:
    popularity = np.arange(1, 5001)[::-1].astype(np.int64)
    items, scores = np.full((1, 5000), -1, np.int32), np.full((1, 5000), -np.inf, np.float32)
    items[0, 0], scores[0, 0] = 4999, -1.7e6
    nobody = np.zeros(2, np.int64), NOBODY
    append_popular(items, scores, popularity, by_popularity(popularity), nobody)
    assert items[0].tolist() == [4999, *range(4999)]
    assert (np.diff(scores[0]) < 0).all()


def test_every_row_is_filled_by_itself_with_any_number_of_threads() -> None:
    """Rows of all beginnings, more than there are pieces, against a plain loop."""
    rng = np.random.default_rng(0)
    n_items, k = 40, 12
    popularity = rng.integers(1, 9, n_items)
    order = np.argsort(-popularity, kind="stable")
    n_rows = 301
    excluded = [np.sort(rng.choice(n_items, rng.integers(0, 35), False)) for _ in range(n_rows)]
    start = np.r_[0, np.cumsum([len(row) for row in excluded])]
    left_out = np.concatenate(excluded).astype(np.int32)
    items, scores = np.full((n_rows, k), -1, np.int32), np.full((n_rows, k), -np.inf, np.float32)
    expected = []
    for row in range(n_rows):
        free = rng.permutation(np.setdiff1d(np.arange(n_items), excluded[row]))
        begun = free[: rng.integers(0, min(len(free), k) + 1)]
        items[row, : len(begun)] = begun
        scores[row, : len(begun)] = np.sort(rng.normal(size=len(begun)))[::-1]
        rest = [item for item in order if item in free and item not in begun]
        expected.append([*begun.tolist(), *rest, *[-1] * k][:k])
    before = numba.get_num_threads()
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            given = items.copy()
            append_popular(given, scores.copy(), popularity, order, (start, left_out))
            assert given.tolist() == expected
        few = items[:9].copy()  # which one thread does
        append_popular(few, scores[:9].copy(), popularity, order, (start[:10], left_out))
        assert few.tolist() == expected[:9]
    finally:
        numba.set_num_threads(before)
