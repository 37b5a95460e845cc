from __future__ import annotations

import numpy as np
import pytest

from cofilter.blending.forward_selection import Objective, Pool, select
from cofilter.core.matrix import UNKNOWN
from cofilter.metrics import ranking
from cofilter.models.ensemble.fusion import fuse

N_USERS, N_ITEMS = 40, 60
NDCG = Objective("ndcg", 5)


def pool(quality: list[float], seed: int = 0, depth: int = 20) -> tuple[Pool, list[np.ndarray]]:
    """Users with five relevant items each; a model of higher quality ranks them higher."""
    rng = np.random.default_rng(seed)
    relevant = np.zeros((N_USERS, N_ITEMS), bool)
    for row in relevant:
        row[rng.permutation(N_ITEMS)[:5]] = True
    lists = []
    for each in quality:
        score = each * relevant + rng.normal(size=relevant.shape)
        lists.append(np.argsort(-score, axis=1)[:, :depth].astype(np.int32))
    lists[0][3, 12:] = UNKNOWN
    made = Pool.of(lists, np.nonzero(relevant), relevant.sum(axis=1), N_ITEMS, 60.0)
    made_of = [*lists, relevant]
    return made, made_of


def test_values_are_those_of_the_fusion_over_all_items() -> None:
    made, (first, second, relevant) = pool([1.0, 2.0])
    weights = np.array([0.3, 0.7])
    scores = fuse([first, second], list(weights), 60.0, N_ITEMS)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    hits = np.take_along_axis(relevant, order, axis=1)
    expected = ranking.at_k(hits, relevant.sum(axis=1), 5)["ndcg"]
    assert made.values(made.scores(weights), NDCG) == pytest.approx(expected)


def test_a_taken_part_has_the_same_values() -> None:
    made, _ = pool([1.0, 2.0])
    some = np.array([3, 9, 20])
    weights = np.array([0.5, 0.5])
    part = made.take(some)
    whole = made.values(made.scores(weights), NDCG)
    assert np.array_equal(part.values(part.scores(weights), NDCG), whole[some])


def test_ranks_beyond_the_lists_are_misses() -> None:
    lists = [np.array([[1, 0]], np.int32)]
    made = Pool.of(lists, (np.array([0, 0]), np.array([0, 2])), np.array([2]), 3, 60.0)
    assert made.hits(made.scores(np.ones(1)), 3).tolist() == [[False, True, False]]


def chosen(made: Pool, **changes: int | float) -> np.ndarray:
    arguments = {"candidates": 9, "bags": 5, "steps": 6, "min_weight": 0.0} | changes
    generator = np.random.default_rng(0)
    return select(made, NDCG, generator=generator, **arguments)  # type: ignore[arg-type]


def test_weights_favour_models_that_help() -> None:
    made, _ = pool([1.5, 1.5, 0.0, 0.0])
    weights = chosen(made, bags=20)
    assert weights.sum() == pytest.approx(1)
    assert weights[:2].sum() > 0.8
    fused, best = (
        made.values(made.scores(each), NDCG).mean() for each in (weights, np.array([1, 0, 0, 0]))
    )
    assert fused > best


def test_one_bag_is_greedy_selection_by_brute_force() -> None:
    made, _ = pool([1.0, 1.2, 0.8], seed=5)
    weights = chosen(made, bags=1, steps=4)
    times = np.bincount(np.random.default_rng(0).integers(0, N_USERS, N_USERS), minlength=N_USERS)
    picks: list[int] = []
    values = []
    for _ in range(4):
        tried = []
        for model in range(3):
            counts = np.bincount([*picks, model], minlength=3).astype(float)
            tried.append(np.average(made.values(made.scores(counts), NDCG), weights=times))
        picks.append(int(np.argmax(tried)))
        values.append(max(tried))
    n = int(np.argmax(values)) + 1
    assert weights == pytest.approx(np.bincount(picks[:n], minlength=3) / n)


def test_only_candidates_take_part_and_small_weights_are_dropped() -> None:
    made, _ = pool([2.0, 1.5, 1.0, 0.5])
    assert (chosen(made, candidates=2)[2:] == 0).all()
    weights = chosen(made, min_weight=0.2)
    assert (weights[weights > 0] >= 0.2).all()
    assert (chosen(made, min_weight=0.99) > 0).sum() == 1


def test_the_same_generator_gives_the_same_weights() -> None:
    made, _ = pool([1.0, 1.0, 1.0])
    assert np.array_equal(chosen(made), chosen(made))


def test_a_single_model_and_a_single_user() -> None:
    made, _ = pool([1.0])
    assert chosen(made.take(np.array([0]))).tolist() == [1.0]
