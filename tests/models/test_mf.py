from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.columns import ITEM, RATING, USER
from cofilter.errors import ConfigError
from cofilter.models.base import Recommender
from cofilter.models.mf import MatrixFactorization, MFConfig
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import SCALE, ModelContract, ratings_table


def config(**changes: Any) -> MFConfig:
    values: dict[str, Any] = {
        "kind": "biased", "dim": 4, "epochs": 8, "optimizer": "adam", "lr": 0.02,
        "batch_size": 64, "l2": 0.02, "schedule": "constant", "decay": 0.9, "init_std": 0.1,
        "patience": 2, "scale": SCALE,
    }  # fmt: skip
    return MFConfig(**(values | changes))


def trainer(folder: Path) -> Trainer:
    return Trainer(CheckpointConfig(every_seconds=0, resume="auto"), folder)


class MFContract(ModelContract):
    @pytest.fixture(autouse=True)
    def _checkpoints(self, tmp_path: Path) -> None:
        self.checkpoints = tmp_path / "checkpoints"

    def fit(self, table: pd.DataFrame) -> Recommender:
        fresh = Trainer(CheckpointConfig(every_seconds=9, resume="never"), self.checkpoints)
        return self.make().fit(table, trainer=fresh)


class TestBiased(MFContract):
    def make(self) -> Recommender:
        return MatrixFactorization(config())


class TestDot(MFContract):
    def make(self) -> Recommender:
        return MatrixFactorization(config(kind="dot", optimizer="sgd", lr=0.05))

    def test_dot_has_no_biases(self, model: Recommender) -> None:
        assert isinstance(model, MatrixFactorization)
        assert not model.user_[:, -1].any()
        assert not model.item_[:, -1].any()


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


@pytest.mark.parametrize("kind", ["biased", "dot"])
def test_folding_in_minimises_the_loss_of_the_new_user(kind: str, tmp_path: Path) -> None:
    """The gradient of Σ (r − r̂)² + λ n (|p|² + b²) over p and b is zero at the given state."""
    table = ratings_table()
    model = MatrixFactorization(config(kind=kind)).fit(table, trainer=trainer(tmp_path))
    history = table[table[USER] == 0]
    state = np.asarray(model.fold_in(history).state[0], float)
    q = model.item_[model.items_.index(history[ITEM])].astype(float)
    mean = model.biases_.mean if kind == "biased" else 0.0
    error = history[RATING].to_numpy(float) - mean - state[-1] - q[:, -1] - q[:, :-1] @ state[:-1]
    penalty = model.config.l2 * len(history) * state
    np.testing.assert_allclose(q[:, :-1].T @ error, penalty[:-1], atol=1e-5)
    assert (
        error.sum() == pytest.approx(penalty[-1], abs=1e-5) if kind == "biased" else not state[-1]
    )


def test_needs_a_trainer() -> None:
    with pytest.raises(ConfigError, match="needs a trainer"):
        MatrixFactorization(config()).fit(ratings_table())


def test_validation_of_strangers_alone_still_stops_early(tmp_path: Path) -> None:
    """With no warm validation row RMSE is the fallback's, equal in every epoch: the first wins."""
    table = ratings_table()
    strangers = table.assign(**{USER: table[USER] + 1})
    model = MatrixFactorization(config()).fit(table, strangers, trainer(tmp_path))
    assert model.epochs_ == 1
