from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.matrix import Interactions
from cofilter.core.parts import Parts
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.recommender.base import Recommender
from cofilter.recommender.store import load
from cofilter.scoring.answers import load_answers
from cofilter.scoring.scores import score
from cofilter.training.loop import CheckpointConfig, Trainer
from cofilter.training.point import Point, save_point, train_point
from tests.evaluation.conftest import make_config
from tests.models.contract import ratings_table
from tests.models.mf.test_factorization import config

EVALUATE = make_config(primary="rmse", k=(5,), relevance_threshold=4.0, min_users=1)
CHECKPOINT = CheckpointConfig(every_seconds=0, resume="auto")


def make() -> Recommender:
    return MatrixFactorization(config(lr=0.1, l2=0.0, dim=16, epochs=40))  # overfits soon


def point(refit: bool) -> Point:
    return Point("mf", "one", 0, make, refit, EVALUATE, CHECKPOINT)


@pytest.fixture
def parts() -> Parts:
    rows = ratings_table(60, 40).sample(frac=1, random_state=0, ignore_index=True)
    n = len(rows)
    return Parts(rows[: n * 8 // 10], rows[n * 8 // 10 : n * 9 // 10], rows[n * 9 // 10 :])


def test_refit_ships_a_model_of_train_and_validation_with_the_chosen_epochs(
    parts: Parts, tmp_path: Path
) -> None:
    trained = train_point(point(refit=True), parts, tmp_path)
    fitted = make().fit(parts.train, parts.validation, Trainer(CHECKPOINT, tmp_path / "other"))
    assert isinstance(fitted, MatrixFactorization)
    both = pd.concat([parts.train, parts.validation], ignore_index=True)
    assert trained.model.data_sha256_ == Interactions.of(both).sha256
    assert trained.selection["epochs"] == fitted.epochs_
    counts = trained.curve.groupby("phase").size()
    assert counts["refit"] == fitted.epochs_ < counts["fit"] == len(fitted.history_)
    expected = score(fitted, parts.train, None, parts.validation, EVALUATE).summary()
    assert trained.selection["validation"] == expected
    assert trained.timings.keys() == {"fit_seconds", "refit_seconds"}
    users, items = parts.validation["user_id"], parts.validation["item_id"]
    assert np.array_equal(trained.answers.predicted, fitted.predict(users, items))
    assert not np.array_equal(trained.answers.predicted, trained.model.predict(users, items))


def test_without_refit_the_model_of_train_is_shipped(parts: Parts, tmp_path: Path) -> None:
    trained = train_point(point(refit=False), parts, tmp_path)
    assert trained.model.data_sha256_ == Interactions.of(parts.train).sha256
    assert set(trained.curve["phase"]) == {"fit"}
    assert trained.timings.keys() == {"fit_seconds"}


def test_the_test_part_is_never_looked_at(parts: Parts, tmp_path: Path) -> None:
    other = Parts(parts.train, parts.validation, parts.test.assign(rating=1.0))
    mine, theirs = (
        train_point(point(refit=True), p, tmp_path / name)
        for name, p in {"a": parts, "b": other}.items()
    )
    assert mine.selection == theirs.selection
    users, items = parts.test["user_id"], parts.test["item_id"]
    assert np.array_equal(mine.model.predict(users, items), theirs.model.predict(users, items))


def test_what_is_saved_is_equal_in_two_equal_runs(parts: Parts, tmp_path: Path) -> None:
    contents = []
    for name in "ab":
        trained = train_point(point(refit=True), parts, tmp_path / f"checkpoints-{name}")
        save_point(trained, tmp_path / name)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]
    assert json.loads(contents[0]["selection.json"])["point"] == "one"
    assert load(tmp_path / "a").data_sha256_ == trained.model.data_sha256_
    assert load_answers(tmp_path / "a").data == trained.answers.data
