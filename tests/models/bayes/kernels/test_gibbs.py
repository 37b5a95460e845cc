from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pytest
from scipy import sparse

from cofilter.models.bayes.kernels.gibbs import (
    CHUNK,
    LANES,
    Gaussian,
    draw_rows,
    feature_sums,
    residuals,
    sweep_features,
)
from cofilter.models.bayes.kernels.normals import normals
from cofilter.models.bayes.kernels.predict import pair_moments
from cofilter.recommender.kernels.random import stream_key
from cofilter.recommender.sparse import Sparse

N_ROWS, N_OTHER, WIDTH = 12, 300, 11  # rows with more and with fewer ratings than a chunk
GROUPS = 2
KEY = stream_key(0, 1)


def csr(matrix: sparse.csr_array) -> Sparse:
    return Sparse(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float32),
    )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def ratings(rng: np.random.Generator) -> sparse.csr_array:
    share = np.linspace(0.02, 0.95, N_ROWS)[:, None]
    dense = np.where(rng.random((N_ROWS, N_OTHER)) < share, rng.normal(size=(N_ROWS, N_OTHER)), 0)
    dense[0] = 0  # a new user without any
    assert (np.count_nonzero(dense, axis=1) > 2 * CHUNK).any()
    return sparse.csr_array(dense)


