from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy import sparse

from cofilter.models.knn.kernels.similarity import (
    CORATED_COSINE,
    COSINE,
    MSD,
    PEARSON,
    PIECES,
    SUMS,
    Measure,
    n_sums,
    nearest,
    similarity_rows,
)
from cofilter.recommender.sparse import Sparse

MEASURES = [
    Measure(COSINE, 0.0, 0, 1),
    Measure(CORATED_COSINE, 0.0, 0, 1),
    Measure(PEARSON, 0.0, 0, 1),
    Measure(PEARSON, 10.0, 0, 2),
    Measure(CORATED_COSINE, 5.0, 6, 3),
    Measure(COSINE, 0.0, 50, 4),
    Measure(MSD, 2.0, 0, 1),
]


def random_matrix(seed: int = 0) -> np.ndarray:
    """float32[12, 15] with NaN where there is no rating; row 3 is constant, row 5 empty.

    Any two other rows share several columns: with one alone every co-rated cosine would be 1, and
    which of equal neighbours counts would hang on rounding.
    """
    rng = np.random.default_rng(seed)
    dense = rng.normal(3, 1, (12, 15)).astype(np.float32)
    dense[rng.random(dense.shape) < 0.25] = np.nan
    dense[3] = np.where(np.isnan(dense[3]), np.nan, 4.0)
    dense[5] = np.nan
    return dense


def to_sparse(dense: np.ndarray) -> Sparse:
    there = ~np.isnan(dense)
    row, column = np.nonzero(there)
    matrix = sparse.csr_array((dense[there], (row, column)), shape=dense.shape)
    return Sparse(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)


def similarity(x: np.ndarray, y: np.ndarray, measure: Measure) -> float:
    """One pair, straight from the definition."""
    both = ~np.isnan(x) & ~np.isnan(y)
    n = int(both.sum())
    if n < max(measure.min_overlap, 1):
        return 0.0
    a, b = x[both].astype(float), y[both].astype(float)
    if measure.kind == PEARSON:
        a, b = a - a.mean(), b - b.mean()
    if measure.kind == COSINE:
        length = np.sqrt(np.nansum(x.astype(float) ** 2) * np.nansum(y.astype(float) ** 2))
    else:
        length = np.sqrt((a**2).sum() * (b**2).sum())
    if measure.kind == MSD:
        ratio = 1 / (1 + np.mean((a - b) ** 2))
    elif length < 1e-9:
        return 0.0
    else:
        ratio = a @ b / length
    value = ratio * n / (n + measure.shrinkage)
    if measure.significance:
        value *= min(n, measure.significance) / measure.significance
    return float(value)


def all_similarities(dense: np.ndarray, measure: Measure) -> np.ndarray:
    return np.array([[similarity(x, y, measure) for y in dense] for x in dense])


def norms(dense: np.ndarray) -> np.ndarray:
    return np.sqrt(np.nansum(dense.astype(float) ** 2, axis=1))


@pytest.mark.parametrize("measure", MEASURES)
def test_rows_agree_with_the_definition(measure: Measure) -> None:
    dense = random_matrix()
    found = similarity_rows(to_sparse(dense), to_sparse(dense.T), norms(dense), measure)
    np.testing.assert_allclose(found, all_similarities(dense, measure), atol=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_nearest_are_the_largest_positive(measure: Measure) -> None:
    dense = random_matrix(1)
    own = np.arange(len(dense), dtype=np.int32)
    expected = all_similarities(dense, measure).astype(np.float32)
    ids, values = nearest(to_sparse(dense), to_sparse(dense.T), norms(dense), own, measure, 4)
    for row in range(len(dense)):
        others = [b for b in range(len(dense)) if b != row and expected[row, b] > 1e-6]
        best = sorted(-expected[row, b] for b in others)[:4]
        np.testing.assert_allclose(values[row, : len(best)], -np.array(best), atol=1e-6)
        assert (ids[row, len(best) :] == -1).all()
        np.testing.assert_allclose(
            [expected[row, b] for b in ids[row] if b >= 0], values[row, : len(best)], atol=1e-6
        )


def stars(n_rows: int, n_columns: int) -> sparse.csr_array:
    """A tenth of all pairs rated with whole stars: sums of products of them are exact."""
    rng = np.random.default_rng(2)
    matrix = sparse.random_array((n_rows, n_columns), density=0.1, rng=rng, format="csr")
    matrix.data = rng.integers(1, 6, matrix.nnz).astype(np.float32)
    return matrix


def by_products(given: sparse.csr_array, every: sparse.csr_array, measure: Measure) -> np.ndarray:
    """Similarities float64[given, every] from whole matrix products, without any run."""
    (x, x_is), (y, y_is) = [
        (each.astype(np.float64), each.astype(bool).astype(np.float64)) for each in (given, every)
    ]
    xy, xx, yy, n, sx, sy = [
        (left @ right.T).toarray()
        for left, right in (
            (x, y), (x**2, y_is), (x_is, y**2), (x_is, y_is), (x, y_is), (x_is, y)
        )
    ]  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        if measure.kind == COSINE:
            length = np.sqrt(np.outer((x**2).sum(axis=1), (y**2).sum(axis=1)))
            ratio = xy / length
        elif measure.kind == CORATED_COSINE:
            ratio = xy / np.sqrt(xx * yy)
        elif measure.kind == PEARSON:
            ratio = (n * xy - sx * sy) / np.sqrt((n * xx - sx**2) * (n * yy - sy**2))
        else:
            ratio = n / (n + xx + yy - 2 * xy)
        value = ratio * n / (n + measure.shrinkage)
    if measure.significance:
        value *= np.minimum(n, measure.significance) / measure.significance
    return np.where((n >= max(measure.min_overlap, 1)) & np.isfinite(value), value, 0.0)


@pytest.mark.parametrize("measure", MEASURES)
def test_rows_of_a_log_too_long_for_one_run_of_sums(measure: Measure) -> None:
    """Three runs, the last one short; enough copies of the given rows that some share scratch."""
    per_run = SUMS // n_sums(measure)
    every = stars(2 * per_run + 100, 40)
    given = [0, per_run - 1, per_run, 2 * per_run - 1, 2 * per_run, 2 * per_run + 99]
    rows, columns = (
        Sparse(each.indptr.astype(np.int64), each.indices.astype(np.int32), each.data)
        for each in (every[np.tile(given, 1 + PIECES // len(given))], every.T.tocsr())
    )
    length = np.sqrt((every.astype(np.float64) ** 2).sum(axis=1))
    found = similarity_rows(rows, columns, length, measure)
    copies = found.reshape(-1, len(given), len(length))
    np.testing.assert_allclose(copies[0], by_products(every[given], every, measure), atol=1e-6)
    assert (copies == copies[0]).all()


def test_bits_do_not_depend_on_threads() -> None:
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((300, 200)) < 0.2, rng.normal(size=(300, 200)), np.nan)
    dense = dense.astype(np.float32)
    arguments = to_sparse(dense), to_sparse(dense.T), norms(dense), MEASURES[4]
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(similarity_rows(*arguments))
        assert np.array_equal(*results)
    finally:
        numba.set_num_threads(before)
