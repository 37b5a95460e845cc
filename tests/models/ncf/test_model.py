from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import ConfigError, Interrupted
from cofilter.core.matrix import Interactions
from cofilter.models.ncf.config import ImplicitNetworkConfig, RatingNetworkConfig
from cofilter.models.ncf.learner import RatingLearner
from cofilter.models.ncf.model import ImplicitNetwork, RatingNetwork, _Network
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Task
from cofilter.training.loop import CheckpointConfig, Trainer
from cofilter.training.points import make_point
from stages.drift import composed
from tests.models.contract import SCALE, TrainedContract, ratings_table

SHARED: dict[str, Any] = {
    "dim": 6, "hidden": (8, 5), "dropout": 0.2, "batch_size": 64, "weight_decay": 1e-5,
    "schedule": ((3, 0.02), (2, 0.005)), "init_uniform": None, "init_std": 0.3, "epochs": 6,
    "patience": 2, "fold_in_steps": 20, "fold_in_lr": 0.05, "threads": 1, "device": "cpu",
    "scale": SCALE,
}  # fmt: skip


def implicit(**changes: Any) -> ImplicitNetworkConfig:
    own = {"n_negatives": 3, "negatives": "uniform"}
    return ImplicitNetworkConfig(**(SHARED | own | changes))


def rating(**changes: Any) -> RatingNetworkConfig:
    return RatingNetworkConfig(**(SHARED | {"centred": True} | changes))


KINDS = pytest.mark.parametrize("kind", ["implicit", "rating"])


def trainer(folder: Path) -> Trainer:
    return Trainer(CheckpointConfig(every_seconds=0, resume="auto"), folder)


def fitted(kind: str, folder: Path, **changes: Any) -> _Network:
    model = (
        ImplicitNetwork(implicit(**changes))
        if kind == "implicit"
        else RatingNetwork(rating(**changes))
    )
    return model.fit(ratings_table(), trainer=trainer(folder))


class TestImplicit(TrainedContract):
    def make(self) -> Recommender:
        return ImplicitNetwork(implicit())


class TestPopularityNegatives(TrainedContract):
    def make(self) -> Recommender:
        return ImplicitNetwork(implicit(negatives="popularity", dropout=0.0, hidden=(4,)))


class TestRating(TrainedContract):
    def make(self) -> Recommender:
        return RatingNetwork(rating())


class TestFullBatch(TrainedContract):
    def make(self) -> Recommender:
        return RatingNetwork(
            rating(batch_size=None, centred=False, init_uniform=(0.0, 0.05), hidden=(4,))
        )


def by_hand(parameters: dict[str, np.ndarray], user: int, item: int, activated: bool) -> float:
    """The class's formula in float64, unit by unit."""
    inputs = [float(value) for side, row in (("user", user), ("item", item))
              for value in parameters[side][row]]  # fmt: skip
    units = [max(value, 0.0) for value in inputs] if activated else inputs
    layers = len([name for name in parameters if name.startswith("weight")])
    for layer in range(layers):
        weight, bias = parameters[f"weight{layer}"], parameters[f"bias{layer}"]
        sums = [
            sum(float(w) * unit for w, unit in zip(row, units, strict=True)) + float(shift)
            for row, shift in zip(weight, bias, strict=True)
        ]
        units = [max(value, 0.0) for value in sums] if layer < layers - 1 else sums
    return units[0]


@KINDS
def test_answers_are_the_formula(kind: str, tmp_path: Path) -> None:
    model = fitted(kind, tmp_path)
    items, scores = model.recommend([0, 50], 20, exclude_seen=False)
    mean = model.biases_.mean if kind == "rating" else 0.0
    for user, row, values in zip([0, 5], items, scores, strict=True):
        expected = [
            mean + by_hand(model.parameters_, user, item - 100, kind == "rating") for item in row
        ]
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def test_a_predicted_rating_is_the_ranking_s_score(tmp_path: Path) -> None:
    model = fitted("rating", tmp_path)
    items, scores = model.recommend([40], 20, exclude_seen=False)
    given = model.predict(np.full(20, 40), items[0])
    np.testing.assert_allclose(given, np.clip(scores[0], *SCALE), rtol=1e-5)


