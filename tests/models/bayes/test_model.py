from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, Interrupted, TooLargeError
from cofilter.core.matrix import Interactions
from cofilter.models.bayes.config import BayesConfig
from cofilter.models.bayes.model import BayesianFactorization
from cofilter.models.bayes.sampler import GibbsSampler, kept_draws
from cofilter.models.bayes.side import precision_and_mean, spread
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import SCALE, TrainedContract, ratings_table


def values(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "kind": "sided", "dim": 3, "epochs": 12, "burn_in": 4, "n_kept": 4, "noise": "own",
        "init_std": 0.1, "patience": None, "scale": SCALE,
    }  # fmt: skip
    return given | changes


def config(**changes: Any) -> BayesConfig:
    return BayesConfig(**values(**changes))


def trainer(folder: Path) -> Trainer:
    return Trainer(CheckpointConfig(every_seconds=0, resume="auto"), folder)


def fitted(table: pd.DataFrame, folder: Path, **changes: Any) -> BayesianFactorization:
    return BayesianFactorization(config(**changes)).fit(table, trainer=trainer(folder))


class TestSided(TrainedContract):
    def make(self) -> BayesianFactorization:
        return BayesianFactorization(config())


class TestPlain(TrainedContract):
    def make(self) -> BayesianFactorization:
        return BayesianFactorization(config(kind="plain", noise="shared", dim=9))


@pytest.fixture
def simulated() -> pd.DataFrame:
    """Ratings of a known model; ``noise`` says how noisy each is, ``truth`` what it is without."""
    rng = np.random.default_rng(3)
    n_users, n_items, dim = 150, 100, 2
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.4)
    p, q = rng.normal(size=(n_users, dim)), rng.normal(size=(n_items, dim)) * 0.5
    noise = np.where(np.arange(n_users) % 2, 0.3, 0.9)[user]
    truth = 3 + rng.normal(size=n_items)[item] * 0.3 + (p[user] * q[item]).sum(axis=1)
    rating = truth + noise * rng.normal(size=len(user))
    table = pd.DataFrame({USER: user, ITEM: item, RATING: rating.astype(np.float32)})
    return table.assign(noise=noise, truth=truth)


