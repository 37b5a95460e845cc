from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import parse
from cofilter.core.errors import ConfigError
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.models.mf.svdpp import SVDPlusPlus
from cofilter.models.mf.weights import item_weights
from cofilter.recommender.base import Recommender
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import SCALE, TrainedContract, ratings_table


def config(**changes: Any) -> MFConfig:
    values: dict[str, Any] = {
        "kind": "biased", "dim": 4, "epochs": 8, "optimizer": "adam", "lr": 0.02,
        "batch_size": 64, "l2": 0.02, "schedule": "constant", "decay": 0.9, "init_std": 0.1,
        "patience": 2, "propensity": None, "scale": SCALE, "device": "cpu", "init_uniform": None,
        "bias_uniform": None, "centred": True, "weight_decay": 0.0,
    }  # fmt: skip
    return MFConfig(**(values | changes))


def trainer(folder: Path) -> Trainer:
    return Trainer(CheckpointConfig(every_seconds=0, resume="auto"), folder)


def descent(**changes: Any) -> MFConfig:
    special = {"kind": "item_centred", "optimizer": "gd", "batch_size": None, "lr": 0.01, "l2": 1.0}
    return config(**(special | changes))


class TestBiasedTorch(TrainedContract):
    def make(self) -> Recommender:
        return MatrixFactorization(config())


class TestBiasedFused(TrainedContract):
    def make(self) -> Recommender:
        return MatrixFactorization(config(optimizer="adagrad", lr=0.1, propensity=0.5))


class TestDot(TrainedContract):
    def make(self) -> Recommender:
        return MatrixFactorization(config(kind="dot", optimizer="sgd", lr=0.02))

    def test_dot_has_no_biases(self, model: Recommender) -> None:
        assert isinstance(model, MatrixFactorization)
        assert not model.user_[:, -1].any()
        assert not model.item_[:, -1].any()


