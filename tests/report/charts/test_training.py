from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.report.charts.training import costs, frontier, learning

CURVES = pd.DataFrame(
    {
        "model": ["mf/a-dim10-seed0"] * 3 + ["mf/a-dim20-seed0"] * 2 + ["bpr/dim20-seed0"] * 2,
        "family": ["mf"] * 5 + ["bpr"] * 2,
        "phase": ["fit", "fit", "refit", "fit", "fit", "fit", "fit"],
        "epoch": [1, 2, 1, 1, 2, 1, 2],
        "loss": [2.0, 1.5, 1.9, 2.0, 1.4, 0.6, 0.5],
        "rmse": [1.1, 1.0, None, 1.2, 0.9, None, None],
        "ndcg@10": [None] * 5 + [0.1, 0.2],
    }
)


def test_the_frontier_holds_what_nothing_beats() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"cost": rng.integers(0, 8, 40), "value": rng.integers(0, 8, 40)})
    for lower in (True, False):
        front = rows[frontier(rows, "cost", "value", lower=lower)]
        sign = 1 if lower else -1
        for cost, value in front.to_numpy():
            better = (rows["cost"] <= cost) & (sign * rows["value"] < sign * value)
            assert not better.any()
        assert front["value"].is_unique
        assert len(front) >= 1


def test_learning_curves_show_the_best_point_of_a_kind_and_models_that_only_rank() -> None:
    drawn = list(learning(CURVES))
    assert [figure.title for figure in drawn] == [
        "Validation RMSE by epoch",
        "Validation NDCG@10 by epoch",
        "Training loss by epoch",
    ]
    rmse, ndcg, _ = drawn
    assert ">mf/a-dim20<" in rmse.svg["wide"]
    assert ">mf/a-dim10<" not in rmse.svg["wide"]
    assert ">best 0.900, epoch 2<" in rmse.svg["narrow"]
    assert ">bpr/dim20<" in ndcg.svg["wide"]
    assert "bpr/dim20 0.2000" in ndcg.reading


def test_no_curves_no_figures() -> None:
    assert list(learning(CURVES.iloc[:0])) == []


def test_costs_need_times_and_dims() -> None:
    names = ["mf/a", "mf/b", "knn/item", "baseline/bad", *(f"mf/{i}" for i in range(8))]
    rmse = [0.9, 0.95, 1.0, 5.0, *np.linspace(0.9, 1.0, 8)]
    board = pd.DataFrame({"model": names, "warm_rmse": rmse, "warm_ndcg@5": 0.1})
    board["family"] = board["model"].str.partition("/")[0]
    by_dim = pd.DataFrame(columns=["model", "family", "point", "dim", "warm_rmse", "all_rmse"])
    seconds = pd.Series(np.arange(1.0, 13.0), names)
    drawn = list(costs(board, by_dim, seconds, "ndcg@5"))
    assert [each.title for each in drawn] == [
        "RMSE against training time",
        "NDCG@5 against training time",
    ]
    assert "Off the chart: baseline/bad (5.000)" in drawn[0].caption
    assert ">mf/a<" in drawn[0].svg["wide"]
    assert drawn[0].reading.endswith("mf/a (1 s, 0.900)")
    assert list(costs(board, by_dim, seconds.iloc[:0], "ndcg@5")) == []
