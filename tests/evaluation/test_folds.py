from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import CapabilityError, ConfigError, DataError
from cofilter.evaluation.cross_validation import trainable
from cofilter.evaluation.folds import cross_validate, summary
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity, RecentPopularity
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from tests.evaluation.conftest import make_config

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


def test_rankings_agree_with_plain_loops(ratings: pd.DataFrame) -> None:
    """Popularity, whose list is known: NDCG and recall of every user of a fold, by hand."""
    split = SplitConfig(kind="user_kfold", validation_share=0.1, folds=3, seed=3)
    config = make_config()
    known: list[pd.DataFrame] = []

    def remember(model: Recommender, train: pd.DataFrame, validation: pd.DataFrame) -> Recommender:
        known.append(pd.concat([train, validation], ignore_index=True))
        return model.fit(known[-1])

    results = cross_validate(ratings, split, {"top": Popularity}, remember, rankings=config)
    for row, train in zip(results.to_dict("records"), known, strict=True):
        held = ratings.merge(train[[USER, ITEM]], on=[USER, ITEM], how="left", indicator=True)
        held = held[held["_merge"] == "left_only"]
        counts = train[ITEM].value_counts()
        order = sorted(counts.index, key=lambda item: (-counts[item], item))
        ndcg, recall = [], []
        for user, rows in held[held[RATING] >= 3.5].groupby(USER):
            seen = set(train.loc[train[USER] == user, ITEM])
            listed = [item for item in order if item not in seen][:5]
            hits = [item in set(rows[ITEM]) for item in listed]
            gain = sum(hit / np.log2(at + 2) for at, hit in enumerate(hits))
            ndcg.append(gain / sum(1 / np.log2(at + 2) for at in range(min(len(rows), 5))))
            recall.append(sum(hits) / len(rows))
        assert row["users"] == len(ndcg)
        assert row["ndcg@5"] == pytest.approx(np.mean(ndcg))
        assert row["recall@5"] == pytest.approx(np.mean(recall))
        assert np.isnan(row["rmse"])
    table = summary(results, "ndcg@5")
    assert table.loc[0, "ndcg@5_sd"] == pytest.approx(np.std(results["ndcg@5"], ddof=1))


def test_what_rates_and_what_ranks_stand_in_one_table(
    ratings: pd.DataFrame, model_config: ModelConfig
) -> None:
    methods = {
        "mean": lambda: GlobalMean(model_config),
        "bias": lambda: BiasBaseline(model_config),
        "top": lambda: Popularity(model_config),
    }
    errors = {name: methods[name] for name in ("mean", "bias")}
    alone = cross_validate(ratings, KFOLD, errors, refit, folds=[0])
    both = cross_validate(ratings, KFOLD, methods, refit, folds=[0], rankings=make_config())
    told = both.set_index("method")
    for row in alone.to_dict("records"):
        for name in ("rmse", "mae", "rows", "fallback_share"):
            assert told.at[row["method"], name] == pytest.approx(row[name])
    assert np.isnan(told.at["mean", "ndcg@5"])
    assert summary(both, "ndcg@5")["method"].tolist()[-1] == "mean"


def test_clicks_have_rankings_and_no_errors(ratings: pd.DataFrame) -> None:
    clicks = ratings.assign(**{RATING: 1.0}).drop(columns=TIMESTAMP)
    methods = {"top": Popularity, "bias": BiasBaseline, "recent": RecentPopularity}
    able = trainable(methods, clicks, None)
    assert list(able) == ["top"]
    config = make_config(relevance_threshold=None)
    results = cross_validate(clicks, KFOLD, able, refit, folds=[1], rankings=config)
    assert results["rmse"].isna().all()
    assert results["ndcg@5"].between(0, 1).all()
    with pytest.raises(DataError, match=r"none can be trained.*bias: it learns from ratings"):
        trainable({"bias": BiasBaseline}, clicks, None)
