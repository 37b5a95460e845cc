from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import ConfigError, DivergedError
from cofilter.core.matrix import Interactions
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.svdpp import SVDPlusPlus
from cofilter.models.mf.svdpp_fused import FusedSVDPlusPlus
from cofilter.models.mf.svdpp_torch import TorchSVDPlusPlus
from cofilter.models.mf.weights import item_weights
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Arrays, Learner
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import SCALE, TrainedContract, ratings_table

MEAN = 3.0
Make = Callable[[MFConfig, Interactions, float], FusedSVDPlusPlus | TorchSVDPlusPlus]
both_engines = pytest.mark.parametrize("make", [FusedSVDPlusPlus, TorchSVDPlusPlus])


def config(**changes: Any) -> MFConfig:
    values: dict[str, Any] = {
        "kind": "svdpp", "dim": 4, "epochs": 8, "optimizer": "sgd", "lr": 0.02, "batch_size": 100,
        "l2": 0.02, "schedule": "exponential", "decay": 0.9, "init_std": 0.1, "patience": 2,
        "propensity": None, "scale": SCALE, "device": "cpu", "init_uniform": None,
        "bias_uniform": None, "centred": True, "weight_decay": 0.0,
    }  # fmt: skip
    return MFConfig(**(values | changes))


def trainer(folder: Path) -> Trainer:
    return Trainer(CheckpointConfig(every_seconds=0, resume="auto"), folder)


def moved(learner: Learner) -> Learner:
    """After an epoch, when y is not 0 any more."""
    learner.run_epoch(1, lambda n: None)
    return learner


class SVDPlusPlusContract(TrainedContract):
    engine: str

    def make(self) -> Recommender:
        return SVDPlusPlus(config(engine=self.engine))

    def test_it_says_where_it_was_trained(self, model: Recommender) -> None:
        assert (model.engine_, model.device_) == (self.engine, "cpu")


class TestFused(SVDPlusPlusContract):
    engine = "fused"


class TestTorch(SVDPlusPlusContract):
    engine = "torch"


def sums(data: Interactions, implicit: np.ndarray) -> np.ndarray:
    """z of each user, with a dense matrix."""
    rated = np.zeros(data.shape)
    rated[data.user, data.item] = 1.0
    return rated @ implicit / np.sqrt(rated.sum(axis=1, keepdims=True))


@both_engines
def test_user_factors_contain_the_implicit_ones(make: Make) -> None:
    data = Interactions.of(ratings_table())
    learner = make(config(), data, MEAN)
    own = learner.parameters()["user"][:, :-1]  # y = 0: p alone
    state = learner.state()
    name = "implicit" if make is FusedSVDPlusPlus else "table.implicit"
    rng = np.random.default_rng(5)
    state[name][:, :4] = rng.normal(size=(len(data.items), 4))
    learner.restore(state)
    found = learner.parameters()
    assert np.array_equal(found["implicit"], state[name][:, :4])
    expected = own + sums(data, found["implicit"].astype(float))
    np.testing.assert_allclose(found["user"][:, :-1], expected, atol=1e-5)


def loss(data: Interactions, tables: Arrays, own: np.ndarray, cfg: MFConfig) -> float:
    """The class's loss, summed, in float64."""
    user, item, y = (tables[name].astype(float) for name in ("user", "item", "implicit"))
    x, q = user[data.user], item[data.item]
    weight = item_weights(np.bincount(data.item), cfg.propensity)[data.item]
    error = data.rating - MEAN - x[:, -1] - q[:, -1] - (x[:, :-1] * q[:, :-1]).sum(axis=1)
    squares = (own[data.user] ** 2).sum(axis=1) + x[:, -1] ** 2
    squares += (q**2).sum(axis=1) + (y[data.item] ** 2).sum(axis=1)
    return float((weight * error**2 + cfg.l2 * squares).sum())


@pytest.mark.parametrize("propensity", [None, 0.5])
def test_torch_minimises_the_loss_of_the_class(propensity: float | None) -> None:
    data, cfg = Interactions.of(ratings_table()), config(l2=0.3, propensity=propensity)
    learner = TorchSVDPlusPlus(cfg, data, MEAN)
    moved(learner)
    tables = learner.parameters()
    own = tables["user"][:, :-1] - sums(data, tables["implicit"].astype(float))
    half = learner.half_loss(torch.arange(len(data))).item()
    assert 2 * half == pytest.approx(loss(data, tables, own, cfg), rel=1e-5)


