from __future__ import annotations

import numba
import numpy as np
import pytest

import cofilter.models.knn.kernels.neighbours as neighbours
from cofilter.models.knn.kernels.neighbours import nearest_of_all, similarity_matrix
from cofilter.models.knn.kernels.similarity import Measure, nearest, similarity_rows
from tests.models.knn.kernels.test_similarity import MEASURES, norms, random_matrix, to_sparse


def sparse_table(n_rows: int, n_columns: int) -> np.ndarray:
    """Lengths of rows differ, a few rows are twins (ties) and one is empty."""
    rng = np.random.default_rng(0)
    dense = rng.integers(1, 6, (n_rows, n_columns)).astype(np.float32)
    dense[rng.random(dense.shape) > rng.random((n_rows, 1)) ** 2] = np.nan
    dense[5:8] = dense[2]
    dense[4] = np.nan
    return dense


def no_short_rows(n_rows: int, n_columns: int) -> np.ndarray:
    """As `sparse_table`, but the shortest rows have neighbours too, so that each block counts."""
    rng = np.random.default_rng(1)
    dense = rng.integers(1, 6, (n_rows, n_columns)).astype(np.float32)
    dense[rng.random(dense.shape) > rng.uniform(0.4, 1.0, (n_rows, 1))] = np.nan
    return dense


def both_ways(dense: np.ndarray, measure: Measure, k: int) -> tuple[list[np.ndarray], ...]:
    """Neighbours with each pair computed once, and row by row."""
    rows, columns, own = to_sparse(dense), to_sparse(dense.T), np.arange(len(dense), dtype=np.int32)
    once = nearest_of_all(rows, dense.shape[1], norms(dense), measure, k)
    return list(once), list(nearest(rows, columns, norms(dense), own, measure, k))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("small", [False, True])
def test_same_bits_as_row_by_row(
    measure: Measure, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if small:  # many blocks, tiles of four rows
        monkeypatch.setattr(neighbours, "SIMILARITIES", 900)
        monkeypatch.setattr(neighbours, "TILE", 4)
    for dense in (sparse_table(90, 70), no_short_rows(90, 70)):
        once, by_row = both_ways(dense, measure, 6)
        assert all(np.array_equal(a, b) for a, b in zip(once, by_row, strict=True))


def test_blocks_cover_all_tiles_within_their_bound() -> None:
    blocks = neighbours._blocks(100_000, 32)
    assert [tile for block in blocks for tile in block] == list(range(3125))
    assert all(
        neighbours._area(block, 32, 100_000) <= neighbours.SIMILARITIES
        for block in blocks
        if len(block) > 1
    )


def test_scratch_is_bounded_by_lower_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "SCRATCH", 1)  # less than one row needs: a row at a time
    once, by_row = both_ways(random_matrix(), MEASURES[0], 4)
    assert all(np.array_equal(a, b) for a, b in zip(once, by_row, strict=True))


@pytest.mark.parametrize("measure", MEASURES)
def test_the_matrix_holds_each_rows_similarities(measure: Measure) -> None:
    dense = sparse_table(60, 70)
    matrix = similarity_matrix(to_sparse(dense), 70, norms(dense), measure)
    expected = similarity_rows(to_sparse(dense), to_sparse(dense.T), norms(dense), measure)
    np.fill_diagonal(expected, 0.0)
    assert np.array_equal(matrix, expected)


def test_one_row_has_no_neighbour_and_more_are_asked_than_there_are() -> None:
    single = np.array([[3.0, 4.0]], np.float32)
    ids, values = nearest_of_all(to_sparse(single), 2, norms(single), MEASURES[0], 5)
    assert ids.tolist() == [[-1]]
    assert values.tolist() == [[0.0]]
    pair = np.array([[3.0, 4.0], [3.0, np.nan]], np.float32)
    ids, values = nearest_of_all(to_sparse(pair), 2, norms(pair), MEASURES[0], 5)
    assert ids.tolist() == [[1, -1], [0, -1]]
    np.testing.assert_allclose(values, [[0.6, 0.0], [0.6, 0.0]], rtol=1e-6)


def test_bits_do_not_depend_on_threads() -> None:
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(both_ways(sparse_table(200, 150), MEASURES[4], 7)[0])
        assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    finally:
        numba.set_num_threads(before)
