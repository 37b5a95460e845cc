from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.matrix import Interactions
from cofilter.models.als.config import ALSConfig
from cofilter.models.als.learner import AlternatingFactors
from cofilter.models.als.model import KINDS, ExplicitALS, ImplicitALS
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import SCALE, TrainedContract, ratings_table


def values(kind: str = "explicit", **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "kind": kind, "dim": 4, "epochs": 6, "patience": 2, "regularization": 0.05,
        "solver": "cholesky", "cg_steps": 3, "alpha": 2.0, "confidence": "rating",
        "min_rating": None, "init_std": 0.1, "scale": SCALE,
    }  # fmt: skip
    return given | changes


def config(kind: str = "explicit", **changes: Any) -> ALSConfig:
    return ALSConfig(**values(kind, **changes))


def trainer(folder: Path) -> Trainer:
    return Trainer(CheckpointConfig(every_seconds=0, resume="auto"), folder)


class TestExplicit(TrainedContract):
    def make(self) -> Recommender:
        return ExplicitALS(config())

    def constant(self, model: Recommender, person: People) -> np.ndarray:
        """The mean and the items' biases, in ratings of the source."""
        assert isinstance(model, ExplicitALS)
        return model._learning.ratings(model._mean + model.item_[:, -1])


class TestImplicit(TrainedContract):
    def make(self) -> Recommender:
        return ImplicitALS(config("implicit"))

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0


class TestImplicitByConjugateGradient(TrainedContract):
    def make(self) -> Recommender:
        return ImplicitALS(config("implicit", solver="cg", dim=20, confidence="constant"))

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0


def objective(learner: AlternatingFactors, cfg: ALSConfig, data: Interactions) -> float:
    """The objective by its definition, dense and in float64, a rating."""
    tables = learner.parameters()
    p, q = tables["user"].astype(float), tables["item"].astype(float)
    dense = np.full(data.shape, np.nan)
    dense[data.user, data.item] = data.rating
    product = p[:, :-1] @ q[:, :-1].T
    if cfg.kind == "implicit":
        seen = ~np.isnan(dense) & ~(dense < (cfg.min_rating or 0))
        rating = np.nan_to_num(dense)
        confidence = {
            "rating": 1 + cfg.alpha * rating,
            "constant": np.full(data.shape, 1 + cfg.alpha),
            "scaled": cfg.alpha * rating,
        }[cfg.confidence]
        error = np.where(seen, confidence, 1) * (seen - product) ** 2
        return (error.sum() + cfg.regularization * ((p**2).sum() + (q**2).sum())) / seen.sum()
    error = dense - data.rating.mean(dtype=float) - p[:, -1:] - q[:, -1] - product
    n_user, n_item = (~np.isnan(dense)).sum(axis=1), (~np.isnan(dense)).sum(axis=0)
    penalty = n_user @ (p**2).sum(axis=1) + n_item @ (q**2).sum(axis=1)
    return (np.nansum(error**2) + cfg.regularization * penalty) / len(data)


CASES = [
    config(),
    config(solver="cg", cg_steps=2),
    config("implicit"),
    config("implicit", confidence="constant", min_rating=4.0),
    config("implicit", confidence="scaled", alpha=1.0),
    config("implicit", solver="cg", regularization=2.0),
]


@pytest.mark.parametrize("cfg", CASES)
def test_the_loss_is_the_objective_and_never_rises(cfg: ALSConfig) -> None:
    data = Interactions.of(ratings_table())
    learner = AlternatingFactors(cfg, data, float(data.rating.mean(dtype=float)))
    losses = []
    for epoch in range(1, 13):
        losses.append(learner.run_epoch(epoch, lambda n: None))
        assert losses[-1] == pytest.approx(objective(learner, cfg, data), rel=1e-5)
    assert (np.diff(losses) <= 1e-6 * losses[0]).all()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", ["explicit", "implicit"])