@pytest.mark.parametrize("propensity", [None, 0.5])
@pytest.mark.parametrize("batch_size", [None, 40])
def test_fused_steps_are_the_gradient(batch_size: int | None, propensity: float | None) -> None:
    """At a small rate an epoch moves each parameter by rate · half the gradient, by autograd."""
    rate = 1e-4
    data = Interactions.of(ratings_table())
    cfg = config(lr=rate, l2=0.3, init_std=0.5, propensity=propensity, batch_size=batch_size)
    fused, exact = FusedSVDPlusPlus(cfg, data, MEAN), TorchSVDPlusPlus(cfg, data, MEAN)
    state = fused.state()
    state["implicit"][:, :4] = np.random.default_rng(5).normal(0, 0.3, (len(data.items), 4))
    fused.restore(state)
    before = fused.parameters()
    own = before["user"].astype(float)
    own[:, :-1] -= sums(data, before["implicit"].astype(float))
    start = {"user": own, "item": before["item"], "implicit": before["implicit"]}
    with torch.no_grad():
        for name, table in start.items():
            exact._tables[name][:, : table.shape[1]] = torch.tensor(table)
    exact.half_loss(torch.arange(len(data))).backward()
    fused.run_epoch(1, lambda n: None)
    after = fused.parameters()
    own_after = after["user"].astype(float)
    own_after[:, :-1] -= sums(data, after["implicit"].astype(float))
    for name, table in (after | {"user": own_after}).items():
        gradient = exact._tables[name].grad
        assert gradient is not None
        steps = (start[name] - table) / rate
        expected = gradient.numpy()[:, : table.shape[1]]
        np.testing.assert_allclose(steps, expected, atol=0.02 * np.abs(expected).max())


@both_engines
def test_restored_state_continues_bit_for_bit(make: Make) -> None:
    data = Interactions.of(ratings_table())
    straight, stopped = (moved(make(config(), data, MEAN)) for _ in range(2))
    resumed = make(config(), data, MEAN)
    resumed.restore(stopped.state())
    assert straight.run_epoch(2, lambda n: None) == resumed.run_epoch(2, lambda n: None)
    for name, array in straight.state().items():
        assert np.array_equal(array, resumed.state()[name]), name


@both_engines
def test_state_is_a_copy(make: Make) -> None:
    learner = make(config(), Interactions.of(ratings_table()), MEAN)
    state = learner.state()
    kept = {name: array.copy() for name, array in state.items()}
    moved(learner)
    assert all(np.array_equal(array, kept[name]) for name, array in state.items())


def test_seed_and_epoch_set_the_order() -> None:
    data = Interactions.of(ratings_table())
    first, same, other = (
        moved(FusedSVDPlusPlus(config(seed=seed, init_std=0.0), data, MEAN)).parameters()
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first["user"], same["user"])
    assert not np.array_equal(first["user"], other["user"])
    epochs = [FusedSVDPlusPlus(config(schedule="constant"), data, MEAN) for _ in range(2)]
    for epoch, learner in enumerate(epochs, start=1):
        learner.run_epoch(epoch, lambda n: None)
    assert not np.array_equal(*(learner.parameters()["user"] for learner in epochs))


@both_engines
def test_every_rating_is_told_once(make: Make) -> None:
    data, seen = Interactions.of(ratings_table()), list[int]()
    make(config(), data, MEAN).run_epoch(1, seen.append)
    assert sum(seen) == len(data)


def test_long_epochs_are_told_of_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cofilter.models.mf.svdpp_fused.CALL_RATINGS", 50)
    monkeypatch.setattr("cofilter.models.mf.svdpp_fused.SHORT", 0)
    data, seen = Interactions.of(ratings_table()), list[int]()
    learner = FusedSVDPlusPlus(config(batch_size=20), data, MEAN)
    in_parts = learner.run_epoch(1, seen.append)
    assert sum(seen) == len(data)
    assert len(seen) > 3
    monkeypatch.undo()
    whole = FusedSVDPlusPlus(config(batch_size=20), data, MEAN)
    assert whole.run_epoch(1, lambda n: None) == pytest.approx(in_parts, rel=1e-12)
    assert np.array_equal(whole.parameters()["user"], learner.parameters()["user"])


