from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.columns import ITEM, RATING, USER
from cofilter.models.base import Recommender
from cofilter.models.baseline import BASELINES, BiasBaseline, GlobalMean, Popularity
from cofilter.models.config import ModelConfig
from tests.models.contract import SCALE, ModelContract


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
        items, _ = model.recommend([0], 3)
        best = np.argsort(-model.biases_.item, kind="stable")[:3]
        assert items[0].tolist() == model.items_.ids[best].tolist()


class TestPopularity(ModelContract):
    def make(self) -> Recommender:
        return Popularity(ModelConfig(scale=SCALE))


@pytest.mark.parametrize("name", BASELINES)
def test_scale_defaults_to_the_extremes_of_the_ratings(name: str) -> None:
    table = pd.DataFrame({USER: [1, 2], ITEM: [1, 1], RATING: [2.0, 7.0]})
    assert BASELINES[name]().fit(table).scale_ == (2.0, 7.0)