class Case:
    """Inputs of `draw_rows`, and what it should give."""

    def __init__(self, ratings: sparse.csr_array, rng: np.random.Generator) -> None:
        self.ratings = ratings
        self.other = rng.normal(size=(N_OTHER, WIDTH)).astype(np.float32)
        self.root = rng.uniform(0.5, 1.5, N_OTHER).astype(np.float32)
        self.own_root = np.ones(1, np.float32)
        self.centre = rng.normal(size=(N_ROWS, WIDTH)).astype(np.float32)
        self.precision = rng.uniform(0.5, 2, WIDTH)
        self.alpha = rng.uniform(0.5, 2, N_ROWS)

    def run(self, key: np.uint64 = KEY, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
        out, error = np.zeros((N_ROWS, WIDTH), np.float32), np.zeros(N_ROWS)
        pieces = np.array([0, 3, 3, 7, N_ROWS])
        draw_rows(
            csr(self.ratings), pieces, self.other, self.root, self.own_root, self.centre,
            self.precision, self.alpha, key, stride, out, error,
        )  # fmt: skip
        return out, error

    def system(self, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Precision matrix, right-hand side, weighted design and target of a row."""
        start, end = self.ratings.indptr[row : row + 2]
        index = self.ratings.indices[start:end]
        design = self.other[index].astype(float)
        target = self.ratings.data[start:end].astype(np.float32) - design[:, -1]
        design[:, -1] = 1.0
        every = np.broadcast_to(self.own_root, self.ratings.nnz)
        weight = self.root[index].astype(float) * every[start:end]
        design, target = design * weight[:, None], target * weight
        matrix = np.diag(self.precision) + self.alpha[row] * design.T @ design
        right = self.precision * self.centre[row] + self.alpha[row] * design.T @ target
        return matrix, right, design, target


@pytest.fixture
def case(ratings: sparse.csr_array, rng: np.random.Generator) -> Case:
    return Case(ratings, rng)


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_are_drawn_from_their_conditional(
    case: Case, rng: np.random.Generator, weighted: bool
) -> None:
    """v = A⁻¹ b + L⁻ᵀ noise, and its error, in plain float64."""
    if weighted:
        case.own_root = np.sqrt(rng.exponential(1.0, case.ratings.nnz)).astype(np.float32)
        case.own_root[::7] = 0.0
    out, error = case.run()
    for row in range(N_ROWS):
        matrix, right, design, target = case.system(row)
        noise = np.empty(WIDTH)
        normals(KEY, row, noise)
        lower = np.linalg.cholesky(matrix)
        expected = np.linalg.solve(matrix, right) + np.linalg.solve(lower.T, noise)
        np.testing.assert_allclose(out[row], expected, rtol=1e-4, atol=1e-4)
        left = target - design @ expected
        assert error[row] == pytest.approx(left @ left, rel=1e-4, abs=1e-4)


def test_stride_zero_gives_all_rows_the_same_noise(case: Case) -> None:
    out, _ = case.run(stride=0)
    matrix, right, _, _ = case.system(5)
    noise = np.empty(WIDTH)
    normals(KEY, 0, noise)
    expected = np.linalg.solve(matrix, right)
    expected += np.linalg.solve(np.linalg.cholesky(matrix).T, noise)
    np.testing.assert_allclose(out[5], expected, rtol=1e-4, atol=1e-4)


class Features:
    """Inputs of `sweep_features`: rows' vectors and the features that the rows have."""

    def __init__(self, ratings: sparse.csr_array, rng: np.random.Generator) -> None:
        self.has = (ratings.toarray()[1:] != 0).astype(float)
        self.rows, self.columns = sparse.csr_array(self.has), sparse.csr_array(self.has.T)
        self.columns.sort_indices()
        n_rows = len(self.has)
        self.x = (1 / np.sqrt(self.has.sum(axis=1))).astype(np.float32)
        self.mass = (self.has * self.x[:, None] ** 2).sum(axis=0)
        self.vector = rng.normal(size=(n_rows, WIDTH)).astype(np.float32)
        self.y = rng.normal(size=(N_OTHER, WIDTH)).astype(np.float32)
        self.precision = rng.uniform(5, 20, WIDTH)
        self.prior = Gaussian(rng.normal(size=WIDTH), rng.uniform(0.5, 2, WIDTH))

    @property
    def grouped(self) -> np.ndarray:
        padded = np.zeros((N_OTHER, GROUPS * LANES), np.float32)
        padded[:, :WIDTH] = self.y
        return np.ascontiguousarray(padded.reshape(N_OTHER, GROUPS, LANES).transpose(1, 0, 2))

    def run(self) -> np.ndarray:
        feature, sums = self.grouped, np.zeros_like(self.vector)
        left = np.zeros((GROUPS, len(self.vector), LANES), np.float32)
        feature_sums(csr(self.rows), self.x, feature, sums)
        residuals(self.vector, sums, self.x, left)
        for first, last in ((0, 100), (100, N_OTHER)):
            sweep_features(
                csr(self.columns), first, last, self.x**2, self.mass, self.precision, self.prior,
                KEY, left, feature,
            )  # fmt: skip
        return feature.transpose(1, 0, 2).reshape(N_OTHER, -1)[:, :WIDTH]


def test_features_are_drawn_from_their_conditionals_in_turn(
    ratings: sparse.csr_array, rng: np.random.Generator
) -> None:
    features = Features(ratings, rng)
    design = features.has * features.x[:, None].astype(float)
    expected = features.y.astype(float)
    noise = np.empty(LANES)
    for j in range(N_OTHER):
        own = design[:, j]
        for f in range(WIDTH):
            normals(KEY, j * GROUPS + f // LANES, noise)
            left = features.vector[:, f] - design @ expected[:, f] + own * expected[j, f]
            tight, loose = features.precision[f], features.prior.precision[f]
            precision = loose + tight * own @ own
            mean = (loose * features.prior.mean[f] + tight * own @ left) / precision
            expected[j, f] = mean + noise[f % LANES] / np.sqrt(precision)
    np.testing.assert_allclose(features.run(), expected, rtol=1e-3, atol=1e-3)


def test_feature_sums(ratings: sparse.csr_array, rng: np.random.Generator) -> None:
    features = Features(ratings, rng)
    sums = np.full_like(features.vector, np.nan)
    feature_sums(csr(features.rows), features.x, features.grouped, sums)
    expected = features.x[:, None] * (features.has @ features.y)
    np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-4)


def test_any_number_of_threads_gives_the_same_bits(
    case: Case, ratings: sparse.csr_array, rng: np.random.Generator
) -> None:
    features = Features(ratings, rng)

    def everything() -> list[np.ndarray]:
        return [*case.run(), features.run()]

    alone, together = with_threads(1, everything), with_threads(2, everything)
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def with_threads(threads: int, work: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        return work()
    finally:
        numba.set_num_threads(before)


def test_normals_are_normal_and_belong_to_their_stream() -> None:
    drawn = np.empty(20_001)
    normals(KEY, 3, drawn)
    assert abs(drawn.mean()) < 0.03
    assert drawn.std() == pytest.approx(1, abs=0.02)
    assert np.mean(np.abs(drawn) > 1.96) == pytest.approx(0.05, abs=0.006)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.03
    again, other_row, other_key = np.empty(7), np.empty(7), np.empty(7)
    normals(KEY, 3, again)
    normals(KEY, 4, other_row)
    normals(stream_key(0, 2), 3, other_key)
    assert np.array_equal(again, drawn[:7])
    assert not np.isin(np.r_[other_row, other_key], drawn).any()


def test_moments_of_pairs(rng: np.random.Generator) -> None:
    n_kept, dim = 4, 3
    factors = [rng.normal(size=(n, n_kept, dim)) for n in (5, 6)]
    biases = [rng.normal(size=(n, n_kept)) for n in (5, 6)]
    noises = [rng.uniform(0.1, 1, (n, n_kept)) for n in (5, 6)]
    user, item = (
        np.concatenate([p.reshape(len(p), -1), b, s], axis=1).astype(np.float32)
        for p, b, s in zip(factors, biases, noises, strict=True)
    )
    row, column = np.array([0, 4, 4], np.int32), np.array([5, 0, 2], np.int32)
    mean, std = pair_moments(user, item, row, column, n_kept, dim)
    scores = (factors[0][row] * factors[1][column]).sum(axis=2)
    scores += biases[0][row] + biases[1][column]
    noise = (noises[0][row] * noises[1][column]).mean(axis=1)
    np.testing.assert_allclose(mean, scores.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(std, np.sqrt(scores.var(axis=1) + noise), rtol=1e-5)