class TestItemCentred(TrainedContract):
    def make(self) -> Recommender:
        return MatrixFactorization(descent())

    def test_what_it_adds_to_the_product_is_the_item_s_mean(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        assert isinstance(model, MatrixFactorization)
        assert not model.user_[:, -1].any()
        means = table.groupby(ITEM)[RATING].mean()
        np.testing.assert_allclose(model.item_[:, -1], means, rtol=1e-6)


def test_predictions_are_the_formula(tmp_path: Path) -> None:
    table = ratings_table()
    model = MatrixFactorization(config()).fit(table, trainer=trainer(tmp_path))
    user, item = model.users_.index(table[USER]), model.items_.index(table[ITEM])
    p, q = model.user_[user].astype(float), model.item_[item].astype(float)
    expected = table[RATING].mean() + p[:, -1] + q[:, -1] + (p[:, :-1] * q[:, :-1]).sum(axis=1)
    given = model.predict(table[USER], table[ITEM])
    np.testing.assert_allclose(given, np.clip(expected, *SCALE), rtol=1e-5)


def test_early_stopping_keeps_the_best_epoch(tmp_path: Path) -> None:
    table = ratings_table(60, 40)
    held_out = np.random.default_rng(1).random(len(table)) < 0.2
    train, validation = table[~held_out], table[held_out]
    cfg = config(lr=0.1, l2=0.0, dim=16, epochs=60)  # overfits soon
    model = MatrixFactorization(cfg).fit(train, validation, trainer(tmp_path))
    errors = [row["rmse"] for row in model.history_]
    assert model.epochs_ == np.argmin(errors) + 1 < len(errors) < cfg.epochs
    assert len(errors) == model.epochs_ + cfg.patience
    given = model.predict(validation[USER], validation[ITEM])
    rmse = np.sqrt(np.mean((given - validation[RATING].to_numpy(float)) ** 2))
    assert rmse == pytest.approx(min(errors), rel=1e-9)


def test_refit_runs_the_best_number_of_epochs(tmp_path: Path) -> None:
    table = ratings_table(60, 40)
    model = MatrixFactorization(config(lr=0.1, l2=0.0, dim=16, epochs=60))
    model.fit(table.iloc[:900], table.iloc[900:], trainer(tmp_path))
    refitted = model.for_refit().fit(table, trainer=trainer(tmp_path))
    assert [row["epoch"] for row in refitted.history_] == list(range(1, model.epochs_ + 1))


@pytest.mark.parametrize("propensity", [None, 0.5])
@pytest.mark.parametrize("kind", ["biased", "dot", "item_centred"])
def test_folding_in_minimises_the_loss_of_the_new_user(
    kind: str, propensity: float | None, tmp_path: Path
) -> None:
    """The gradient of Σ w (r − r̂)² + λ n (|p|² + b²) over p and b is zero at the given state."""
    table = ratings_table()
    make = descent if kind == "item_centred" else config
    model = MatrixFactorization(make(kind=kind, propensity=propensity, l2=0.1))
    model.fit(table, trainer=trainer(tmp_path))
    history = table[table[USER] == 0]
    state = np.asarray(model.fold_in(history).state[0], float)
    q = model.item_[model.items_.index(history[ITEM])].astype(float)
    mean = model.biases_.mean if kind == "biased" else 0.0
    error = history[RATING].to_numpy(float) - mean - state[-1] - q[:, -1] - q[:, :-1] @ state[:-1]
    count = table.groupby(ITEM).size()
    raw = count ** -(propensity or 0.0)
    error *= (raw * len(table) / (raw * count).sum())[history[ITEM]].to_numpy()
    penalty = model.config.l2 * (1 if kind == "item_centred" else len(history)) * state
    np.testing.assert_allclose(q[:, :-1].T @ error, penalty[:-1], atol=1e-5)
    assert (
        error.sum() == pytest.approx(penalty[-1], abs=1e-5) if kind == "biased" else not state[-1]
    )


def test_many_people_are_folded_in_as_each_alone(tmp_path: Path) -> None:
    table = ratings_table()
    model = MatrixFactorization(config()).fit(table, trainer=trainer(tmp_path))
    together = model.fold_in(table)
    for user in together.ids[[0, 6, 7, -1]]:
        alone = model.fold_in(table[table[USER] == user])
        assert np.array_equal(together.take([user]).state, alone.state)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"engine": "fused"}, "optimizer 'adam' with engine 'fused', which has adagrad, sgd, gd"),
        ({"engine": "fused", "optimizer": "sgd", "device": "cuda"}, "on the cpu only"),
        ({"optimizer": "gd"}, "item_centred takes gd"),
        ({"kind": "item_centred"}, "item_centred takes gd"),
        ({"kind": "item_centred", "optimizer": "gd"}, "batch_size 64"),
        ({"propensity": 0.0}, "propensity"),
        ({"schedule": [[2, 0.1]], "optimizer": "adagrad"}, "schedule with optimizer 'adagrad'"),
        ({"weight_decay": 0.1, "kind": "svdpp"}, "weight_decay .* 'svdpp': adam and dot or biased"),
        ({"schedule": []}, "mf.schedule"),
    ],
)
def test_impossible_combinations_are_named(changes: dict[str, Any], named: str) -> None:
    values = config().model_dump(mode="json") | changes
    with pytest.raises(ConfigError, match=named):
        parse(MFConfig, values, "mf")


def test_fits_in_a_row_begin_where_the_schedule_says() -> None:
    fits = config(schedule=((3, 0.1), (2, 0.05), (1, 0.01)))
    assert [epoch for epoch in range(1, 9) if fits.starts_anew(epoch)] == [4, 6]
    rates = [fits.learning_rate(epoch) for epoch in range(1, 9)]
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.01, 0.01, 0.01]
    assert not any(config().starts_anew(epoch) for epoch in range(1, 9))


