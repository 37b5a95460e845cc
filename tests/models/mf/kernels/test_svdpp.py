from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numba
import numpy as np
import pytest

from cofilter.models.mf.kernels.svdpp import (
    DAMPING,
    Scratch,
    Step,
    Tables,
    implicit_sums,
    step_chunks,
)
from cofilter.models.mf.kernels.svdpp_chunks import (
    Columns,
    chunks_of,
    columns_of,
    shuffled_rows,
)
from cofilter.recommender.kernels.random import random64, stream_key
from cofilter.recommender.sparse import Sparse

USERS, ITEMS, WIDTH = 12, 9, 8
TURN = stream_key(3, 1)


@pytest.fixture
def rows() -> Sparse:
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((USERS, ITEMS)) < 0.5)
    assert len(np.unique(user)) == USERS
    start = np.searchsorted(user, np.arange(USERS + 1)).astype(np.int64)
    return Sparse(start, item.astype(np.int32), rng.normal(size=len(item)).astype(np.float32))


def tables() -> Tables:
    rng = np.random.default_rng(1)
    shapes = (USERS, WIDTH), (ITEMS, WIDTH), (ITEMS, WIDTH), USERS, ITEMS
    return Tables(*(rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes))


def scratch(columns: Columns) -> Scratch:
    most = int(np.diff(columns.first).max())
    empty = (np.full((most, WIDTH), np.nan, np.float32) for _ in range(2))  # is to be written first
    return Scratch(*empty, np.full(most, np.nan, np.float32), np.full(most, np.nan))


def triples(rows: Sparse) -> set[tuple[int, int, float]]:
    user = np.repeat(np.arange(len(rows.start) - 1), np.diff(rows.start))
    return set(zip(user.tolist(), rows.at.tolist(), rows.value.tolist(), strict=True))


def test_shuffling_moves_whole_rows_and_mixes_each(rows: Sparse) -> None:
    order = np.random.default_rng(2).permutation(USERS)
    moved = shuffled_rows(rows, order, np.uint64(5))
    assert {(int(order[u]), i, r) for u, i, r in triples(moved)} == triples(rows)
    mixed = [moved.at[a:b] for a, b in pairwise(moved.start)]
    assert any((np.diff(row) < 0).any() for row in mixed)
    assert not np.array_equal(shuffled_rows(rows, order, np.uint64(6)).at, moved.at)


@pytest.mark.parametrize("size", [1, 7, 20, 10_000])
def test_chunks_are_whole_users_and_just_full(rows: Sparse, size: int) -> None:
    first = chunks_of(rows.start, size)
    assert first[0] == 0
    assert first[-1] == USERS
    assert (np.diff(first) > 0).all()
    for begin, end in pairwise(first):
        assert rows.start[end] - rows.start[begin] >= size or end == USERS
        assert rows.start[end - 1] - rows.start[begin] < size


def test_columns_hold_the_same_ratings_by_item(rows: Sparse) -> None:
    columns = columns_of(rows, chunks_of(rows.start, 12))
    found = set()
    for chunk in range(len(columns.first) - 1):
        segments = range(columns.segment[chunk], columns.segment[chunk + 1])
        assert (np.diff(columns.item[segments.start : segments.stop]) > 0).all()
        for segment in segments:
            for at in range(columns.start[segment], columns.start[segment + 1]):
                user = int(columns.first[chunk] + columns.user[at])
                found.add((user, int(columns.item[segment]), float(columns.rating[at])))
    assert found == triples(rows)
    assert columns.start[-1] == len(rows.at)


def test_sums_of_implicit_factors() -> None:
    start, item = np.array([0, 3, 3, 4]), np.array([2, 0, 1, 2], np.int32)
    implicit = tables().implicit
    expected = [implicit[:3].sum(axis=0) / np.sqrt(3), np.zeros(WIDTH), implicit[2]]
    np.testing.assert_allclose(implicit_sums(start, item, implicit), expected, rtol=1e-5)


