from __future__ import annotations

import numba
import numpy as np
import pytest

from cofilter.models.als.kernels.dual import NO_ROW, Few, few_of, most_pairs
from cofilter.models.als.kernels.rows import Objective, Table, gram, solve_rows
from cofilter.models.als.kernels.solve import CHUNK
from cofilter.models.als.kernels.tile import LANES, padded
from cofilter.recommender.sparse import Sparse

LAMBDA = 0.3
ALIKE = np.ones(1, np.float32)


def objective(implicit: bool) -> Objective:
    slope, shift = (2.0, 0.5) if implicit else (1.0, -3.0)
    return Objective(implicit, *(np.float32(number) for number in (slope, shift, LAMBDA)))


def ratings(n_rows: int = 12, n_fixed: int = 300) -> np.ndarray:
    """float64[rows, fixed], 0 where there is none; row 0 has none and row 1 all of them."""
    rng = np.random.default_rng(0)
    dense = rng.integers(1, 6, (n_rows, n_fixed)) * (rng.random((n_rows, n_fixed)) < 0.2)
    dense[0], dense[1] = 0, rng.integers(1, 6, n_fixed)
    return dense.astype(float)


def to_rows(dense: np.ndarray) -> Sparse:
    start = np.r_[0, np.cumsum((dense > 0).sum(axis=1))]
    at = np.nonzero(dense)[1].astype(np.int32)
    return Sparse(start, at, dense[dense > 0].astype(np.float32))


