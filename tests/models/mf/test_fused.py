"""The fused engine against torch's autograd, against itself stopped, and on other threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pytest

from cofilter.core.matrix import Interactions
from cofilter.models.mf import fused as mf_fused
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.fused import FusedDescent, FusedFactors
from tests.models.contract import ratings_table
from tests.models.mf.test_factorization import config, descent

MEAN = 3.0
Learner = FusedFactors | FusedDescent


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


def learner(chosen: MFConfig, data: Interactions | None = None) -> Learner:
    some = Interactions.of(ratings_table()) if data is None else data
    if chosen.optimizer == "gd":
        return FusedDescent(chosen, some, 0.0)
    return FusedFactors(chosen, some, MEAN)


def trained(chosen: MFConfig, epochs: int, data: Interactions | None = None) -> Learner:
    made = learner(chosen, data)
    for epoch in range(1, epochs + 1):
        made.run_epoch(epoch, lambda n: None)
    return made


def same_bits(a: Learner, b: Learner) -> bool:
    ours, theirs = a.state(), b.state()
    return all(np.array_equal(ours[name], theirs[name]) for name in ours)


def torch_from(fused: Learner, data: Interactions) -> Any:
    """The torch engine at the fused one's start."""
    import torch

    from cofilter.models.mf.torch_learner import TorchFactors

    mean = 0.0 if fused.config.optimizer == "gd" else MEAN
    other = TorchFactors(fused.config, data, mean)
    for name, table in fused.parameters().items():
        if fused.config.kind == "item_centred":
            table[:, -1] = 0.0
        with torch.no_grad():
            other._tables[name].copy_(torch.from_numpy(table))
    return other


def conflict_free() -> Interactions:
    """Each user and each item has one rating, so stepping one by one is stepping all at once."""
    table = ratings_table(40, 40)
    first = table.drop_duplicates("user_id").drop_duplicates("item_id")
    return Interactions.of(first)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
@pytest.mark.parametrize("kind", ["biased", "dot"])
def test_steps_are_autograd_s(kind: str, optimizer: str) -> None:
    data = conflict_free()
    fused = learner(
        config(kind=kind, optimizer=optimizer, batch_size=None, l2=0.3, init_std=0.5), data
    )
    other = torch_from(fused, data)
    start = fused.parameters()
    for epoch in (1, 2, 3):
        for each in (fused, other):
            each.run_epoch(epoch, lambda n: None)
    expected = other.parameters()
    for name, table in fused.parameters().items():
        assert np.abs(table - start[name]).max() > 1e-3
        np.testing.assert_allclose(table, expected[name], atol=5e-6)


def test_a_weighted_epoch_of_tiny_steps_is_one_along_autograd_s_gradient() -> None:
    data = Interactions.of(ratings_table())
    lr = 1e-4
    chosen = config(optimizer="sgd", lr=lr, batch_size=None, init_std=0.5, propensity=1.0)
    fused = learner(chosen, data)
    other = torch_from(fused, data)
    start = fused.parameters()
    for each in (fused, other):
        each.run_epoch(1, lambda n: None)
    expected = other.parameters()
    for name, table in fused.parameters().items():
        moved = (table - start[name]) / lr
        along = (expected[name] - start[name]) / lr
        assert np.abs(along).max() > 5
        np.testing.assert_allclose(moved, along, atol=0.01 * np.abs(along).max())


def test_weighted_descent_is_autograd_s() -> None:
    data = Interactions.of(ratings_table())
    fused = learner(descent(init_std=0.5, propensity=1.0, l2=2.0), data)
    other = torch_from(fused, data)
    for epoch in (1, 2, 3):
        losses = [each.run_epoch(epoch, lambda n: None) for each in (fused, other)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    expected = other.parameters()
    for name, table in fused.parameters().items():
        np.testing.assert_allclose(table, expected[name], atol=1e-5)


def test_descent_never_raises_its_cost_and_shows_it() -> None:
    data = Interactions.of(ratings_table())
    made = learner(descent(init_std=0.1), data)
    losses = []
    for epoch in range(1, 40):
        user, item = (table.astype(float) for table in made.parameters().values())
        losses.append(made.run_epoch(epoch, lambda n: None))
        predicted = (user[data.user, :-1] * item[data.item, :-1]).sum(1) + item[data.item, -1]
        squares = (user[:, :-1] ** 2).sum() + (item[:, :-1] ** 2).sum()
        cost = 0.5 * ((data.rating - predicted) ** 2).sum() + 0.5 * squares
        assert losses[-1] == pytest.approx(cost / len(data), rel=1e-5)
    assert (np.diff(losses) < 0).all()


@pytest.mark.parametrize(
    "chosen", [config(optimizer="adagrad", propensity=0.5), descent()], ids=["adagrad", "gd"]
)
def test_threads_do_not_change_a_bit(chosen: MFConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mf_fused, "ALONE", 0)
    data = Interactions.of(ratings_table(200, 100))
    made = []
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        made.append(trained(chosen, 3, data))
    assert same_bits(*made)


@pytest.mark.parametrize("chosen", [config(optimizer="adagrad"), descent()], ids=["adagrad", "gd"])
def test_restored_state_continues_bit_for_bit(chosen: MFConfig) -> None:
    straight, stopped = trained(chosen, 3), trained(chosen, 2)
    resumed = learner(chosen)
    resumed.restore(stopped.state())
    resumed.run_epoch(3, lambda n: None)
    assert same_bits(straight, resumed)
    assert not same_bits(straight, stopped)


@pytest.mark.parametrize("chosen", [config(optimizer="sgd"), descent()], ids=["sgd", "gd"])
def test_cutting_an_epoch_into_calls_changes_nothing(
    chosen: MFConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Interactions.of(ratings_table(60, 40))
    whole = trained(chosen, 1, data)
    monkeypatch.setattr(mf_fused, "CALL", 256)
    seen: list[int] = []
    cut = learner(chosen, data)
    cut.run_epoch(1, seen.append)
    assert same_bits(whole, cut)
    assert sum(seen) == len(data)
    assert len(seen) > 40
    assert max(seen) < len(data) / 4


def test_the_loss_is_the_class_s_when_nothing_moves() -> None:
    data = Interactions.of(ratings_table())
    made = learner(config(optimizer="sgd", lr=1e-30, l2=0.3, init_std=0.5), data)
    loss = made.run_epoch(1, lambda n: None)
    user, item = (table.astype(float) for table in made.parameters().values())
    p, q = user[data.user], item[data.item]
    error = data.rating - MEAN - (p[:, :-1] * q[:, :-1]).sum(1) - p[:, -1] - q[:, -1]
    penalty = 0.3 * ((p**2).sum(1) + (q**2).sum(1))
    assert loss == pytest.approx((error**2 + penalty).mean(), rel=1e-5)


def test_seeds_differ_and_a_loss_that_is_not_finite_shows() -> None:
    first, second = (trained(config(optimizer="adagrad", seed=seed), 1) for seed in (0, 1))
    assert not same_bits(first, second)
    wild = learner(config(optimizer="sgd", lr=1e6))
    losses = [wild.run_epoch(epoch, lambda n: None) for epoch in (1, 2)]
    assert not np.isfinite(losses[-1])
