from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.evaluation import plots
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import leaderboard
from cofilter.scoring.folders import ModelFolder
from tests.evaluation.test_leaderboard import entry


def test_comparison_keeps_the_leaderboards_order(config: EvaluateConfig) -> None:
    entries = [
        entry(config, "low", warm=0.1, validation=0.9),
        entry(config, "high", warm=0.3, validation=0.1),
    ]
    bars = plots.comparison(leaderboard(entries, config, []), config)
    assert bars["model"].tolist() == ["mf/high", "mf/low"]
    assert bars["warm"].tolist() == [0.3, 0.1]
    assert set(bars["metric"]) == {"ndcg@5"}


def test_learning_curves_stand_under_each_other() -> None:
    def folder(point: str, curve: pd.DataFrame) -> ModelFolder:
        return ModelFolder("mf", point, Path(), {}, curve)

    curve = pd.DataFrame({"phase": "fit", "epoch": [1, 2], "loss": [2.0, 1.0], "rmse": [1.1, 1.0]})
    joined = plots.learning_curves(
        [folder("10", curve), folder("20", curve.iloc[:1]), folder("none", pd.DataFrame())]
    )
    assert joined["model"].tolist() == ["mf/10", "mf/10", "mf/20"]
    assert joined.columns.tolist() == ["model", "family", "phase", "epoch", "loss", "rmse"]
    assert plots.learning_curves([]).columns.tolist() == [
        "model",
        "family",
        "phase",
        "epoch",
        "loss",
    ]


def test_rmse_by_dim_holds_the_models_with_a_dim(config: EvaluateConfig) -> None:
    entries = [
        entry(config, point, warm=warm, validation=0.1)
        for point, warm in (("20", 0.3), ("10", 0.2), ("none", 0.1))
    ]
    table = leaderboard(entries, config, [])
    rows = plots.rmse_by_dim(table, {("mf", "20"): 20, ("mf", "10"): 10})
    assert rows["dim"].tolist() == [10, 20]
    assert rows["model"].tolist() == ["mf", "mf"]  # one line: the names without their dims
    assert rows["warm_rmse"].tolist() == [0.5, 0.5]
    assert plots.rmse_by_dim(table, {}).empty


def test_points_of_one_sweep_are_of_one_kind() -> None:
    names = ["mf/dot-dim50-seed0", "mf/dot-dim100-seed1", "bpr/dim20-seed0", "knn/item"]
    assert [plots.kind_of(name) for name in names] == ["mf/dot", "mf/dot", "bpr", "knn/item"]
