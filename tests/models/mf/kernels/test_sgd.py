from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cofilter.core.matrix import Interactions
from cofilter.models.mf.kernels.blocks import GROUPS, Grid, cut
from cofilter.models.mf.kernels.sgd import PIECES, Side, Step, balanced, sgd_diagonal
from cofilter.recommender.kernels.pairs import pair_scores
from tests.models.contract import ratings_table

DIM, WIDTH, LR, L2 = 5, 16, 0.05, 0.2


def side(rows: int, seed: int) -> Side:
    rng = np.random.default_rng(seed)
    factors = np.zeros((rows, WIDTH), np.float32)
    factors[:, :DIM] = rng.normal(size=(rows, DIM))
    bias = rng.normal(size=rows).astype(np.float32)
    return Side(factors, bias, np.full(rows, 0.1, np.float32))


def one_by_one(grid: Grid, shift: int, users: Side, items: Side, adaptive: bool) -> float:
    """The docstring in float64: one rating after the other, block after block."""
    (p, bu, su), (q, bi, si) = users, items
    n_users, error = len(bu), 0.0
    for a in range(GROUPS):
        for u in range(grid.user_bound[a], grid.user_bound[a + 1]):
            key = (a + shift) % GROUPS * n_users + u
            for at in range(grid.start[key], grid.start[key + 1]):
                i = grid.item[at]
                e = grid.value[at] - bu[u] - bi[i] - p[u] @ q[i]
                weight = float(grid.weight[at if len(grid.weight) > 1 else 0])
                error += weight * e * e
                pull = weight * e
                gu, gi = pull * q[i] - L2 * p[u], pull * p[u] - L2 * q[i]
                rate_u = rate_i = LR
                if adaptive:
                    rate_u, rate_i = LR / np.sqrt(su[u]), LR / np.sqrt(si[i])
                    su[u] += gu @ gu / DIM
                    si[i] += gi @ gi / DIM
                p[u] += rate_u * gu
                q[i] += rate_i * gi
                bu[u] += rate_u * (pull - L2 * bu[u])
                bi[i] += rate_i * (pull - L2 * bi[i])
    return error


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("adaptive", [False, True])
def test_diagonals_are_the_written_out_steps(adaptive: bool, weighted: bool) -> None:
    data = Interactions.of(ratings_table(40, 30))
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.0, 2, len(data)).astype(np.float32) if weighted else None
    grid = cut(data.user, data.item, data.rating - np.float32(3), weight, data.shape, rng)
    users, items = side(40, 1), side(30, 2)
    slow = [Side(*(array.astype(np.float64) for array in each)) for each in (users, items)]
    step = Step(np.float32(LR), np.float32(L2), np.float32(DIM), adaptive, True)
    seen = 0
    for shift in range(GROUPS):
        errors, count = sgd_diagonal(grid, shift, 0, 1, users, items, step)
        expected = one_by_one(grid, shift, *slow, adaptive)
        assert errors.sum() == pytest.approx(expected, rel=1e-4)
        seen += count.sum()
    assert seen == len(data)
    for fast, exact in zip((users, items), slow, strict=True):
        np.testing.assert_allclose(fast.factors, exact.factors, atol=1e-4)
        np.testing.assert_allclose(fast.bias, exact.bias, atol=1e-4)
        if adaptive:
            np.testing.assert_allclose(fast.squares, exact.squares, rtol=1e-3)


@pytest.mark.parametrize("calls", [1, 3])
def test_pieces_cover_every_row_once(calls: int) -> None:
    start = np.concatenate([[0], np.cumsum(np.random.default_rng(0).integers(0, 9, 500))])
    pieces = balanced(start, calls)
    assert pieces.shape == (calls, PIECES + 1)
    rows = [range(a, b) for piece in pieces for a, b in pairwise(piece)]
    assert [row for piece in rows for row in piece] == list(range(500))
    assert max(start[piece.stop] - start[piece.start] for piece in rows) < 500 * 9 / PIECES + 9


def test_pair_scores_are_the_formula() -> None:
    rng = np.random.default_rng(0)
    user, item = (rng.normal(size=(9, 6)).astype(np.float32) for _ in range(2))
    row, column = (rng.integers(0, 9, 50).astype(np.int32) for _ in range(2))
    given = pair_scores(user, row, item, column, 3.5)
    p, q = user[row].astype(float), item[column].astype(float)
    expected = 3.5 + p[:, -1] + q[:, -1] + (p[:, :-1] * q[:, :-1]).sum(axis=1)
    np.testing.assert_allclose(given, expected, rtol=1e-5)