class StopAfter(Trainer):
    """Stops as by SIGTERM in the middle of an epoch."""

    def __init__(self, folder: Path, epoch: int) -> None:
        super().__init__(CheckpointConfig(every_seconds=0, resume="auto"), folder)
        self.stop_in = epoch

    def run(self, learner: Any, task: Task) -> Any:
        whole = learner.run_epoch

        def run_epoch(epoch: int, tick: Callable[[int], None]) -> float:
            def stopping(n: int) -> None:
                if epoch == self.stop_in:
                    raise Interrupted(15)

            return whole(epoch, stopping)

        learner.run_epoch = run_epoch
        return super().run(learner, task)


@KINDS
def test_a_fit_killed_within_an_epoch_ends_as_one_never_stopped(kind: str, tmp_path: Path) -> None:
    table = ratings_table(40, 25)
    held_out = np.random.default_rng(1).random(len(table)) < 0.2
    parts = table[~held_out], table[held_out]
    config = {"patience": 6}
    one, other = (
        ImplicitNetwork(implicit(**config))
        if kind == "implicit"
        else RatingNetwork(rating(**config))
        for _ in range(2)
    )
    one.fit(*parts, trainer(tmp_path / "straight"))
    with pytest.raises(Interrupted):
        other.fit(*parts, StopAfter(tmp_path / "killed", 4))
    other.fit(*parts, trainer(tmp_path / "killed"))
    assert one.history_ == other.history_
    for name, array in one.parameters_.items():
        assert np.array_equal(array, other.parameters_[name]), name


