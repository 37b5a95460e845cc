from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.bands import COLUMNS, Bands, band_scores
from cofilter.evaluation.by_model import joined
from cofilter.evaluation.config import EvaluateConfig
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target


@pytest.fixture
def target(parts: Parts) -> Target:
    return Target.of(parts.train, parts.validation, parts.test, 3.5)


def limits(label: str) -> tuple[int, int]:
    low, _, high = label.partition("–")
    return int(low), int(high or low)


def found_items(model: BiasBaseline, parts: Parts, user: int, k: int) -> set[int]:
    history = pd.concat([parts.train, parts.validation])
    seen = set(history.loc[history[USER] == user, ITEM])
    train = set(parts.train[ITEM])
    order = model.recommend([user], 10**6, exclude_seen=False)[0][0].tolist()
    return set([item for item in order if item in train and item not in seen][:k])


def test_agrees_with_the_literal_definition(
    parts: Parts, target: Target, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = BiasBaseline(model_config).fit(parts.train)
    bands = Bands.of(parts.train, target, 3)
    table = band_scores(score_target(model, target, config), target, bands, config)
    test = parts.test.assign(
        predicted=model.predict(parts.test[USER], parts.test[ITEM]),
        activity=parts.test[USER].map(parts.train[USER].value_counts()).fillna(0),
        popularity=parts.test[ITEM].map(parts.train[ITEM].value_counts()).fillna(0),
    )
    found = {user: found_items(model, parts, user, config.list_length) for user in set(test[USER])}
    for row in table.to_dict("records"):
        low, high = limits(row["band"])
        mine = test[test[row["by"]].between(low, high)]
        assert row["rows"] == len(mine)
        error = (mine[RATING] - mine["predicted"]) ** 2
        assert row["rmse"] == pytest.approx(math.sqrt(error.mean()), rel=1e-6)
        recalls = [
            len(set(each[ITEM]) & found[user]) / len(each)
            for user, each in mine[mine[RATING] >= 3.5].groupby(USER)
        ]
        assert row["users"] == len(recalls)
        assert row["recall"] == pytest.approx(np.mean(recalls))
    for by, rows in table.groupby("by"):
        assert rows["rows"].sum() == len(test), by
        assert rows["order"].tolist() == list(range(len(rows)))
        assert rows["band"].iloc[0] == "0"
        ends = [limits(label) for label in rows["band"]]
        assert all(one[1] < two[0] for one, two in itertools.pairwise(ends))
        assert len(rows) == 4


def test_what_a_model_cannot_do_is_missing(
    parts: Parts, target: Target, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    bands = Bands.of(parts.train, target, 3)
    mean = score_target(GlobalMean(model_config).fit(parts.train), target, config)
    popular = score_target(Popularity(model_config).fit(parts.train), target, config)
    rated = band_scores(mean, target, bands, config)
    assert rated[["users", "recall"]].isna().all(axis=None)
    assert rated["rmse"].notna().all()
    ranked = band_scores(popular, target, bands, config)
    assert ranked["rmse"].isna().all()
    assert ranked["recall"].notna().any()
    table = joined({"baseline/global_mean": rated, "baseline/popularity": ranked}, COLUMNS)
    assert tuple(table.columns) == COLUMNS == tuple(joined({}, COLUMNS).columns)
    assert len(table) == 2 * len(rated)


def test_equal_counts_share_a_band() -> None:
    users, items = np.repeat(np.arange(6), 2), np.tile([0, 1], 6)
    train = pd.DataFrame({USER: users, ITEM: items, RATING: 3.0})
    test = pd.DataFrame({USER: np.arange(6), ITEM: 0, RATING: 4.0})
    bands = Bands.of(train, Target.of(train, None, test, None), 4)
    assert (bands.user_labels, bands.item_labels) == (["0", "2"], ["0", "6"])


@pytest.mark.parametrize("rows", ["none", "all cold"])
def test_without_warm_rows_there_is_the_cold_band_alone(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig, rows: str
) -> None:
    cold = parts.test.assign(**{USER: parts.test[USER] + 9999, ITEM: parts.test[ITEM] + 9999})
    test = cold.iloc[: 0 if rows == "none" else 5]
    target = Target.of(parts.train, None, test, None)
    scores = score_target(BiasBaseline(model_config).fit(parts.train), target, config)
    table = band_scores(scores, target, Bands.of(parts.train, target, 3), config)
    assert table["band"].tolist() == ["0", "0"]
    assert table["rows"].tolist() == [len(test)] * 2
    assert table["rmse"].isna().tolist() == [len(test) == 0] * 2
