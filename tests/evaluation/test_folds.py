from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import CapabilityError, ConfigError
from cofilter.evaluation.folds import cross_validate, summary
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig

KFOLD = SplitConfig(kind="kfold", validation_share=0.1, folds=4, seed=3)


def refit(model: Recommender, train: pd.DataFrame, validation: pd.DataFrame) -> Recommender:
    return model.fit(pd.concat([train, validation], ignore_index=True))


def test_every_row_is_tested_once_and_errors_are_pooled(
    ratings: pd.DataFrame, model_config: ModelConfig
) -> None:
    tested: list[tuple[Recommender, pd.DataFrame]] = []

    def remember(model: Recommender, train: pd.DataFrame, validation: pd.DataFrame) -> Recommender:
        known = pd.concat([train, validation])
        left = ratings.merge(known[[USER, ITEM]], on=[USER, ITEM], how="left", indicator=True)
        tested.append((refit(model, train, validation), left[left["_merge"] == "left_only"]))
        return tested[-1][0]

    methods = {"bias": lambda: BiasBaseline(model_config)}
    results = cross_validate(ratings, KFOLD, methods, remember)
    assert results["fold"].tolist() == [0, 1, 2, 3]
    together = pd.concat(test for _, test in tested)[[USER, ITEM]]
    assert len(together) == len(together.drop_duplicates()) == len(ratings)
    for row, (model, test) in zip(results.to_dict("records"), tested, strict=True):
        rows = zip(test[USER], test[ITEM], test[RATING], strict=True)
        errors = [float(model.predict([user], [item])[0]) - rating for user, item, rating in rows]
        assert row["rows"] == len(errors)
        assert row["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))))
        assert row["mae"] == pytest.approx(np.mean(np.abs(errors)))
        cold = ~test[ITEM].isin(model.items_.ids) | ~test[USER].isin(model.users_.ids)
        assert row["fallback_share"] == pytest.approx(cold.mean())


def test_summary_is_mean_and_sample_deviation(
    ratings: pd.DataFrame, model_config: ModelConfig
) -> None:
    methods = {
        "mean": lambda: GlobalMean(model_config),
        "bias": lambda: BiasBaseline(model_config),
    }
    results = cross_validate(ratings, KFOLD, methods, refit, folds=[0, 2])
    table = summary(results).set_index("method")
    for name in methods:
        rmse = results.loc[results["method"] == name, "rmse"].tolist()
        assert len(rmse) == 2
        assert table.loc[name, "rmse"] == pytest.approx(sum(rmse) / 2)
        assert table.loc[name, "rmse_sd"] == pytest.approx(abs(rmse[0] - rmse[1]) / np.sqrt(2))
    assert table["rmse"].is_monotonic_increasing


def test_refuses_before_anything_is_fitted(ratings: pd.DataFrame) -> None:
    def never(model: Recommender, train: pd.DataFrame, validation: pd.DataFrame) -> Recommender:
        raise AssertionError("fitted")

    with pytest.raises(ConfigError, match="kfold is expected"):
        cross_validate(ratings, SplitConfig(kind="random"), {"mean": GlobalMean}, never)
    with pytest.raises(ConfigError, match="fold 4 does not exist"):
        cross_validate(ratings, KFOLD, {"mean": GlobalMean}, never, folds=[4])
    with pytest.raises(CapabilityError, match="top does not predict"):
        cross_validate(ratings, KFOLD, {"mean": GlobalMean, "top": Popularity}, never)