def test_it_converges_to_where_no_side_can_improve(kind: str) -> None:
    """The gradient of the objective is zero over all parameters, taken by finite differences."""
    data, cfg = Interactions.of(ratings_table(12, 8)), config(kind, dim=2, regularization=0.2)
    learner = AlternatingFactors(cfg, data, float(data.rating.mean(dtype=float)))
    for epoch in range(1, 80):
        learner.run_epoch(epoch, lambda n: None)
    best = learner.state()
    lowest = objective(learner, cfg, data)
    for side, column in (("user", 0), ("item", 1)):
        for change in (-0.01, 0.01):
            state = {name: array.copy() for name, array in best.items()}
            state[side][3, column] += change
            learner.restore(state)
            assert objective(learner, cfg, data) > lowest


@pytest.mark.parametrize("kind", ["explicit", "implicit"])
def test_training_in_two_parts_gives_the_same_bits(kind: str, tmp_path: Path) -> None:
    table = ratings_table()
    cut = len(table) * 4 // 5
    train, validation = table[:cut], table[cut:]
    cfg = config(kind, patience=None, solver="cg")
    whole = KINDS[kind](cfg).fit(train, validation, trainer(tmp_path / "whole"))
    part = cfg.model_copy(update={"epochs": 2})
    KINDS[kind](part).fit(train, validation, trainer(tmp_path / "parts"))
    resumed = KINDS[kind](cfg).fit(train, validation, trainer(tmp_path / "parts"))
    assert resumed.history_ == whole.history_
    assert len(list((tmp_path / "parts").glob("*/*"))) == 1  # one fingerprint
    for name, array in whole._arrays().items():
        assert np.array_equal(array, resumed._arrays()[name])


@pytest.mark.parametrize("kind", ["explicit", "implicit"])
def test_folding_in_is_the_exact_minimum_on_the_fixed_items(kind: str, tmp_path: Path) -> None:
    table = ratings_table()
    model = KINDS[kind](config(kind, solver="cg")).fit(table, trainer=trainer(tmp_path))
    people = model.fold_in(table)
    q = model.item_.astype(float)
    for at, person in enumerate(people.ids):
        history = table[table[USER] == person]
        item, rating = model.items_.index(history[ITEM]), history[RATING].to_numpy(float)
        if kind == "implicit":
            seen = np.isin(np.arange(len(q)), item)
            confidence = np.ones(len(q))
            confidence[item] += model.config.alpha * rating
            design, target, ridge = q[:, :-1], seen.astype(float), model.config.regularization
        else:
            confidence = np.ones(len(item))
            design = np.c_[q[item, :-1], confidence]
            target = rating - model.biases_.mean - q[item, -1]
            ridge = model.config.regularization * len(item)
        normal = (design * confidence[:, None]).T @ design + ridge * np.eye(design.shape[1])
        exact = np.linalg.solve(normal, design.T @ (confidence * target))
        np.testing.assert_allclose(people.state[at, : len(exact)], exact, rtol=1e-3, atol=1e-4)


def test_predictions_are_the_formula(tmp_path: Path) -> None:
    table = ratings_table()
    model = ExplicitALS(config()).fit(table, trainer=trainer(tmp_path))
    user, item = model.users_.index(table[USER]), model.items_.index(table[ITEM])
    p, q = model.user_[user].astype(float), model.item_[item].astype(float)
    expected = table[RATING].mean() + p[:, -1] + q[:, -1] + (p[:, :-1] * q[:, :-1]).sum(axis=1)
    given = model.predict(table[USER], table[ITEM])
    np.testing.assert_allclose(given, np.clip(expected, *SCALE), rtol=1e-5)
    error = given - table[RATING]
    assert (error**2).mean() < 0.25 * table[RATING].var()


def checkerboard(n: int = 20) -> pd.DataFrame:
    """Even users took even items and odd ones odd items, all but the pair of equal numbers."""
    user, item = np.nonzero(np.add.outer(np.arange(n), np.arange(n)) % 2 == 0)
    keep = user != item
    return pd.DataFrame({USER: user[keep], ITEM: item[keep], RATING: np.float32(1.0)})


