from __future__ import annotations

import numpy as np
import pytest
import torch

from cofilter.core.errors import DeviceError
from cofilter.core.matrix import Interactions
from cofilter.models.mf.torch_learner import TorchFactors
from cofilter.models.mf.weights import item_weights
from cofilter.recommender.device import resolve_device
from cofilter.recommender.learner import Arrays
from tests.models.contract import ratings_table
from tests.models.mf.test_factorization import config


@pytest.mark.parametrize("kind", ["biased", "dot"])
def test_gradient_agrees_with_the_written_out_one(kind: str) -> None:
    """∂/∂p_u = sum over the batch of −w e q + λ p, and likewise for q and the biases."""
    data = Interactions.of(ratings_table())
    learner = TorchFactors(config(kind=kind, l2=0.3, init_std=0.5, propensity=0.7), data, 2.5)
    batch = torch.arange(50)
    learner.half_loss(batch).backward()
    user, item = data.user[:50], data.item[:50]
    tables = {name: each.astype(float) for name, each in learner.parameters().items()}
    p, q = tables["user"][user], tables["item"][item]
    biases = p[:, -1] + q[:, -1] if kind == "biased" else 0.0
    error = data.rating[:50] - 2.5 - (p[:, :-1] * q[:, :-1]).sum(axis=1) - biases
    popularity = np.bincount(data.item, minlength=len(data.items))
    error *= item_weights(popularity, 0.7)[item]
    for name, index, own, other in (("user", user, p, q), ("item", item, q, p)):
        factor = other.copy()
        factor[:, -1] = 1.0 if kind == "biased" else 0.0
        expected = np.zeros_like(tables[name])
        np.add.at(expected, index, -error[:, None] * factor + 0.3 * own)
        found = learner._tables[name].grad
        assert found is not None
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
def test_restored_state_continues_bit_for_bit(optimizer: str) -> None:
    data = Interactions.of(ratings_table())
    chosen = config(optimizer=optimizer)
    straight, stopped = (TorchFactors(chosen, data, 3.0) for _ in range(2))
    for epoch in (1, 2):
        straight.run_epoch(epoch, lambda n: None)
    stopped.run_epoch(1, lambda n: None)
    state = stopped.state()
    resumed = TorchFactors(
        config(optimizer=optimizer, seed=9), data, 3.0
    )  # another start, all of it overwritten
    resumed.restore(state)
    losses = {learner.run_epoch(2, lambda n: None) for learner in (resumed, stopped)}
    assert len(losses) == 1
    for name, array in straight.state().items():
        assert np.array_equal(array, resumed.state()[name]), name


FITS = ((3, 0.1), (2, 0.05), (4, 0.01))
PLAIN = {"batch_size": None, "l2": 0.0, "schedule": FITS, "init_uniform": (0.0, 0.05)}


def plain_fits(
    start: Arrays, data: Interactions, decay: float, biased: bool
) -> list[dict[str, np.ndarray]]:
    """Tables after each fit of a loop as PyTorch's tutorials write it, a fresh Adam a fit."""
    tables = {name: torch.tensor(table, requires_grad=True) for name, table in start.items()}
    user, item, rating = (torch.tensor(each) for each in (data.user, data.item, data.rating))
    found = []
    for epochs, lr in FITS:
        optimizer = torch.optim.Adam(tables.values(), lr=lr, weight_decay=decay)
        for _ in range(epochs):
            p, q = tables["user"][user], tables["item"][item]
            predicted = (p[:, :-1] * q[:, :-1]).sum(1)
            if biased:
                predicted = predicted + p[:, -1] + q[:, -1]
            loss = torch.nn.functional.mse_loss(predicted, rating)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found.append({name: table.detach().numpy().copy() for name, table in tables.items()})
    return found


@pytest.mark.parametrize("kind", ["dot", "biased"])
def test_fits_in_a_row_are_what_a_plain_loop_computes(kind: str) -> None:
    data = Interactions.of(ratings_table())
    biased = kind == "biased"
    spread = (-0.01, 0.01) if biased else None
    chosen = config(kind=kind, centred=False, bias_uniform=spread, weight_decay=1e-3, **PLAIN)
    learner = TorchFactors(chosen, data, 0.0)
    start = learner.parameters()
    assert 0 <= start["user"][:, :-1].min() <= start["user"][:, :-1].max() < 0.05
    assert (np.abs(start["item"][:, -1]).max() > 0) == biased
    expected = plain_fits(start, data, 1e-3, biased)
    ends = np.cumsum([epochs for epochs, _ in FITS])
    for epoch in range(1, ends[-1] + 1):
        assert learner.learning_rate(epoch) == FITS[int(np.searchsorted(ends, epoch))][1]
        learner.run_epoch(epoch, lambda n: None)
        if epoch in ends:
            for name, table in expected[list(ends).index(epoch)].items():
                np.testing.assert_allclose(learner.parameters()[name], table, atol=2e-5)


def test_every_rating_is_seen_once_an_epoch() -> None:
    data = Interactions.of(ratings_table())
    seen: list[int] = []
    TorchFactors(config(batch_size=37), data, 3.0).run_epoch(1, seen.append)
    assert sum(seen) == len(data)
    assert max(seen) == 37


def test_absent_device_is_an_error() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(DeviceError, match=r"'cuda' is not on this machine \(present: .*cpu\)"):
        resolve_device("cuda")
    assert resolve_device("cpu") == "cpu"