@KINDS
def test_the_gradient_of_folding_in_is_the_loss_s(kind: str, tmp_path: Path) -> None:
    """Against differences of the documented loss, the network being evaluated unit by unit."""
    model = fitted(kind, tmp_path)
    item, value = np.array([3, 7, 11]), np.array([5.0, 1.0, 4.0])
    rows, target, weight = model._fold_in_rows(item, value)
    embedding = model.parameters_["user"][2]

    def loss(embedding: np.ndarray) -> float:
        parameters = model.parameters_ | {"user": embedding[None]}
        output = np.array([by_hand(parameters, 0, at, kind == "rating") for at in range(20)])
        if kind == "rating":
            return float(np.mean((value - model.biases_.mean - output[item]) ** 2))
        others = np.setdiff1d(np.arange(20), item)
        expected_negatives = 3 * np.log1p(np.exp(output[others])).sum() / 20
        return float((np.log1p(np.exp(-output[item])).mean() + expected_negatives) / 4)

    layers = model._empty_layers(len(target)), model._empty_layers(len(target))
    found = model._gradient(embedding, model._item_part[rows], target, weight, layers)
    steps = np.eye(len(embedding)) * 1e-4
    expected = [(loss(embedding + step) - loss(embedding - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("hidden", [(6,), (7, 5), (9, 6, 4)])
def test_units_are_the_same_to_the_bit_in_one_pass_and_in_many(hidden: tuple[int, ...]) -> None:
    model = ImplicitNetwork(hidden=hidden, dim=4, epochs=1, patience=None).fit(ratings_table())
    rows, target, weight = model._fold_in_rows(np.array([3, 7]), np.array([5.0, 1.0]))
    embedding = model.parameters_["user"][2]
    units = [np.maximum(model._item_part[rows] + model._user_part(embedding), 0)]
    for layer, bias in model._layers:
        units.append(np.maximum(units[-1] @ layer.T + bias, 0))
    output = units[-2] @ model._layers[-1][0].T + model._layers[-1][1]
    back = (weight * model._error(output[:, 0], target)).astype(np.float32)[:, None]
    for (layer, _), unit in zip(reversed(model._layers), reversed(units[:-1]), strict=True):
        back = (back * layer if len(layer) == 1 else back @ layer) * (unit > 0)
    expected = back.sum(axis=0) @ model._user_weight
    layers = model._empty_layers(len(target)), model._empty_layers(len(target))
    found = model._gradient(embedding, model._item_part[rows], target, weight, layers)
    assert np.array_equal(found, expected)


@KINDS
def test_folding_in_is_of_one_person_at_a_time_and_lowers_the_loss(
    kind: str, tmp_path: Path
) -> None:
    table, model = ratings_table(), fitted(kind, tmp_path)
    people = model.fold_in(table[table[USER].isin([0, 10, 20])])
    alone = model.fold_in(table[table[USER] == 10])
    assert np.array_equal(people.take([10]).state, alone.state)
    start = model.parameters_["user"].mean(axis=0)
    history = table[table[USER] == 10]
    item = model.items_.index(history[ITEM])
    rows, target, weight = model._fold_in_rows(item, history[RATING].to_numpy())

    def loss(embedding: np.ndarray) -> float:
        output = model._output(model._item_part[rows] + model._user_part(embedding))
        if kind == "rating":
            return float(np.mean((target - output) ** 2))
        return float((weight * (np.logaddexp(0, output) - target * output)).sum())

    assert loss(alone.state[0]) < loss(start)


def test_early_stopping_watches_what_the_model_is_for(tmp_path: Path) -> None:
    table = ratings_table(40, 25)
    for kind, watched in (("implicit", "ndcg@10"), ("rating", "rmse")):
        model = ImplicitNetwork(implicit()) if kind == "implicit" else RatingNetwork(rating())
        model.fit(table.iloc[:400], table.iloc[400:], trainer(tmp_path / kind))
        values = [row[watched] for row in model.history_]
        best = np.argmax(values) if kind == "implicit" else np.argmin(values)
        assert model.epochs_ == best + 1


def test_one_item_rated_by_all_leaves_no_negatives(tmp_path: Path) -> None:
    table = pd.DataFrame({USER: [1, 2, 3], ITEM: [9, 9, 9], RATING: [4.0, 4.0, 4.0]})
    for model in (ImplicitNetwork(implicit(scale=None)), RatingNetwork(rating(scale=None))):
        model.fit(table, trainer=trainer(tmp_path / type(model).__name__))
        assert model.recommend([1, 2], 5, exclude_seen=False)[0].tolist() == [[9], [9]]
        assert np.isfinite([row["loss"] for row in model.history_]).all()
    np.testing.assert_array_equal(model.predict([1, 2], [9, 9]), [4.0, 4.0])


def test_fold_in_settings_do_not_ask_for_another_training(tmp_path: Path) -> None:
    found = {}
    for name, changes in {"as is": {}, "fold_in": {"fold_in_steps": 7}, "dim": {"dim": 5}}.items():
        brought = trainer(tmp_path)
        RatingNetwork(rating(**changes)).fit(ratings_table(), trainer=brought)
        assert brought.last_checkpoint is not None
        found[name] = brought.last_checkpoint.parent
    assert found["as is"] == found["fold_in"] != found["dim"]


def stage_config(kind: str, **changes: Any) -> dict[str, Any]:
    cfg = composed()
    return cfg | {"ncf": cfg["ncf"] | {"kind": kind} | changes, "seed": 2}


def test_stage_makes_both_kinds_or_says_what_is_wrong() -> None:
    one, other = (make_point("ncf", "", stage_config(kind)) for kind in ("implicit", "rating"))
    assert isinstance(one, ImplicitNetwork)
    assert isinstance(other, RatingNetwork)
    assert one.config.hidden == (128, 64)
    assert other.config.hidden == (10,)
    assert one.config.seed == other.config.seed == 2
    with pytest.raises(ConfigError, match=r"ncf\.kind: 'deep' is not one of implicit, rating"):
        make_point("ncf", "", stage_config("deep"))
    with pytest.raises(ConfigError, match=r"ncf\.fold_in_steps: 0 is not allowed"):
        make_point("ncf", "", stage_config("rating", fold_in_steps=0))
    with pytest.raises(ConfigError, match=r"ncf\.dropuot: unknown key"):
        make_point("ncf", "", stage_config("implicit", dropuot=0.2))


def test_full_batch_fits_in_a_row_can_be_asked_for() -> None:
    group = stage_config("rating")
    group["ncf"]["kinds"]["rating"] |= {
        "batch_size": None,
        "schedule": [[15, 0.05], [10, 0.01], [10, 0.001]],
        "init_uniform": [0.0, 0.05],
        "centred": False,
    }
    config = make_point("ncf", "", group).config
    assert isinstance(config, RatingNetworkConfig)
    assert config.schedule == ((15, 0.05), (10, 0.01), (10, 0.001))
    learner = RatingLearner(config, Interactions.of(ratings_table()), 0.0)
    start = learner.parameters()["item"]
    assert 0 <= start.min() < 0.01 < 0.04 < start.max() <= 0.05


@pytest.mark.parametrize("kind", ["dropout", "schedule"])
def test_impossible_values_are_refused(kind: str) -> None:
    wrong = {"dropout": 1.0, "schedule": ()}
    with pytest.raises(ValidationError, match=kind):
        rating(**{kind: wrong[kind]})