@pytest.mark.parametrize("solver", ["cholesky", "cg"])
def test_the_missing_field_of_a_checkerboard_is_recommended_first(
    solver: str, tmp_path: Path
) -> None:
    table = checkerboard()
    model = ImplicitALS(config("implicit", solver=solver, dim=2))
    model.fit(table, trainer=trainer(tmp_path))
    items, _ = model.recommend(np.arange(20), 1, exclude=table)
    assert items[:, 0].tolist() == list(range(20))
    similar, _ = model.similar_items(np.arange(20), 3)
    assert (similar % 2 == np.arange(20)[:, None] % 2).all()


def test_ratings_below_the_lowest_count_as_not_observed(tmp_path: Path) -> None:
    table = ratings_table()
    cfg = config("implicit", min_rating=4.0)
    model = ImplicitALS(cfg).fit(table, trainer=trainer(tmp_path))
    low = table[RATING] < 4
    weaker = table.assign(**{RATING: table[RATING].where(~low, 1.0)})
    other = ImplicitALS(cfg).fit(weaker, trainer=trainer(tmp_path))
    assert np.array_equal(model.user_, other.user_)
    # Nothing observed, nothing to go by: the most popular items.
    history = table[low].assign(**{USER: 77})[:3]
    people = model.fold_in(history)
    assert not people.state.any()
    folded, unknown = (model.recommend(each, 5, exclude_seen=False)[0] for each in (people, [-5]))
    assert folded.tolist() == unknown.tolist()


def test_confidence_is_by_rating_or_constant(tmp_path: Path) -> None:
    table = ratings_table()
    ones = table.assign(**{RATING: np.float32(1.0)})

    def users(data: pd.DataFrame, confidence: str) -> np.ndarray:
        cfg = config("implicit", confidence=confidence)
        return ImplicitALS(cfg).fit(data, trainer=trainer(tmp_path)).user_

    assert np.array_equal(users(table, "constant"), users(ones, "constant"))
    assert np.array_equal(users(ones, "rating"), users(ones, "constant"))
    assert not np.array_equal(users(table, "rating"), users(table, "constant"))


def test_stronger_regularization_shortens_the_factors(tmp_path: Path) -> None:
    table = ratings_table()
    for kind, model in KINDS.items():
        lengths = [
            np.linalg.norm(
                model(config(kind, regularization=value))
                .fit(table, trainer=trainer(tmp_path))
                .user_
            )
            for value in (0.05, 0.5)
        ]
        assert lengths[1] < lengths[0]


@pytest.mark.parametrize("kind", ["explicit", "implicit"])
def test_all_ratings_equal(kind: str, tmp_path: Path) -> None:
    table = ratings_table().assign(**{RATING: np.float32(4.0)})
    model = KINDS[kind](config(kind)).fit(table, trainer=trainer(tmp_path))
    if model.predicts_ratings:
        np.testing.assert_allclose(model.predict(table[USER], table[ITEM]), 4.0, atol=1e-5)
    _, scores = model.recommend(table[USER].unique(), 3, exclude_seen=False)
    assert np.isfinite(scores).all()


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kind: 'implicit' is not what ExplicitALS is"):
        ExplicitALS(config("implicit"))
    with pytest.raises(ConfigError, match=r"als.regularization: 0.0 is not allowed"):
        parse(ALSConfig, values(regularization=0.0), "als")
    table = ratings_table()
    negative = table.assign(**{RATING: table[RATING] - 3})
    with pytest.raises(DataError, match=r"a rating of -2 would .* als.min_rating to 0 or more"):
        ImplicitALS(config("implicit")).fit(negative, trainer=trainer(tmp_path))
    scaled = config("implicit", confidence="scaled", alpha=0.5)
    with pytest.raises(DataError, match=r"a rating of 1 would .* als.min_rating to 2 or more"):
        ImplicitALS(scaled).fit(table, trainer=trainer(tmp_path))
    with pytest.raises(DataError, match="no rating reaches 6, the highest is 5"):
        ImplicitALS(config("implicit", min_rating=6.0)).fit(table, trainer=trainer(tmp_path))
