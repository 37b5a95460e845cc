from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cofilter.metrics import beyond

CASES = settings(max_examples=1000)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[int]], np.ndarray, np.ndarray]:
    """Lists of different items for some users, the items' shares and factors."""
    n_items = draw(st.integers(1, 12))
    lists = st.lists(st.integers(0, n_items - 1), unique=True, max_size=6)
    given_lists = draw(st.lists(lists, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    factors = rng.normal(size=(n_items, draw(st.integers(1, 4))))
    factors[rng.random(n_items) < 0.2] = 0.0
    return given_lists, rng.uniform(0.01, 1.0, n_items), factors


def as_array(lists: list[list[int]]) -> np.ndarray:
    array = np.full((len(lists), max(map(len, lists), default=0)), beyond.PADDING, np.int32)
    for user, items in enumerate(lists):
        array[user, : len(items)] = items
    return array


def cosine(one: np.ndarray, two: np.ndarray) -> float:
    length = math.sqrt(sum(one**2)) * math.sqrt(sum(two**2))
    return sum(one * two) / length if length else 0.0


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


@given(cases(), st.integers(1, 8))
@CASES
def test_agrees_with_loops(case: tuple[list[list[int]], np.ndarray, np.ndarray], k: int) -> None:
    lists, share, factors = case
    array, cut = as_array(lists)[:, :k], [items[:k] for items in lists]
    counts = [sum(items.count(item) for items in cut) for item in range(len(share))]
    found = beyond.item_counts(array, len(share))
    assert found.tolist() == counts
    total = sum(counts)
    if total:
        distinct = {item for items in cut for item in items}
        assert beyond.coverage(found) == pytest.approx(len(distinct) / len(share), abs=1e-9)
        spread = sum(abs(x - y) for x, y in itertools.product(counts, repeat=2))
        expected = spread / (2 * len(counts) * total)
        assert beyond.gini(found) == pytest.approx(expected, abs=1e-9)
    else:
        assert beyond.coverage(found) is None
        assert beyond.gini(found) is None
    for function, value in (
        (beyond.novelty, [-math.log2(each) for each in share]),
        (beyond.popularity, list(share)),
    ):
        expected_means = [mean([value[item] for item in items]) for items in cut]
        np.testing.assert_allclose(function(array, share), expected_means, rtol=0, atol=1e-9)
    pairs = [list(itertools.combinations(items, 2)) for items in cut]
    distances = [mean([1 - cosine(factors[i], factors[j]) for i, j in each]) for each in pairs]
    diverse = beyond.diversity(as_array(lists), factors, [k])[k]
    np.testing.assert_allclose(diverse, distances, rtol=0, atol=1e-9)


@given(cases())
def test_consumed_popularity_agrees_with_loops(
    case: tuple[list[list[int]], np.ndarray, np.ndarray],
) -> None:
    lists, share, _ = case
    start = np.cumsum([0, *map(len, lists)])
    item = np.array([item for items in lists for item in items], np.int64)
    expected = [mean([share[i] for i in items]) for items in lists]
    found = beyond.consumed_popularity(start, item, share)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_miscalibration_agrees_with_loops() -> None:
    rng = np.random.default_rng(3)
    p, q = (rng.dirichlet(np.full(4, 0.3), 6) for _ in range(2))
    p[0], p[1, 2], q[3] = 0.0, 0.0, 0.0
    p[1] /= p[1].sum()
    found = beyond.miscalibration(p, q, 0.05)
    assert math.isnan(found[0])
    for had, given_shares, value in zip(p[1:], q[1:], found[1:], strict=True):
        terms = [
            a * math.log(a / (0.95 * b + 0.05 * a))
            for a, b in zip(had.tolist(), given_shares.tolist(), strict=True)
            if a > 0
        ]
        assert value == pytest.approx(sum(terms), abs=1e-12)
    assert found[3] == pytest.approx(-math.log(0.05))
    assert beyond.miscalibration(p[1:], p[1:]) == pytest.approx(0.0, abs=1e-12)


def test_known_values() -> None:
    counts = beyond.item_counts(np.array([[0, 1], [0, 1]]), 4)
    assert beyond.coverage(counts) == 0.5
    assert beyond.gini(counts) == 0.5
    assert beyond.gini(np.array([3, 3, 3])) == 0.0
    assert beyond.novelty(np.array([[0, 1]]), np.array([0.5, 0.125])).tolist() == [2.0]
    same = beyond.diversity(np.array([[0, 1]]), np.array([[2.0, 0.0], [5.0, 0.0]]), [2])[2]
    across = beyond.diversity(np.array([[0, 1]]), np.array([[2.0, 0.0], [0.0, 1.0]]), [2])[2]
    assert (same.tolist(), across.tolist()) == ([0.0], [1.0])


def test_several_lengths_are_cut_from_one_list() -> None:
    rng = np.random.default_rng(0)
    items = np.array([rng.permutation(9)[:6] for _ in range(5)])
    factors = rng.normal(size=(9, 3))
    found = beyond.diversity(items, factors, [5, 2, 10])
    assert list(found) == [5, 2, 10]
    for k, each in found.items():
        np.testing.assert_array_equal(each, beyond.diversity(items[:, :k], factors, [k])[k])