def halves(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    held_out = np.random.default_rng(4).random(len(table)) < 0.2
    return table[~held_out], table[held_out]


WIDE = {"scale": (-20.0, 20.0), "epochs": 60, "burn_in": 20, "n_kept": 40, "dim": 2}


@pytest.mark.parametrize("kind", ["plain", "sided"])
def test_standard_deviations_are_calibrated(
    kind: str, simulated: pd.DataFrame, tmp_path: Path
) -> None:
    train, test = halves(simulated)
    model = fitted(train, tmp_path, kind=kind, **WIDE)
    given, std = model.predict(test[USER], test[ITEM], return_std=True)
    z = (test[RATING].to_numpy(float) - given) / std
    assert z.std() == pytest.approx(1, abs=0.06)
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(0.95, abs=0.02)
    noisy = test["noise"].to_numpy() > 0.5
    assert np.median(std[noisy]) > 2 * np.median(std[~noisy])
    assert np.sqrt(np.mean((given - test["truth"]) ** 2)) < 0.3


def test_own_noise_predicts_better_where_noise_differs(
    simulated: pd.DataFrame, tmp_path: Path
) -> None:
    train, test = halves(simulated)
    errors = {}
    for noise in ("own", "shared"):
        model = fitted(train, tmp_path, noise=noise, **WIDE)
        given, std = model.predict(test[USER], test[ITEM], return_std=True)
        errors[noise] = np.sqrt(np.mean((given - test["truth"]) ** 2))
        assert (std.std() > 0.2) == (noise == "own")
    assert errors["own"] < 0.9 * errors["shared"]


def test_the_implicit_side_tells_of_users_with_few_ratings(tmp_path: Path) -> None:
    """Which of items 0 to 39 users rated (all alike) tells what they think of items 40 to 59."""
    rng = np.random.default_rng(0)
    group = np.arange(120) % 2
    item_group = np.arange(60) % 2
    shared = np.arange(60) >= 40
    chance = np.where(shared, 0.1, np.where(group[:, None] == item_group, 0.5, 0.0))
    user, item = np.nonzero(rng.random((120, 60)) < chance)
    taste = np.where(item_group == 0, 1.5, -1.5)[item] * (1 - 2 * group[user])
    rating = 3 + np.where(shared[item], taste, 0.0) + 0.2 * rng.normal(size=len(user))
    table = pd.DataFrame({USER: user, ITEM: item, RATING: rating.astype(np.float32)})
    train, test = halves(table)
    test = test[test[ITEM] >= 40]
    error = {}
    for kind in ("plain", "sided"):
        model = fitted(train, tmp_path, kind=kind, **WIDE)
        given = model.predict(test[USER], test[ITEM])
        error[kind] = np.sqrt(np.mean((given - test[RATING]) ** 2))
    assert error["sided"] < 0.8 * error["plain"]


def test_predictions_average_the_kept_draws(tmp_path: Path) -> None:
    table = ratings_table()
    model = BayesianFactorization(config())
    fit: list[Any] = []
    keep = model._set
    model._set = lambda parameters: (fit.append(parameters), keep(parameters))[1]  # type: ignore
    model.fit(table, trainer=trainer(tmp_path))
    drawn = fit[-1]
    assert drawn["user"].shape == (4, len(model.users_), 4)
    user, item = model.users_.index(table[USER]), model.items_.index(table[ITEM])
    p, q = drawn["user"][:, user].astype(float), drawn["item"][:, item].astype(float)
    scores = p[..., -1] + q[..., -1] + (p[..., :-1] * q[..., :-1]).sum(axis=-1)
    expected = np.clip(model.biases_.mean + scores.mean(axis=0), *SCALE)
    given, std = model.predict(table[USER], table[ITEM], return_std=True)
    np.testing.assert_allclose(given, expected, rtol=1e-5)
    noise = (drawn["user_noise"][:, user] * drawn["item_noise"][:, item]).mean(axis=0)
    np.testing.assert_allclose(std, np.sqrt(scores.var(axis=0) + noise), rtol=1e-4)
    everything = model._score_items(model._rows(model._known(table[USER]), user, np.arange(9)))
    whole = model.biases_.mean + scores.mean(axis=0)
    np.testing.assert_allclose(everything[np.arange(9), item[:9]], whole[:9], rtol=1e-4)


def test_kept_draws_are_spread_to_the_last() -> None:
    assert kept_draws(config(epochs=300, burn_in=50, n_kept=5)).tolist() == [
        100,
        150,
        200,
        250,
        300,
    ]
    assert kept_draws(config(epochs=6, burn_in=2, n_kept=4)).tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("n_ratings", "epochs", "n_kept"),
    [
        (7_500, 1_000, 166),
        (30_000, 1_000, 166),
        (60_000, 500, 83),
        (90_000, 333, 55),
        (10**7, 300, 50),
    ],
)
def test_few_ratings_have_a_longer_chain(n_ratings: int, epochs: int, n_kept: int) -> None:
    pairs = np.arange(n_ratings, dtype=np.int32)
    table = pd.DataFrame({USER: pairs // 100, ITEM: pairs % 100, RATING: np.float32(3.0)})
    settled = BayesConfig().settled(Interactions.of(table))
    assert (settled.epochs, settled.n_kept) == (epochs, n_kept)
    stated = BayesConfig(epochs=40, burn_in=30).settled(Interactions.of(table))
    assert (stated.epochs, stated.n_kept) == (40, 6)
    assert BayesConfig(epochs=40, burn_in=38).settled(Interactions.of(table)).n_kept == 2


def test_watched_error_is_that_of_the_kept_draws(tmp_path: Path) -> None:
    train, validation = halves(ratings_table(60, 40))
    model = BayesianFactorization(config()).fit(train, validation, trainer(tmp_path))
    given = model.predict(validation[USER], validation[ITEM])
    rmse = np.sqrt(np.mean((given - validation[RATING].to_numpy(float)) ** 2))
    errors = [row["rmse"] for row in model.history_]
    assert errors[-1] == pytest.approx(rmse, rel=1e-5)
    assert len(set(errors[:5])) == 5  # the draw in force while none is kept (4 and 1)
    assert errors[5] == errors[6] != errors[7]  # draws 6 and 8 are kept
    assert model.epochs_ == 12


class StopAt:
    """A learner's epoch that is interrupted in its middle."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
        run = GibbsSampler.run_epoch

        def run_epoch(learner: GibbsSampler, at: int, tick: Any) -> float:
            def stopping(n_ratings: int) -> None:
                if at == epoch:
                    raise Interrupted(15)
                tick(n_ratings)

            return run(learner, at, stopping)

        monkeypatch.setattr(GibbsSampler, "run_epoch", run_epoch)


@pytest.mark.parametrize("kind", ["plain", "sided"])
@pytest.mark.parametrize("epoch", [3, 9])  # while nothing is kept yet, and after
def test_resuming_equals_never_having_stopped(
    kind: str, epoch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, validation = halves(ratings_table())
    whole = BayesianFactorization(config(kind=kind)).fit(train, validation, trainer(tmp_path / "a"))
    with monkeypatch.context() as patch:
        StopAt(patch, epoch)
        with pytest.raises(Interrupted):
            BayesianFactorization(config(kind=kind)).fit(train, validation, trainer(tmp_path / "b"))
    again = BayesianFactorization(config(kind=kind)).fit(train, validation, trainer(tmp_path / "b"))
    assert again.history_ == whole.history_
    for name, array in whole._arrays().items():
        assert np.array_equal(array, again._arrays()[name]), name


def test_states_given_out_never_change() -> None:
    data = Interactions.of(ratings_table())
    learner = GibbsSampler(config(), data, float(data.rating.mean()))
    for epoch in range(1, 8):
        learner.run_epoch(epoch, lambda n: None)
    given = {**learner.state(), **learner.parameters()}
    before = {name: array.copy() for name, array in given.items()}
    for epoch in range(8, 13):
        learner.run_epoch(epoch, lambda n: None)
    assert all(np.array_equal(before[name], array) for name, array in given.items())


def test_seeds_differ_and_zero_is_one(tmp_path: Path) -> None:
    table = ratings_table()
    tables = [fitted(table, tmp_path, seed=seed).user_ for seed in (0, 1)]
    assert not np.array_equal(*tables)


@pytest.mark.parametrize("kind", ["plain", "sided"])
def test_folding_in_a_user_s_own_history_predicts_as_for_them(
    kind: str, simulated: pd.DataFrame, tmp_path: Path
) -> None:
    model = fitted(simulated, tmp_path, kind=kind, **WIDE)
    histories = simulated[simulated[USER] < 40]
    people = model.fold_in(histories)
    pairs = histories.iloc[::3]
    known, known_std = model.predict(pairs[USER], pairs[ITEM], return_std=True)
    given, std = model.predict(people.take(pairs[USER]), pairs[ITEM], return_std=True)
    assert np.sqrt(np.mean((given - known) ** 2)) < 0.12
    assert np.median(np.abs(std / known_std - 1)) < 0.12
    alone = model.fold_in(histories[histories[USER] == 7])
    assert np.array_equal(alone.state[0], people.take([7]).state[0])


def test_equal_ratings_are_predicted(tmp_path: Path) -> None:
    table = ratings_table().assign(**{RATING: np.float32(4)})
    model = fitted(table, tmp_path)
    given, std = model.predict(table[USER], table[ITEM], return_std=True)
    np.testing.assert_allclose(given, 4, atol=0.2)
    assert np.isfinite(std).all()


def test_hyper_parameters_are_drawn_around_what_the_values_say() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal([1.0, -2.0], [0.5, 2.0], (5_000, 2)).astype(np.float32)
    drawn = [precision_and_mean(values, rng) for _ in range(200)]
    means, precisions = (np.array(part) for part in zip(*drawn, strict=True))
    np.testing.assert_allclose(means.mean(axis=0), values.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(means.std(axis=0), values.std(axis=0) / np.sqrt(5_000), rtol=0.2)
    np.testing.assert_allclose(precisions.mean(axis=0), 1 / values.var(axis=0), rtol=0.02)
    np.testing.assert_allclose(
        precisions.std(axis=0), precisions.mean(axis=0) * np.sqrt(2 / 5_000), rtol=0.2
    )


@pytest.mark.parametrize("true", [3.0, 30.0])
def test_spread_is_found_from_the_weights(true: float) -> None:
    rng = np.random.default_rng(0)
    weight = rng.gamma(true / 2, 2 / true, 5_000)
    drawn = [spread(weight, rng) for _ in range(50)]
    assert np.mean(drawn) == pytest.approx(true, rel=0.1)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"epochs": None, "burn_in": 297},
            r"epochs null \(at least 300\) less burn_in 297 must be",
        ),
        ({"epochs": 4, "n_kept": None}, r"epochs 4 less burn_in 4 must be at least 1"),
        ({"n_kept": 9}, r"epochs 12 less burn_in 4 must be at least n_kept 9"),
        ({"kind": "wide"}, r"bayes\.kind"),
        ({"patience": 3}, r"bayes\.patience"),
        ({"noise": "none"}, r"bayes\.noise"),
        ({"dim": 0}, r"bayes\.dim"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse(BayesConfig, values(**changes), "bayes")


def test_too_much_to_keep_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match=r"166 draws of dim 10 for 1,000,000,000 users"):
        BayesianFactorization().require(10**9, 10**6, 10**9)  # before the data decide how many
    with pytest.raises(TooLargeError, match=r"100000000 draws of dim 3 .* lower bayes\.n_kept"):
        fitted(ratings_table(), tmp_path, epochs=100_000_004, n_kept=100_000_000)
