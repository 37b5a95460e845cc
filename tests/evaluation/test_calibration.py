from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.by_model import joined
from cofilter.evaluation.calibration import COLUMNS, calibration
from cofilter.evaluation.config import EvaluateConfig
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target


@pytest.fixture
def target(parts: Parts) -> Target:
    return Target.of(parts.train, None, parts.test, None)


def test_bins_hold_every_warm_row_in_order_of_prediction(
    parts: Parts, target: Target, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = BiasBaseline(model_config).fit(parts.train)
    table = calibration(score_target(model, target, config), target, config)
    test, train = parts.test, parts.train
    warm = test[test[USER].isin(set(train[USER])) & test[ITEM].isin(set(train[ITEM]))]
    ordered = warm.assign(predicted=model.predict(warm[USER], warm[ITEM])).sort_values("predicted")
    assert table["rows"].sum() == len(warm)
    assert table["rows"].max() - table["rows"].min() <= 1  # no two predictions are equal
    start = 0
    for row in table.to_dict("records"):
        mine = ordered.iloc[start : start + row["rows"]]
        assert row["predicted"] == pytest.approx(mine["predicted"].mean(), rel=1e-6)
        assert row["observed"] == pytest.approx(mine[RATING].mean())
        start += row["rows"]
    assert len(table) == config.calibration_bins


def test_equal_predictions_make_one_bin(
    parts: Parts, target: Target, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = GlobalMean(model_config).fit(parts.train)
    table = calibration(score_target(model, target, config), target, config)
    warm = parts.test[target.warm_rows]
    assert table["bin"].tolist() == [1]
    assert table["observed"].tolist() == [pytest.approx(warm[RATING].mean())]
    np.testing.assert_allclose(table["predicted"], parts.train[RATING].mean(), rtol=1e-6)


def test_nothing_predicted_or_nothing_warm_is_an_empty_table(
    parts: Parts, target: Target, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    popular = score_target(Popularity(model_config).fit(parts.train), target, config)
    nothing = Target.of(parts.train, None, parts.test.iloc[:0], None)
    unasked = score_target(BiasBaseline(model_config).fit(parts.train), nothing, config)
    tables = {
        "baseline/popularity": calibration(popular, target, config),
        "baseline/bias": calibration(unasked, nothing, config),
    }
    assert all(table.empty for table in tables.values())
    assert tuple(joined(tables, COLUMNS).columns) == COLUMNS
    one = joined({"a/b": pd.DataFrame([[1, 2.0, 2.5, 3]], columns=list(COLUMNS[2:]))}, COLUMNS)
    assert one.to_dict("records") == [
        {"model": "a/b", "family": "a", "bin": 1, "predicted": 2.0, "observed": 2.5, "rows": 3}
    ]
