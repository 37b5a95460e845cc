from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.reproduction import r5
from tests.reproduction.conftest import MakeLab
from tests.reproduction.systems import system


def test_the_cost_falls_as_written_out_gradients_have_it(
    ratings: pd.DataFrame, lab_of: MakeLab
) -> None:
    """J at the start is ½ Σ (r − m_i)² up to the tiny start, and both descents lower it."""
    _, procedure = system("r5_first_principles")
    factors = procedure["factors"] | {"epochs": 60, "dim": 3, "lr": 0.01, "l2": 0.5}
    config = r5.R5Config.model_validate(procedure | {"factors": factors})
    findings = r5.run(config, lab_of(ratings))
    cost = findings.tables["curves"].set_index(["fit", "epoch"])["cost"]
    means = ratings.groupby(ITEM)[RATING].transform("mean")
    start = 0.5 * ((ratings[RATING] - means) ** 2).sum()
    for fit in ("regularized", "not regularized"):
        assert cost[fit, 1] == pytest.approx(start, rel=1e-2)
        assert (np.diff(cost[fit].to_numpy()) <= 1e-4 * start).all()
    errors = {figure.what: figure.value for figure in findings.figures if figure.metric == "rmse"}
    assert errors["not regularized, ratings it was fitted on"] <= (
        errors["regularized, ratings it was fitted on"] or 0
    )


def test_recommendations_leave_out_what_the_user_has_seen(
    ratings: pd.DataFrame, lab_of: MakeLab
) -> None:
    _, procedure = system("r5_first_principles")
    factors = procedure["factors"] | {"epochs": 5, "dim": 2, "lr": 0.01}
    config = r5.R5Config.model_validate(procedure | {"factors": factors})
    table = r5.run(config, lab_of(ratings)).tables["recommendations"]
    user = table[USER].iloc[0]
    assert not set(table[ITEM]) & set(ratings.loc[ratings[USER] == user, ITEM])
    assert table["score"].is_monotonic_decreasing
    assert (table["title"] == "film " + table[ITEM].astype(str)).all()