def table(n: int, dim: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    factor = np.zeros((n, padded(dim)), np.float32)
    factor[:, :dim] = rng.normal(0, 0.5, (n, dim))
    return Table(factor, rng.normal(0, 0.5, n).astype(np.float32))


def solved(
    dense: np.ndarray,
    fixed: Table,
    implicit: bool,
    steps: int = 0,
    weight: np.ndarray = ALIKE,
    few: Few = NO_ROW,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    width = fixed.factor.shape[1]
    own, loss = table(len(dense), width, 9), np.full(len(dense), np.nan)
    order = np.arange(len(dense))[::-1].copy()
    solve_rows(
        to_rows(dense), weight, order, fixed, gram(fixed.factor), few, objective(implicit), steps,
        own.factor, own.bias, loss, np.zeros(1, np.int64),
    )  # fmt: skip
    return own.factor, own.bias, loss


def oracle(
    row: np.ndarray, fixed: Table, implicit: bool, weight: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """The row's factor and bias by float64 normal equations, and its part of the objective.

    ``weight``: float64[fixed], read where the row has a rating.
    """
    weight = np.ones(len(row)) if weight is None else weight
    factor, rated = fixed.factor.astype(float), row > 0
    if implicit:
        confidence = np.where(rated, 1 + weight * (2.0 * row + 0.5), 1.0)
        design, target, ridge = factor, rated.astype(float), LAMBDA
    else:
        design = np.c_[factor, np.ones(len(factor))][rated]
        target = row[rated] - 3.0 - fixed.bias[rated]
        confidence, ridge = weight[rated], LAMBDA * rated.sum()
    normal = (design * confidence[:, None]).T @ design + ridge * np.eye(design.shape[1])
    x = np.linalg.solve(normal, design.T @ (confidence * target))
    loss = (confidence * (target - design @ x) ** 2).sum() + ridge * x @ x
    return (np.r_[x, 0.0] if implicit else x), loss


@pytest.mark.parametrize("implicit", [False, True])
def test_cholesky_is_the_exact_minimum_and_its_loss(implicit: bool) -> None:
    dense, fixed = ratings(), table(300, 20, 1)
    assert (dense[1] > 0).sum() > 2 * CHUNK
    factor, bias, loss = solved(dense, fixed, implicit)
    for row in range(1, len(dense)):
        x, value = oracle(dense[row], fixed, implicit)
        np.testing.assert_allclose(np.r_[factor[row], bias[row]], x, atol=2e-5)
        assert loss[row] == pytest.approx(value, rel=1e-5)
    assert not factor[:, 20:].any()


@pytest.mark.parametrize("steps", [0, 60])
@pytest.mark.parametrize("implicit", [False, True])
def test_weights_give_the_exact_minimum_of_the_weighted_objective(
    implicit: bool, steps: int
) -> None:
    dense, fixed = ratings(), table(300, 20, 1)
    weight = np.random.default_rng(4).exponential(1.0, dense.shape)
    weight[2, ::2] = 0.0
    entries = weight[dense > 0].astype(np.float32)
    factor, bias, loss = solved(dense, fixed, implicit, steps, entries)
    for row in range(1, len(dense)):
        x, value = oracle(dense[row], fixed, implicit, weight[row])
        np.testing.assert_allclose(np.r_[factor[row], bias[row]], x, atol=5e-5)
        assert loss[row] == pytest.approx(value, rel=2e-5)


@pytest.mark.parametrize("implicit", [False, True])
def test_many_steps_of_conjugate_gradient_equal_cholesky(implicit: bool) -> None:
    dense, fixed = ratings(), table(300, 20, 1)
    exact, iterated = solved(dense, fixed, implicit), solved(dense, fixed, implicit, 60)
    for a, b in zip(exact, iterated, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("implicit", [False, True])
def test_each_step_of_conjugate_gradient_lowers_the_loss(implicit: bool) -> None:
    dense, fixed = ratings(), table(300, 20, 1)
    losses = [solved(dense, fixed, implicit, steps)[2].sum() for steps in (1, 2, 3, 6)]
    assert (np.diff(losses) < 0).all()


@pytest.mark.parametrize("implicit", [False, True])
def test_a_row_without_ratings_is_zero(implicit: bool) -> None:
    for steps in (0, 3):
        factor, bias, loss = solved(ratings(), table(300, 20, 1), implicit, steps)
        assert not factor[0].any()
        assert bias[0] == loss[0] == 0.0


@pytest.mark.parametrize("weighted", [False, True])
def test_a_row_of_few_pairs_has_the_exact_minimum_too(weighted: bool) -> None:
    dense, fixed = ratings(), table(300, 130, 1)
    dense[2:6, 40:] = 0.0
    weight = np.random.default_rng(4).exponential(1.0, dense.shape)
    weight[3, ::2] = 0.0
    few = few_of(fixed.factor, gram(fixed.factor), LAMBDA)
    n_pairs = (dense > 0).sum(axis=1)
    assert few.most == 72 < n_pairs.max()
    assert ((n_pairs[1:] > 0) & (n_pairs[1:] <= few.most)).sum() > 5
    entries = weight[dense > 0].astype(np.float32) if weighted else ALIKE
    factor, bias, loss = solved(dense, fixed, True, weight=entries, few=few)
    for row in range(1, len(dense)):
        x, value = oracle(dense[row], fixed, True, weight[row] if weighted else None)
        np.testing.assert_allclose(np.r_[factor[row], bias[row]], x, atol=2e-5)
        assert loss[row] == pytest.approx(value, rel=1e-5)
    assert not factor[:, 130:].any()
    without = solved(dense, fixed, True, weight=entries)
    assert not np.array_equal(factor[2:6], without[0][2:6])  # it was the other way
    assert np.array_equal(factor[1], without[0][1])  # a long row has its own equations


def test_narrow_tables_have_no_row_of_few_pairs() -> None:
    assert [most_pairs(width) for width in (16, 64, 80, 256)] == [0, 0, 40, 128]


@pytest.mark.parametrize(("steps", "dim"), [(0, 20), (3, 20), (0, 130)])
def test_threads_and_order_do_not_change_a_bit(steps: int, dim: int) -> None:
    dense, fixed = ratings(200), table(300, dim, 1)
    base = gram(fixed.factor)
    short = few_of(fixed.factor, base, LAMBDA)
    before = numba.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(min(threads, before))
            for implicit in (False, True):
                own, loss = table(len(dense), dim, 9), np.zeros(len(dense))
                few = short if implicit else NO_ROW
                for part in np.split(np.random.default_rng(threads).permutation(200), [70]):
                    solve_rows(
                        to_rows(dense), ALIKE, part, fixed, base, few, objective(implicit), steps,
                        own.factor, own.bias, loss, np.zeros(1, np.int64),
                    )  # fmt: skip
                found.append([own.factor, own.bias, loss])
    finally:
        numba.set_num_threads(before)
    for one, two in zip(found[:2], found[2:], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_not_a_number_shows_in_the_loss() -> None:
    fixed = table(300, 20, 1)
    fixed.factor[5, 3] = np.nan
    for implicit in (False, True):
        assert np.isnan(solved(ratings(), fixed, implicit)[2][1])


@pytest.mark.parametrize("n", [1, 7, 5_000])
def test_gram(n: int) -> None:
    factor = table(n, 40, 2).factor
    expected = factor.astype(float).T @ factor.astype(float)
    np.testing.assert_allclose(gram(factor), expected, rtol=1e-4, atol=1e-4)
    assert np.array_equal(gram(factor), gram(factor).T)


def test_padding() -> None:
    assert [padded(dim) for dim in (1, LANES, LANES + 1)] == [LANES, LANES, 2 * LANES]