@pytest.mark.parametrize("centred", [True, False])
def test_the_mean_is_part_of_a_biased_model_when_it_is_centred(
    centred: bool, tmp_path: Path
) -> None:
    model = MatrixFactorization(config(centred=centred)).fit(
        ratings_table(), trainer=trainer(tmp_path)
    )
    users, items = ratings_table()[USER][:5], ratings_table()[ITEM][:5]
    p, q = model.user_[model.users_.index(users)], model.item_[model.items_.index(items)]
    mean = ratings_table()[RATING].mean() if centred else 0.0
    expected = mean + (p[:, :-1] * q[:, :-1]).sum(axis=1) + p[:, -1] + q[:, -1]
    np.testing.assert_allclose(model.predict(users, items), np.clip(expected, *SCALE), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "engine"),
    [
        ({"optimizer": "adagrad"}, "fused"),
        ({"optimizer": "adam"}, "torch"),
        ({"optimizer": "adagrad", "engine": "torch"}, "torch"),
    ],
)
def test_auto_takes_the_fused_engine_where_it_can(changes: dict[str, Any], engine: str) -> None:
    assert config(**changes).resolved_engine() == engine


def test_svdpp_is_a_class_of_its_own() -> None:
    with pytest.raises(ConfigError, match="'svdpp' is SVDPlusPlus"):
        MatrixFactorization(kind="svdpp")
    assert SVDPlusPlus().config.kind == "svdpp"
    with pytest.raises(ConfigError, match="kind: 'dot' is not what SVDPlusPlus is"):
        SVDPlusPlus(kind="dot")


def test_the_fused_engine_does_not_import_torch() -> None:
    code = """
import sys, tests.models.mf.test_fused as fused
fused.trained(fused.config(optimizer="adagrad"), epochs=1)
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_weights_of_items() -> None:
    """(n / max n)^−½ over 4, 1 and 1 ratings is 1, 2, 2; its mean over the ratings is 8 / 6."""
    popularity = np.array([4, 1, 1])
    np.testing.assert_allclose(item_weights(popularity, 0.5), np.array([1, 2, 2]) * 6 / 8)
    assert item_weights(popularity, None).tolist() == [1, 1, 1]


def test_equal_ratings_are_predicted_as_they_are(tmp_path: Path) -> None:
    table = ratings_table().assign(**{RATING: np.float32(4)})
    model = MatrixFactorization(config(optimizer="adagrad", scale=None, epochs=30))
    given = model.fit(table, trainer=trainer(tmp_path)).predict(table[USER], table[ITEM])
    assert given == pytest.approx(4)


def test_without_a_trainer_it_is_fitted_in_memory_to_the_same_bits(tmp_path: Path) -> None:
    table = ratings_table()
    alone = MatrixFactorization(config()).fit(table, table.iloc[::3])
    kept = MatrixFactorization(config()).fit(table, table.iloc[::3], trainer(tmp_path))
    assert alone.epochs_ == kept.epochs_
    assert alone.history_ == kept.history_
    assert np.array_equal(alone.item_, kept.item_)


def test_validation_of_strangers_alone_still_stops_early(tmp_path: Path) -> None:
    """With no warm validation row RMSE is the fallback's, equal in every epoch: the first wins."""
    table = ratings_table()
    strangers = table.assign(**{USER: table[USER] + 1})
    model = MatrixFactorization(config()).fit(table, strangers, trainer(tmp_path))
    assert model.epochs_ == 1


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.1, 0.1, 0.1]),
        ("exponential", [0.1, 0.05, 0.025]),
        ("cosine", [0.05 * (1 + math.cos(math.pi * n / 3)) for n in range(3)]),
    ],
)
def test_schedules(schedule: str, expected: list[float]) -> None:
    chosen = config(schedule=schedule, lr=0.1, decay=0.5, epochs=3)
    assert [chosen.learning_rate(epoch) for epoch in (1, 2, 3)] == pytest.approx(expected)
