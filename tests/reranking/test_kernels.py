"""The kernels against the formulas, on every shape that candidates may have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cofilter.core.matrix import transposed
from cofilter.recommender.sparse import ItemLists
from cofilter.reranking.kernels.calibration import calibrated
from cofilter.reranking.kernels.mmr import mmr_by_factors, mmr_by_raters
from tests.reranking import oracle

N_ITEMS, N_USERS, ROWS, DEPTH = 40, 130, 12, 15
STRENGTHS = (0.2, 0.5, 0.8, 1.0)


class Case:
    """Random candidates with scores, of which the first ``own`` take part."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rng = rng
        self.items = np.stack([rng.permutation(N_ITEMS)[:DEPTH] for _ in range(ROWS)]).astype(
            np.int32
        )
        scores = rng.choice([0.5, 1.0, 1.5, 2.0, 7.0, 7.25], (ROWS, DEPTH))  # with ties
        self.scores = -np.sort(-scores, axis=1)
        self.own = rng.integers(0, DEPTH + 1, ROWS)
        self.relevance = np.zeros((ROWS, DEPTH))
        for row, own in enumerate(self.own):
            if own:
                self.relevance[row, :own] = oracle.unit(self.scores[row, :own])

    def check(self, places: np.ndarray, row: int, expected: list[int]) -> None:
        rest = list(range(self.own[row], DEPTH))
        assert places[row].tolist() == [*expected, *rest][: places.shape[1]]

    def own_of(self, row: int) -> tuple[list[int], list[float]]:
        own = self.own[row]
        return self.items[row, :own].tolist(), self.scores[row, :own].tolist()


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("k", [1, 6, DEPTH])
def test_mmr_by_factors(strength: float, k: int) -> None:
    case = Case(1)
    factors = case.rng.normal(size=(N_ITEMS, 3)).astype(np.float32)
    factors[case.rng.integers(0, N_ITEMS, 4)] = 0.0
    factors[7] = factors[9]
    places = mmr_by_factors(case.items, case.own, case.relevance, strength, factors, k)
    for row in range(ROWS):
        case.check(places, row, oracle.mmr(*case.own_of(row), strength, factors, k))


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("n_users", [1, 63, 64, 65, N_USERS])
def test_mmr_by_raters(strength: float, n_users: int) -> None:
    case = Case(2)
    dense = case.rng.random((n_users, N_ITEMS)) < 0.3
    dense[:, 3] = False  # nobody has rated it
    dense[:, 5] = True
    raters = ItemLists.of(transposed(sparse.csr_array(dense.astype(np.float32))), N_ITEMS)
    arguments = case.items, case.own, case.relevance, strength
    places = mmr_by_raters(*arguments, *raters, n_users, 8)
    for row in range(ROWS):
        expected = oracle.mmr(*case.own_of(row), strength, dense.T.astype(float), 8)
        case.check(places, row, expected)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("k", [1, 6, DEPTH])
def test_calibration(strength: float, k: int) -> None:
    case = Case(3)
    names = np.array(list("abcdefg"))
    of = [
        sorted(case.rng.choice(names, case.rng.integers(0, 4), replace=False).tolist())
        for _ in range(N_ITEMS)
    ]
    start = np.cumsum([0] + [len(each) for each in of])
    genre = np.array([list("abcdefg").index(name) for each in of for name in each], np.int32)
    histories = [case.rng.permutation(N_ITEMS)[: 3 * (row % 5)].tolist() for row in range(ROWS)]
    wanted = np.zeros((ROWS, len(names)))
    for row, history in enumerate(histories):
        for name, share in oracle.shares(history, of).items():
            wanted[row, list("abcdefg").index(name)] = share
    arguments = case.items, case.own, case.relevance, strength, wanted
    places = calibrated(*arguments, start, genre, 0.01, k)
    assert not wanted[0].any()  # keeps its order
    for row in range(ROWS):
        expected = oracle.genres(*case.own_of(row), strength, histories[row], of, k)
        case.check(places, row, expected)