def by_hand(
    chunks: np.ndarray,
    rows: Sparse,
    columns: Columns,
    weight: np.ndarray,
    given: Tables,
    step: Step,
) -> tuple[Tables, float]:
    """`step_chunks` in float64, with dense loops and g as a sum of its own."""
    p, q, y, bu, bi = (table.astype(float) for table in given)
    rate, l2 = float(step.rate), float(step.l2)
    total = 0.0
    for chunk in chunks:
        users = range(columns.first[chunk], columns.first[chunk + 1])
        x, g, curvature = {}, {}, {}
        members: dict[int, list[tuple[int, float]]] = {}
        for u in users:
            items, ratings = (each[rows.start[u] : rows.start[u + 1]] for each in rows[1:])
            n = len(items)
            z = y[items].sum(axis=0) / np.sqrt(n)
            p[u] *= np.exp(-rate * l2 * n)
            x[u], g[u] = p[u] + z, np.zeros(WIDTH)
            turn = int(random64(TURN, np.uint64(u)) % np.uint64(n))
            for at in np.roll(np.arange(n), -turn):
                i, r = items[at], float(ratings[at])
                e = r - bu[u] - bi[i] - x[u] @ q[i]
                total += weight[i] * e * e
                x[u] += rate * weight[i] * e * q[i]
                g[u] += weight[i] * e * q[i]
                bu[u] += rate * (weight[i] * e - l2 * bu[u])
            p[u] = x[u] - z
            curvature[u] = (weight[items] * (q[items] ** 2).sum(axis=1)).sum()
            g[u] /= np.sqrt(n)
            for i, r in zip(items.tolist(), ratings.tolist(), strict=True):
                members.setdefault(i, []).append((u, r))
        for i, raters in members.items():
            q[i] *= np.exp(-rate * l2 * len(raters))
            y[i] *= np.exp(-rate * l2 * len(raters))
            damped = rate / (1 + float(DAMPING) * rate * sum(curvature[u] for u, _ in raters))
            for u, r in raters:
                e = r - bu[u] - bi[i] - x[u] @ q[i]
                q[i] += rate * weight[i] * e * x[u]
                y[i] += damped * g[u]
                bi[i] += rate * (weight[i] * e - l2 * bi[i])
    return Tables(p, q, y, bu, bi), total


@pytest.mark.parametrize("size", [1, 12, 1_000])
def test_steps_are_those_of_the_docstring(rows: Sparse, size: int) -> None:
    columns = columns_of(rows, chunks_of(rows.start, size))
    chunks = np.random.default_rng(4).permutation(len(columns.first) - 1)
    weight = np.linspace(0.5, 1.5, ITEMS).astype(np.float32)
    step = Step(np.float32(0.05), np.float32(0.3))
    expected, error = by_hand(chunks, rows, columns, weight, tables(), step)
    found, room = tables(), scratch(columns)
    total = step_chunks(chunks, rows, columns, weight, found, step, TURN, room)
    assert total == pytest.approx(error, rel=1e-5)
    for name, table in found._asdict().items():
        np.testing.assert_allclose(table, getattr(expected, name), atol=2e-6, err_msg=name)


@pytest.fixture
def threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
@pytest.mark.usefixtures("threads")
def test_one_and_two_threads_give_the_same_bits(rows: Sparse) -> None:
    results = []
    for n_threads in (1, 2):
        numba.set_num_threads(n_threads)
        mixed = shuffled_rows(rows, np.arange(USERS)[::-1].copy(), np.uint64(5))
        columns = columns_of(mixed, chunks_of(mixed.start, 20))
        found, weight = tables(), np.ones(ITEMS, np.float32)
        step = Step(np.float32(0.05), np.float32(0.3))
        chunks = np.arange(len(columns.first) - 1)
        total = step_chunks(chunks, mixed, columns, weight, found, step, TURN, scratch(columns))
        results.append((total, *columns, *found))
    assert all(np.array_equal(one, two) for one, two in zip(*results, strict=True))
