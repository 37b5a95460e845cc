from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cofilter.columns import RATING
from cofilter.errors import DataError, LeakError
from cofilter.evaluation.evaluate import evaluate
from cofilter.evaluation.scoring import EvaluateConfig, score
from cofilter.io import read_json
from cofilter.models.config import ModelConfig
from cofilter.models.store import load
from cofilter.preparation.parts import Parts
from cofilter.preparation.split import SplitConfig
from tests.evaluation.trained import POINTS, train, write_curve

Audited = tuple[Parts, dict[str, Any]]


@pytest.fixture(params=[False, True], ids=["as fitted", "refitted"])
def models(
    request: pytest.FixtureRequest,
    parts: Parts,
    tmp_path: Path,
    config: EvaluateConfig,
    model_config: ModelConfig,
) -> Path:
    train(parts, tmp_path / "models", config, model_config, refit=request.param)
    write_curve(tmp_path / "models" / "baseline" / "bias", [1.2, 1.0, 1.1])
    return tmp_path / "models"


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_writes_what_scoring_gives(
    audited: Audited, split: SplitConfig, models: Path, config: EvaluateConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    found = evaluate(parts, audit, split, POINTS, models, tmp_path / "results", config)
    table = pd.read_csv(tmp_path / "results" / "leaderboard.csv").set_index("point")
    nested = read_json(tmp_path / "results" / "metrics.json")
    assert len(table) == len(POINTS) == len(found.leaderboard)
    for family, point in POINTS:
        model = load(models / family / point)
        scores = score(model, parts.train, parts.validation, parts.test, config).summary()
        for scope in ("warm", "all"):
            for name, value in (scores[scope] | scores["counts"][scope]).items():
                cell = table[f"{scope}_{name}"][point]
                assert (None if pd.isna(cell) else cell) == value
                assert nested[family][point][scope][name] == value
    best = table[table["selected"]].index.tolist()
    assert best == [nested["selected"]["point"]]
    assert table["validation_ndcg@5"].max() == table.loc[best[0], "validation_ndcg@5"]


def test_two_equal_runs_write_equal_bytes(
    audited: Audited, split: SplitConfig, models: Path, config: EvaluateConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    evaluate(parts, audit, split, POINTS, models, tmp_path / "one", config)
    evaluate(parts, audit, split, list(reversed(POINTS)), models, tmp_path / "two", config)
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert sorted(one) == [
        "leaderboard.csv",
        "metrics.json",
        "plots/comparison.csv",
        "plots/learning_curves.csv",
        "plots/rmse_by_dim.csv",
        "report.html",
    ]
    assert one == two


def test_other_folders_are_named_and_ignored(
    audited: Audited,
    split: SplitConfig,
    models: Path,
    config: EvaluateConfig,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts, audit = audited
    with caplog.at_level(logging.WARNING):
        found = evaluate(parts, audit, split, POINTS[:2], models, tmp_path / "results", config)
    assert found.ignored == [models / "baseline" / "popularity"]
    assert "baseline/popularity" in caplog.text
    assert set(found.leaderboard["point"]) == {"global_mean", "bias"}


def test_failures_leave_earlier_results_alone(
    audited: Audited, split: SplitConfig, models: Path, config: EvaluateConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    results = tmp_path / "results"
    evaluate(parts, audit, split, POINTS, models, results, config)
    before = content(results)

    changed = parts.train.assign(**{RATING: parts.train[RATING].iloc[::-1].to_numpy()})
    leaky = Parts(changed, parts.validation, parts.test)
    with pytest.raises(LeakError, match="does not match its audit"):
        evaluate(leaky, audit, split, POINTS, models, results, config)
    with pytest.raises(DataError, match=r"mf/10 \(run the stage train_mf"):
        evaluate(parts, audit, split, [*POINTS, ("mf", "10")], models, results, config)
    other = config.model_copy(update={"k": (3,), "primary": "ndcg@3"})
    with pytest.raises(DataError, match="validation metrics have no ndcg@3"):
        evaluate(parts, audit, split, POINTS, models, results, other)
    assert content(results) == before


def test_a_model_fitted_on_other_ratings_is_refused_by_name(
    audited: Audited,
    split: SplitConfig,
    config: EvaluateConfig,
    model_config: ModelConfig,
    tmp_path: Path,
) -> None:
    parts, audit = audited
    shorter = Parts(parts.train.iloc[:-1], parts.validation, parts.test)
    train(shorter, tmp_path / "models", config, model_config, refit=False)
    with pytest.raises(DataError, match="baseline/global_mean: fitted on other ratings"):
        evaluate(parts, audit, split, POINTS, tmp_path / "models", tmp_path / "results", config)
    assert not (tmp_path / "results").exists()
