from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import ConfigError, DataError
from cofilter.models.baseline.config import BaselineConfig
from cofilter.models.baseline.model import (
    KINDS,
    BiasBaseline,
    GlobalMean,
    Popularity,
    RandomRanking,
    RecentPopularity,
)
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.training.points import make_point
from tests.composition import compose
from tests.models.contract import SCALE, ModelContract, ratings_table

DAY = 86_400


def timed(table: pd.DataFrame) -> pd.DataFrame:
    """With times over 100 days, in another order than the rows'."""
    days = np.random.default_rng(1).permutation(len(table)) * 100.0 / len(table)
    return table.assign(**{TIMESTAMP: 1_000_000_000 + (days * DAY).astype(np.int64)})


class TestGlobalMean(ModelContract):
    def make(self) -> Recommender:
        return GlobalMean(ModelConfig(scale=SCALE))

    def test_predicts_the_mean(self, table: pd.DataFrame) -> None:
        given = self.fit(table).predict(table[USER], table[ITEM])
        np.testing.assert_allclose(given, table[RATING].mean(), rtol=1e-6)


class TestBiasBaseline(ModelContract):
    def make(self) -> Recommender:
        return BiasBaseline(ModelConfig(scale=SCALE))

    def test_ranks_by_item_bias(self, model: Recommender) -> None:
        items, _ = model.recommend([0], 3, exclude_seen=False)
        best = np.argsort(-model.biases_.item, kind="stable")[:3]
        assert items[0].tolist() == model.items_.ids[best].tolist()


class TestPopularity(ModelContract):
    def make(self) -> Recommender:
        return Popularity(ModelConfig(scale=SCALE))


class TestRecentPopularity(ModelContract):
    def make(self) -> Recommender:
        return RecentPopularity(BaselineConfig(scale=SCALE, half_life_days=7.0))

    def fit(self, table: pd.DataFrame) -> Recommender:
        return self.make().fit(timed(table))

    def test_score_is_the_formula(self, model: Recommender, table: pd.DataFrame) -> None:
        rows = timed(table)
        end = rows[TIMESTAMP].max()
        expected: dict[int, float] = dict.fromkeys(rows[ITEM], 0.0)
        for item, time in zip(rows[ITEM], rows[TIMESTAMP], strict=True):
            expected[item] += 2.0 ** (-(end - time) / (7 * DAY))
        items, scores = model.recommend([0], len(expected), exclude_seen=False)
        np.testing.assert_allclose(scores[0], [expected[item] for item in items[0]], rtol=1e-6)

    def test_ratings_without_times_are_refused(self, table: pd.DataFrame) -> None:
        with pytest.raises(DataError, match="recent popularity needs times"):
            self.make().fit(table)


def test_with_a_long_half_life_recent_popularity_is_popularity() -> None:
    table = timed(ratings_table())
    long = RecentPopularity(BaselineConfig(half_life_days=1e12)).fit(table)
    given, expected = (
        long.recommend([0], 20, exclude_seen=False),
        Popularity().fit(table).recommend([0], 20, exclude_seen=False),
    )
    np.testing.assert_allclose(given[1], expected[1], rtol=1e-6)


def test_recent_popularity_takes_a_config_with_a_half_life() -> None:
    with pytest.raises(ConfigError, match="takes a BaselineConfig, not a ModelConfig"):
        RecentPopularity(ModelConfig())


class TestRandom(ModelContract):
    def make(self) -> Recommender:
        return RandomRanking(ModelConfig(scale=SCALE, seed=3))

    def test_each_user_and_each_seed_has_an_order_of_its_own(self, table: pd.DataFrame) -> None:
        users = table[USER].unique()
        one, other = (
            RandomRanking(ModelConfig(seed=seed))
            .fit(table)
            .recommend(users, 20, exclude_seen=False)[0]
            for seed in (0, 1)
        )
        assert len({tuple(row) for row in one}) == len(users)
        assert not (one == other).all(axis=1).any()

    def test_a_person_folded_in_keeps_the_order(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        """Whoever else is folded in, and whoever the model was fitted on."""
        history = table[table[USER].isin([0, 50, 70])]
        people = model.fold_in(history).take([50])
        alone = self.fit(table[table[USER] != 10]).recommend([50], 20, exclude_seen=False)[0]
        assert model.recommend(people, 20, exclude_seen=False)[0].tolist() == alone.tolist()

    def test_scores_are_uniform_and_independent_of_neighbouring_ids(self) -> None:
        n = 300
        table = pd.DataFrame(
            {USER: np.arange(n), ITEM: np.arange(n), RATING: np.ones(n, np.float32)}
        )
        model = RandomRanking(ModelConfig()).fit(table)
        _, sorted_scores = model.recommend(np.arange(n), n, exclude_seen=False)
        assert 0 <= sorted_scores.min() <= sorted_scores.max() < 1
        assert sorted_scores.mean() == pytest.approx(0.5, abs=0.005)
        assert sorted_scores.std() == pytest.approx(12**-0.5, abs=0.005)
        ranked, _ = model.recommend(np.arange(n), n, exclude_seen=False)
        place = np.argsort(ranked, axis=1).astype(float)
        for left, right in ((place[:-1], place[1:]), (place[:, :-1], place[:, 1:])):
            assert abs(np.corrcoef(left.ravel(), right.ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("name", KINDS)
def test_scale_defaults_to_the_extremes_of_the_ratings(name: str) -> None:
    table = pd.DataFrame({USER: [1, 2], ITEM: [1, 1], RATING: [2.0, 7.0], TIMESTAMP: [0, 1]})
    assert KINDS[name](BaselineConfig(half_life_days=1.0)).fit(table).scale_ == (2.0, 7.0)


def stage_config(**baseline: Any) -> dict[str, Any]:
    cfg = compose()
    return cfg | {"baseline": cfg["baseline"] | baseline, "seed": 4}


def test_stage_makes_each_kind_with_what_it_reads() -> None:
    for kind, cls in KINDS.items():
        model = make_point("baseline", "", stage_config(kind=kind))
        assert type(model) is cls
        assert type(model.config) is cls.config_class
        assert model.config.seed == 4


def test_stage_refuses_what_is_impossible() -> None:
    with pytest.raises(ConfigError, match="'newest' is not one of global_mean"):
        make_point("baseline", "newest", compose())
    cfg = stage_config(kinds={"recent_popularity": {"half_life_days": 0}})
    with pytest.raises(ConfigError, match=r"baseline.half_life_days: 0 is not allowed"):
        make_point("baseline", "recent_popularity", cfg)
