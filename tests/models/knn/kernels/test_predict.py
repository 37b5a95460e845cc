from __future__ import annotations

import numba
import numpy as np
import pytest

from cofilter.models.knn.kernels.neighbours import similarity_matrix
from cofilter.models.knn.kernels.predict import (
    Known,
    Pairs,
    Table,
    deviations,
    deviations_on_demand,
    grouped,
    lookup_table,
    weighted_sums,
)
from cofilter.models.knn.kernels.similarity import Measure
from cofilter.recommender.kernels.topk import top_k
from tests.models.knn.kernels.test_similarity import (
    MEASURES,
    all_similarities,
    norms,
    random_matrix,
    to_sparse,
)


def all_pairs(given: np.ndarray, n_columns: int, own: float = 0.0) -> Pairs:
    """Each given row with each column; ``own``: a row's similarity to itself."""
    place = np.repeat(np.arange(len(given), dtype=np.int32), n_columns)
    column = np.tile(np.arange(n_columns, dtype=np.int32), len(given))
    return Pairs(given.astype(np.int32), np.float32(own), *grouped(place, len(given)), column)


def on_demand(
    dense: np.ndarray, given: np.ndarray, measure: Measure, k: int, own: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    pairs, columns = all_pairs(given, dense.shape[1], own), to_sparse(dense.T)
    rows = to_sparse(dense[given])
    return deviations_on_demand(rows, columns, norms(dense), measure, k, pairs, columns)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("k", [1, 3, 50])
@pytest.mark.parametrize("own", [0.0, 1.0])
def test_agrees_with_a_plain_loop(measure: Measure, k: int, own: float) -> None:
    dense = random_matrix(2)
    weights, given = all_similarities(dense, measure), np.array([0, 2, 5, 7])
    np.fill_diagonal(weights, own)
    found, used = on_demand(dense, given, measure, k, own)
    at = 0
    for row in given:
        for column in range(dense.shape[1]):
            able = [
                (weights[row, b], b)
                for b in range(len(dense))
                if not np.isnan(dense[b, column]) and weights[row, b] > 1e-12
            ]
            best = sorted(able, key=lambda pair: (-pair[0], pair[1]))[:k]
            assert used[at] == len(best)
            if best:
                total = sum(w for w, _ in best)
                expected = sum(w * dense[b, column] for w, b in best) / total
                assert found[at] == pytest.approx(expected, abs=1e-6)
            at += 1


@pytest.mark.parametrize("measure", [MEASURES[0], MEASURES[4]])
@pytest.mark.parametrize("k", [1, 4, 60])
@pytest.mark.parametrize("n_near", [12, 60])
@pytest.mark.parametrize("own", [0.0, 1.0])
def test_every_way_gives_the_same_bits(measure: Measure, k: int, n_near: int, own: float) -> None:
    """Computed on demand, from the candidates, and from the nearest rows; ties included."""
    rng = np.random.default_rng(1)
    dense = rng.integers(1, 4, (60, 40)).astype(np.float32)
    dense[rng.random(dense.shape) > rng.random((1, 40))] = np.nan
    dense[10:30] = dense[40:60]
    given = np.arange(60)
    lists, pairs = to_sparse(dense.T), all_pairs(given, 40, own)
    matrix = similarity_matrix(to_sparse(dense), 40, norms(dense), measure)
    np.fill_diagonal(matrix, own)
    nobody = np.zeros(61, np.int64), np.empty(0, np.int32)
    near, weight = top_k(matrix.copy(), *nobody, n_near)
    known = Known(matrix, near, weight, (weight > 0).sum(axis=1))
    table = Table(*lookup_table(lists, 60))
    none = Table(np.empty((0, 0), np.uint64), np.empty((0, 0), np.float32))
    expected = on_demand(dense, given, measure, k, own)
    for way in (table, none):
        answer = deviations(known, k, pairs, lists, way)
        assert all(np.array_equal(a, b) for a, b in zip(answer, expected, strict=True))
    assert (expected[1] > 0).mean() > 0.5


def test_grouping_keeps_the_order_of_entries() -> None:
    start, entries = grouped(np.array([2, 0, 2, 2, 0], np.int32), 4)
    assert start.tolist() == [0, 2, 2, 5, 5]
    assert entries.tolist() == [1, 4, 0, 2, 3]


def test_weighted_sums_are_a_matrix_product_and_tell_a_sum_of_zero_from_none() -> None:
    dense = random_matrix(3)
    dense[0] = np.nan
    dense[0, :3] = [1.0, 1.0, 0.0]
    dense[1, :3] = [2.0, -2.0, 5.0]  # a sum of 0
    dense[2, :3] = np.nan  # none
    found = weighted_sums(to_sparse(dense), to_sparse(dense.T), len(dense))
    there = ~np.isnan(dense)
    summed = (there[:, None] & there[None]).any(axis=2)
    assert (found[~summed] == -np.inf).all()
    assert found[0, 1] == 0.0
    assert not summed[0, 2]
    product = np.nan_to_num(dense) @ np.nan_to_num(dense).T
    np.testing.assert_allclose(found[summed], product[summed], rtol=1e-5)


def test_bits_do_not_depend_on_threads() -> None:
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((120, 90)) < 0.2, rng.normal(size=(120, 90)), np.nan)
    dense = dense.astype(np.float32)
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(on_demand(dense, np.arange(120), MEASURES[4], 5))
        assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    finally:
        numba.set_num_threads(before)