def test_it_learns_from_what_was_rated_alone() -> None:
    """Two tastes that show in which items are rated: new users get theirs by z only."""
    rng = np.random.default_rng(0)
    taste = np.arange(80) % 2
    near = rng.random((80, 40)) < np.where(taste[:, None] == np.arange(40) % 2, 0.5, 0.1)
    user, item = np.nonzero(near)
    rating = np.where(item < 20, 3.0, np.where(taste[user] == 0, 5.0, 1.0))
    table = pd.DataFrame({USER: user, ITEM: item, RATING: rating.astype(np.float32)})
    cfg = config(epochs=60, lr=0.05, schedule="constant", dim=2)
    learner = FusedSVDPlusPlus(cfg, Interactions.of(table), 3.0)
    for epoch in range(1, 61):
        learner.run_epoch(epoch, lambda n: None)
    tables = learner.parameters()
    telling = [[item for item in range(20) if item % 2 == side] for side in (0, 1)]
    z = np.array([tables["implicit"][items].sum(axis=0) / np.sqrt(10) for items in telling])
    told = (z @ tables["item"][20:, :-1].T).mean(axis=1)
    assert told[0] > 0.5 > -0.5 > told[1]


@pytest.mark.parametrize("propensity", [None, 0.5])
def test_folding_in_minimises_the_loss_of_the_new_user(
    propensity: float | None, tmp_path: Path
) -> None:
    """The gradient of Σ w (r − r̂)² + λ n (|p|² + b²) over p and b is 0 at the given state."""
    table = ratings_table()
    model = SVDPlusPlus(config(propensity=propensity)).fit(table, trainer=trainer(tmp_path))
    history = table[table[USER].isin([0, 10])]
    people = model.fold_in(history)
    for person, state in zip(people.ids, np.asarray(people.state, float), strict=True):
        own = history[history[USER] == person]
        index = model.items_.index(own[ITEM])
        q, n = model.item_[index].astype(float), len(own)
        weight = item_weights(model.popularity_, propensity)[index]
        p = state[:-1] - model.implicit_[index].astype(float).sum(axis=0) / np.sqrt(n)
        error = own[RATING].to_numpy(float) - model.biases_.mean - state[-1] - q[:, -1]
        error = weight * (error - q[:, :-1] @ state[:-1])
        np.testing.assert_allclose(q[:, :-1].T @ error, model.config.l2 * n * p, atol=1e-4)
        assert error.sum() == pytest.approx(model.config.l2 * n * state[-1], abs=1e-4)


def test_equal_ratings_are_predicted_as_such(tmp_path: Path) -> None:
    table = ratings_table().assign(**{RATING: np.float32(4.0)})
    cfg = config(scale=None, init_std=0.0)
    model = SVDPlusPlus(cfg).fit(table, trainer=trainer(tmp_path))
    assert (model.predict(table[USER], table[ITEM]) == 4.0).all()


def test_resumes_where_it_was_stopped(tmp_path: Path) -> None:
    table = ratings_table()
    straight = SVDPlusPlus(config()).fit(table, trainer=trainer(tmp_path / "one"))
    SVDPlusPlus(config(epochs=3)).fit(table, trainer=trainer(tmp_path / "two"))
    resumed = SVDPlusPlus(config()).fit(table, trainer=trainer(tmp_path / "two"))
    assert resumed.history_ == straight.history_
    for name, array in straight._arrays().items():
        assert np.array_equal(array, resumed._arrays()[name]), name


def test_divergence_is_told(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="learning rate"):
        SVDPlusPlus(config(lr=50.0)).fit(ratings_table(), trainer=trainer(tmp_path))


def test_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ConfigError, match=r"kind: 'biased' is not what SVDPlusPlus is"):
        SVDPlusPlus(config(kind="biased"))
    with pytest.raises(ConfigError, match=r"mf\.optimizer: 'adagrad' .* which have sgd"):
        SVDPlusPlus(config(optimizer="adagrad", engine="fused"))


@pytest.mark.parametrize(("optimizer", "engine"), [("sgd", "fused"), ("adam", "torch")])
def test_auto_takes_the_engine_that_has_the_optimizer(optimizer: str, engine: str) -> None:
    model = SVDPlusPlus(config(optimizer=optimizer, lr=0.01))
    model._biases = type("Mean", (), {"mean": MEAN})()  # type: ignore[assignment]
    assert model._learner(Interactions.of(ratings_table())).engine == engine
