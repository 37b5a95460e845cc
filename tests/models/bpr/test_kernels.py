"""Triples against plain loops, and the rules that let workers step at the same time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from scipy.optimize import minimize

from cofilter.models.bpr.kernels.alias import weighted
from cofilter.models.bpr.kernels.triples import (
    CELLS,
    GROUPS,
    PIECES,
    TRIES,
    WORKERS,
    deal,
    draw_triples,
    fold_in,
    tournament,
    train_triples,
)
from cofilter.recommender.sparse import ItemLists

N_USERS, N_ITEMS, DIM = 40, 70, 5
KEY = np.uint64(123)
L2, LR = np.float32(0.02), np.float32(0.05)


class Drawn(NamedTuple):
    """A log of likes and what was drawn for it."""

    liked: ItemLists
    known: ItemLists
    triples: np.ndarray
    first: np.ndarray


def lists(rows: list[np.ndarray]) -> ItemLists:
    start = np.cumsum([0, *map(len, rows)])
    return ItemLists(start.astype(np.int64), np.concatenate(rows).astype(np.int32))


@pytest.fixture
def known() -> ItemLists:
    """User 0 knows all items, user 1 none, the others a third of them."""
    rows = [
        np.flatnonzero(row) for row in np.random.default_rng(0).random((N_USERS, N_ITEMS)) < 0.3
    ]
    return lists([np.arange(N_ITEMS), np.arange(0), *rows[2:]])


@pytest.fixture
def drawn(known: ItemLists) -> Drawn:
    """Triples for every second known item, users in falling order."""
    rows = [known.item[a:b][::2] for a, b in zip(known.start[:-1], known.start[1:], strict=True)]
    liked = lists(rows)
    users = np.arange(N_USERS, dtype=np.int32)[::-1].copy()
    offset = np.cumsum([0, *(len(rows[user]) for user in users)]).astype(np.int64)
    bounds = np.linspace(0, N_USERS, PIECES + 1).astype(np.int64)
    group = deal(np.bincount(known.item, minlength=N_ITEMS))
    table = weighted(np.ones(N_ITEMS))
    answer = draw_triples(
        users, bounds, offset, liked, known, table, group, tournament(), KEY, TRIES
    )  # fmt: skip
    return Drawn(liked, known, *answer)


def factors(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    user = rng.normal(size=(N_USERS, DIM)).astype(np.float32)
    item = rng.normal(size=(N_ITEMS, DIM + 1)).astype(np.float32)
    return user, item


def splitmix64(key: int, index: int) -> int:
    word = (1 << 64) - 1
    value = (key + (index + 1) * 0x9E3779B97F4A7C15) & word
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & word
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & word
    return value ^ value >> 31


def uniform_negative(known: set[int], place: int) -> int | None:
    """The first of the draws for a place that is not known."""
    for attempt in range(TRIES):
        item = (splitmix64(int(KEY), place * TRIES + attempt) >> 32) * N_ITEMS >> 32
        if item not in known:
            return item
    return None


def loss_of(p: Any, a: Any, b: Any) -> Any:
    """The documented loss of one triple, in float64."""
    x = p @ (a[:-1] - b[:-1]) + a[-1] - b[-1]
    return np.logaddexp(0, -x) + float(L2) / 2 * (p @ p + a @ a + b @ b)


def test_a_tournament_s_rounds_are_disjoint_and_meet_every_pair() -> None:
    cell = tournament()
    assert np.array_equal(cell, cell.T)
    pairs: list[set[int]] = [set() for _ in range(CELLS)]
    for one in range(GROUPS):
        for other in range(GROUPS):
            pairs[cell[one, other]] |= {one, other}
    for start in range(0, CELLS, WORKERS):
        assert sorted(group for pair in pairs[start : start + WORKERS] for group in pair) == list(
            range(GROUPS)
        )


def test_groups_are_equal_in_number_and_weight() -> None:
    weight = np.random.default_rng(0).zipf(2.5, 1_000)
    group = deal(weight)
    assert np.ptp(np.bincount(group, minlength=GROUPS)) <= 1
    load = np.bincount(group, weight, GROUPS)
    assert np.ptp(load) <= weight.max()


def test_each_positive_gets_the_first_draw_that_is_not_known(drawn: Drawn) -> None:
    expected = set()
    for user in range(N_USERS):
        known = set(
            drawn.known.item[drawn.known.start[user] : drawn.known.start[user + 1]].tolist()
        )
        for place in range(drawn.liked.start[user], drawn.liked.start[user + 1]):
            other = uniform_negative(known, place)
            if other is not None:
                expected.add((user, int(drawn.liked.item[place]), other))
    assert {tuple(map(int, triple)) for triple in drawn.triples} == expected
    assert len(drawn.triples) == len(expected)
    assert 0 not in drawn.triples[:, 0]  # who knows all items has no triple
    assert len(expected) == len(drawn.liked.item) - N_ITEMS // 2


def test_workers_of_a_step_share_no_user_and_no_item(drawn: Drawn) -> None:
    assert drawn.first[0] == 0
    assert drawn.first[-1] == len(drawn.triples)
    for turn in range(GROUPS):
        for shift in range(WORKERS):
            users: list[set[int]] = []
            items: list[set[int]] = []
            for worker in range(WORKERS):
                cell = (worker + shift) % WORKERS * CELLS + turn * WORKERS + worker
                mine = drawn.triples[drawn.first[cell] : drawn.first[cell + 1]]
                users.append(set(mine[:, 0].tolist()))
                items.append(set(mine[:, 1:].ravel().tolist()))
            assert sum(map(len, users)) == len(set().union(*users))
            assert sum(map(len, items)) == len(set().union(*items))


def test_steps_are_the_formula_s_in_the_order_of_the_rounds(drawn: Drawn) -> None:
    user, item = factors()
    p, q = user.astype(float), item.astype(float)
    loss = train_triples(user, item, DIM, drawn.triples, drawn.first, LR, L2)
    expected, lr, l2 = 0.0, float(LR), float(L2)
    for turn in range(GROUPS):
        for shift in range(WORKERS):
            for worker in range(WORKERS):
                cell = (worker + shift) % WORKERS * CELLS + turn * WORKERS + worker
                for u, i, j in drawn.triples[drawn.first[cell] : drawn.first[cell + 1]]:
                    expected += loss_of(p[u], q[i], q[j])
                    x = p[u] @ (q[i] - q[j])[:-1] + q[i, -1] - q[j, -1]
                    pull = 1 / (1 + np.exp(x))
                    old, one = p[u].copy(), np.append(p[u], 1.0)
                    p[u] += lr * (pull * (q[i] - q[j])[:-1] - l2 * old)
                    q[i] += lr * (pull * one - l2 * q[i])
                    q[j] += lr * (-pull * one - l2 * q[j])
    np.testing.assert_allclose(user, p, atol=2e-5)
    np.testing.assert_allclose(item, q, atol=2e-5)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_a_step_goes_down_the_gradient_of_the_loss() -> None:
    user, item = factors()
    before = [user[3].astype(float), item[4].astype(float), item[9].astype(float)]
    triples = np.array([[3, 4, 9]], np.int32)
    first = np.ones(WORKERS * CELLS + 1, np.int64)
    first[0] = 0
    train_triples(user, item, DIM, triples, first, LR, L2)
    for which, after in enumerate((user[3], item[4], item[9])):
        for f in range(len(after)):
            up, down = ([part.copy() for part in before] for _ in range(2))
            up[which][f] += 1e-6
            down[which][f] -= 1e-6
            slope = (loss_of(*up) - loss_of(*down)) / 2e-6
            assert (before[which][f] - after[f]) / LR == pytest.approx(slope, abs=1e-4)


def test_bits_do_not_depend_on_the_number_of_threads(drawn: Drawn) -> None:
    found = []
    threads = numba.get_num_threads()
    for n in {1, threads}:
        numba.set_num_threads(n)
        user, item = factors()
        loss = train_triples(user, item, DIM, drawn.triples, drawn.first, LR, L2)
        found.append((user.tobytes(), item.tobytes(), loss))
    assert len(set(found)) == 1


def test_extreme_scores_have_a_finite_loss_and_bad_ones_do_not(drawn: Drawn) -> None:
    user, item = factors()
    item[:, DIM] = np.random.default_rng(2).normal(scale=1e4, size=N_ITEMS)
    assert np.isfinite(train_triples(user, item, DIM, drawn.triples, drawn.first, LR, L2))
    user[drawn.triples[0, 0]] = np.nan
    assert np.isnan(train_triples(user, item, DIM, drawn.triples, drawn.first, LR, L2))


def test_new_users_end_near_the_minimum_of_their_own_loss(known: ItemLists) -> None:
    """Against a direct minimiser of the loss with every unknown item as negative."""
    item = factors()[1]
    table, l2 = weighted(np.ones(N_ITEMS)), np.float32(0.1)
    keys = np.arange(400, dtype=np.uint64)
    given = fold_in(item, DIM, known, known, table, keys, TRIES, np.float32(0.02), l2)
    assert not given[:2].any()  # nothing to compare with, and nothing known
    q = item.astype(float)
    for person in range(2, 8):
        mine = known.item[known.start[person] : known.start[person + 1]]
        others = np.setdiff1d(np.arange(N_ITEMS), mine)
        gap = (q[mine][:, None] - q[others][None]).reshape(-1, DIM + 1)

        def loss(p: np.ndarray, gap: np.ndarray = gap) -> float:
            x = gap[:, :-1] @ p + gap[:, -1]
            return float(np.logaddexp(0, -x).mean() + float(l2) / 2 * p @ p)

        best = minimize(loss, np.zeros(DIM)).fun
        assert loss(given[person].astype(float)) - best < 0.1 * (loss(np.zeros(DIM)) - best)


def test_new_users_do_not_depend_on_each_other(known: ItemLists) -> None:
    item, table = factors()[1], weighted(np.ones(N_ITEMS))
    keys = np.arange(4, dtype=np.uint64)
    together = fold_in(item, DIM, known, known, table, keys, TRIES, LR, L2)
    own = ItemLists(
        np.array([0, known.start[6] - known.start[5]]), known.item[known.start[5] : known.start[6]]
    )
    alone = fold_in(item, DIM, own, own, table, keys, TRIES, LR, L2)
    assert np.array_equal(alone[0], together[5])
