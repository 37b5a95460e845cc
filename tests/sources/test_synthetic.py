from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cofilter.core.errors import ConfigError
from cofilter.core.io import table_sha256
from cofilter.sources.config import SyntheticConfig
from cofilter.sources.synthetic import (
    NOISE_SD,
    Truth,
    generate,
    generate_with_truth,
    star_moments,
)
from cofilter.sources.synthetic_kernels import alias_tables
from cofilter.sources.synthetic_market import MONTHS, START, month_of
from tests.sources.configs import source


def config(**changes: object) -> SyntheticConfig:
    base = source("synthetic").synthetic
    assert base is not None
    return base.model_copy(update={"users": 2_000, **changes})


@pytest.fixture(scope="module")
def made() -> tuple[Truth, pd.DataFrame]:
    return generate_with_truth(config())


def test_shape_follows_movielens(made: tuple[Truth, pd.DataFrame]) -> None:
    _, ratings = made
    users = ratings["user_id"].value_counts()
    items = ratings["item_id"].value_counts()
    assert sorted(users.index) == list(range(1, 2_001))
    assert users.min() == 20
    assert abs(users.median() - 68) <= 2
    assert abs(users.mean() - 144.4) <= 0.1
    assert items.min() >= 1
    assert items.max() < 2_000  # nobody rates twice
    assert items.max() / 2_000 == pytest.approx(67_310 / 138_493, abs=0.1)
    assert items.median() < items.mean() / 5  # a long tail


def test_ratings_are_half_stars_with_movielens_mean_and_spread(
    made: tuple[Truth, pd.DataFrame],
) -> None:
    stars = made[1]["rating"].to_numpy(np.float64)
    assert set(np.unique(stars)) == set(np.arange(1, 11) / 2)
    assert stars.mean() == pytest.approx(3.53, abs=0.02)
    assert stars.std() == pytest.approx(1.05, abs=0.02)


def test_no_pair_occurs_twice(made: tuple[Truth, pd.DataFrame]) -> None:
    assert not made[1].duplicated(["user_id", "item_id"]).any()


def test_users_rate_after_arrival_and_items_after_release(made: tuple[Truth, pd.DataFrame]) -> None:
    truth, ratings = made
    time = ratings["timestamp"].to_numpy()
    assert (time >= truth.arrival[ratings["user_id"].to_numpy() - 1]).all()
    assert (time > truth.release[ratings["item_id"].to_numpy() - 1]).all()
    assert (truth.release > START).mean() > 0.3  # many come out during the log
    arrival_years = np.histogram(truth.arrival, bins=20)[0]
    assert (arrival_years > 0).all()


def test_users_rate_in_bursts(made: tuple[Truth, pd.DataFrame]) -> None:
    _, ratings = made
    gaps = ratings.groupby("user_id")["timestamp"].diff().dropna()
    assert (gaps >= 0).all()
    assert (gaps < 300).mean() > 0.9
    assert (gaps > 86_400).sum() > 1_000  # and come back


def test_the_reachable_rmse_is_reached_by_the_truth_and_not_passed_by_scores(
    made: tuple[Truth, pd.DataFrame],
) -> None:
    truth, ratings = made
    expected, variance = truth.expected(ratings)
    stars = ratings["rating"].to_numpy(np.float64)
    reached = math.sqrt(((stars - expected) ** 2).mean())
    assert reached == pytest.approx(math.sqrt(variance.mean()), rel=0.01)
    user, item = (ratings[name].to_numpy() - 1 for name in ("user_id", "item_id"))
    scores = truth.scores(user, item, ratings["timestamp"].to_numpy())
    assert reached < math.sqrt(((stars - np.clip(scores, 0.5, 5)) ** 2).mean())
    _, facts = generate(config())
    assert facts["reachable_rmse"] == pytest.approx(math.sqrt(variance.mean()), abs=1e-6)


def test_star_moments_agree_with_drawn_ratings() -> None:
    rng = np.random.default_rng(0)
    for score in (-1.0, 0.75, 2.9, 4.8, 6.0):
        noisy = score + NOISE_SD * rng.standard_normal(400_000)
        stars = np.clip(np.round(noisy * 2) / 2, 0.5, 5)
        mean, variance = star_moments(np.array([score]))
        assert mean[0] == pytest.approx(stars.mean(), abs=0.005)
        assert variance[0] == pytest.approx(stars.var(), abs=0.01)


