from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.metrics.ranking import DEFINITIONS, Relevant, at_k, metric_at_k, sampled


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[list[bool]], list[int]]:
    length = draw(st.integers(0, 8))
    users = draw(st.integers(0, 5))
    hits = [draw(st.lists(st.booleans(), min_size=length, max_size=length)) for _ in range(users)]
    extra = [draw(st.integers(0, 5)) for _ in range(users)]
    return hits, [max(1, sum(row) + more) for row, more in zip(hits, extra, strict=True)]


def by_hand(hits: list[bool], n_relevant: int, k: int) -> dict[str, float]:
    ranks = [rank for rank, hit in enumerate(hits[:k], start=1) if hit]
    reachable = min(n_relevant, k)
    precisions = [found / rank for found, rank in enumerate(ranks, start=1)]
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, reachable + 1))
    return {
        "precision": len(ranks) / k,
        "recall": len(ranks) / n_relevant,
        "hit_rate": float(bool(ranks)),
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "map": sum(precisions) / reachable,
        "ndcg": sum(1 / math.log2(rank + 1) for rank in ranks) / ideal,
    }


@given(lists(), st.integers(1, 10))
def test_agrees_with_loops(data: tuple[list[list[bool]], list[int]], k: int) -> None:
    hits, n_relevant = data
    length = len(hits[0]) if hits else 0
    array = np.array(hits, bool).reshape(len(hits), length)
    found = at_k(array, np.array(n_relevant, np.int64), k)
    assert list(found) == list(DEFINITIONS)
    for user, (row, n) in enumerate(zip(hits, n_relevant, strict=True)):
        expected = by_hand(row, n, k)
        assert {name: each[user] for name, each in found.items()} == pytest.approx(expected)
    assert all(len(each) == len(hits) for each in found.values())


def test_a_perfect_list_scores_one_also_when_few_are_relevant() -> None:
    found = at_k(np.array([[True, True, False], [True, True, True]]), np.array([2, 7]), 3)
    assert found["ndcg"].tolist() == [1.0, 1.0]
    assert found["map"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("n_relevant", "k"), [([1, 0], 2), ([1, 1], 0)])
def test_refuses_what_has_no_value(n_relevant: list[int], k: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        at_k(np.zeros((2, 2), bool), np.array(n_relevant), k)


def test_a_sample_is_spread_over_all_users_and_always_the_same() -> None:
    users = np.arange(50_000, 150_000)
    some = sampled(users, 2_000)
    assert len(np.unique(some)) == 2_000
    assert (np.diff(some) > 0).all()
    assert np.isin(some, users).all()
    shares = np.histogram(some, 10, (50_000, 150_000))[0] / 2_000
    assert np.abs(shares - 0.1).max() < 0.03
    assert np.array_equal(sampled(users, 2_000), some)
    for at_most in (100_000, 100_001):
        assert sampled(users, at_most) is users


USERS, CANDIDATES, LENGTH = 60, 40, 12


@pytest.fixture(scope="module")
def shared_lists() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(items[users, LENGTH] best first, relevant bool[users, CANDIDATES], hits)."""
    rng = np.random.default_rng(0)
    items = np.array([rng.permutation(CANDIDATES)[:LENGTH] for _ in range(USERS)])
    relevant = rng.random((USERS, CANDIDATES)) < rng.uniform(0.02, 0.6, (USERS, 1))
    relevant[:, 0] |= ~relevant.any(axis=1)
    return items, relevant, np.take_along_axis(relevant, items, axis=1)


@pytest.mark.parametrize("k", [1, 5, LENGTH])
def test_agrees_with_ranx(
    shared_lists: tuple[np.ndarray, np.ndarray, np.ndarray],
    k: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # ranx compiles for half a minute, and runs as plain Python as well.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    ranx = pytest.importorskip("ranx")
    items, relevant, hits = shared_lists
    qrels = {
        str(user): {str(item): 1 for item in np.flatnonzero(relevant[user])}
        for user in range(USERS)
    }
    run = {
        str(user): {str(item): float(LENGTH - rank) for rank, item in enumerate(items[user])}
        for user in range(USERS)
    }
    names = {name: f"{name}@{k}" for name in DEFINITIONS}
    peer = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), list(names.values()), return_mean=False)
    order = [int(user) for user in ranx.Run(run).run]
    n_relevant = relevant.sum(axis=1)
    found = at_k(hits, n_relevant, k)
    for name, told in names.items():
        # ranx divides MAP by all relevant items, also where no list of k could hold them.
        factor = np.minimum(n_relevant, k) / n_relevant if name == "map" else np.ones(USERS)
        expected = np.empty(USERS)
        expected[order] = peer[told]
        np.testing.assert_allclose(found[name] * factor, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("k", [1, 5, LENGTH])
def test_ndcg_agrees_with_scikit_learn(
    shared_lists: tuple[np.ndarray, np.ndarray, np.ndarray], k: int
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    items, relevant, hits = shared_lists
    scores = np.zeros((USERS, CANDIDATES))
    np.put_along_axis(scores, items, np.arange(LENGTH, 0, -1.0)[None, :], axis=1)
    found = at_k(hits, relevant.sum(axis=1), k)["ndcg"]
    assert found.mean() == pytest.approx(metrics.ndcg_score(relevant, scores, k=k), abs=1e-9)


@given(
    st.integers(1, 6),
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 5))),
    st.lists(st.lists(st.integers(-1, 5), min_size=3, max_size=3), min_size=1, max_size=5),
)
def test_hits_are_the_relevant_pairs(
    extra: int, pairs: set[tuple[int, int]], lists: list[list[int]]
) -> None:
    user, item = (np.array([pair[side] for pair in pairs], np.int32) for side in (0, 1))
    users = np.arange(len(lists), dtype=np.int32)[::-1]
    ranked = np.array(lists, np.int32)
    found = Relevant.of(user, item, 5 + extra).hits(users, ranked)
    for row, one in enumerate(users):
        assert found[row].tolist() == [(int(one), each) in pairs for each in lists[row]]


def test_hits_of_many_users_and_items_do_not_overflow() -> None:
    user, item = np.array([2**20, 3], np.int32), np.array([2**20, 7], np.int32)
    found = Relevant.of(user, item, 2**21).hits(user, np.array([[2**20, -1], [6, 7]], np.int32))
    assert found.tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_one_metric_alone_is_the_one_among_all(name: str) -> None:
    rng = np.random.default_rng(0)
    hits, n_relevant = rng.random((50, 8)) < 0.3, rng.integers(8, 20, 50)
    for k in (1, 5, 12):
        assert (metric_at_k(name, hits, n_relevant, k) == at_k(hits, n_relevant, k)[name]).all()