def test_tastes_and_popularity_drift(made: tuple[Truth, pd.DataFrame]) -> None:
    truth, ratings = made
    user, item = np.repeat(np.arange(200), 50), np.tile(np.arange(50), 200)
    early = truth.scores(user, item, truth.arrival[user])
    late = truth.scores(user, item, truth.arrival[user] + 5 * 31_557_600)
    assert np.corrcoef(early, late)[0, 1] < 0.95
    assert popularity_change(truth, ratings) > 2
    shuffled = np.random.default_rng(0).permutation(ratings["timestamp"])
    assert popularity_change(truth, ratings.assign(timestamp=shuffled)) < 1.1


def popularity_change(truth: Truth, ratings: pd.DataFrame) -> float:
    """Chi-square a degree of freedom of how the most rated old items share ten equal periods.

    About 1 where only chance moves them.
    """
    period = month_of(ratings["timestamp"].to_numpy()) * 10 // MONTHS
    table = np.zeros((10, len(truth.release)))
    np.add.at(table, (period, ratings["item_id"].to_numpy() - 1), 1)
    table = table[:, truth.release < START]
    table = table[:, np.argsort(-table.sum(axis=0))[:300]]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(((table - expected) ** 2 / expected).sum() / (9 * 299))


def test_tastes_decide_what_is_rated(made: tuple[Truth, pd.DataFrame]) -> None:
    truth, ratings = made
    user, item = (ratings[name].to_numpy() - 1 for name in ("user_id", "item_id"))
    other = np.random.default_rng(0).permutation(user)
    time = np.maximum(ratings["timestamp"].to_numpy(), truth.arrival[other])
    bias = truth.item_bias[item]
    own = truth.scores(user, item, ratings["timestamp"].to_numpy()) - truth.user_bias[user] - bias
    foreign = truth.scores(other, item, time) - truth.user_bias[other] - bias
    assert own.mean() > foreign.mean()


def test_the_seed_decides_everything() -> None:
    small = config(users=300)
    first, second = generate(small), generate(small)
    pd.testing.assert_frame_equal(first[0], second[0])
    assert first[1] == second[1]
    other = generate(config(users=300, seed=1))
    assert not first[0]["item_id"].equals(other[0]["item_id"])


def test_the_benchmarks_data_stay_what_they_are() -> None:
    # The figures in benchmarks/results were measured on these ratings, at other sizes.
    ratings, facts = generate(SyntheticConfig(users=200, items=150, ratings=6_000, seed=0))
    assert table_sha256(ratings).startswith("0c9ccdaba88526f8")
    assert facts["reachable_rmse"] == 0.789648


@pytest.mark.parametrize("users", [10, 50])
def test_a_handful_of_users(users: int) -> None:
    ratings, _ = generate(config(users=users))
    assert ratings["user_id"].nunique() == users
    assert ratings["user_id"].value_counts().min() >= 20
    assert set(ratings["item_id"]) == set(range(1, ratings["item_id"].max() + 1))


def test_overrides_are_kept_and_impossible_ones_named() -> None:
    ratings, _ = generate(config(users=500, items=400, ratings=20_000))
    assert len(ratings) == 20_000
    assert ratings["item_id"].nunique() == 400
    with pytest.raises(ConfigError, match=r"synthetic.ratings: 9,999,999 is not allowed"):
        generate(config(users=500, ratings=9_999_999))
    with pytest.raises(ConfigError, match=r"synthetic.ratings: 5,000"):
        generate(config(users=500, ratings=5_000))


def test_alias_tables_draw_with_the_given_weights() -> None:
    weights = np.array([[0.0, 1.0, 2.0, 7.0], [5.0, 0.0, 5.0, 0.0]])
    keep, other = alias_tables(weights)
    chance = keep / 4
    for row in range(2):
        np.add.at(chance[row], other[row], (1 - keep[row]) / 4)
    assert np.allclose(chance, weights / weights.sum(axis=1, keepdims=True))
