from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import RATING, USER
from cofilter.core.errors import DataError, LeakError
from cofilter.core.io import read_json
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.evaluate import Request, evaluate
from cofilter.evaluation.files import BANDS, CALIBRATION
from cofilter.evaluation.leaderboard import reported_metrics, with_ends
from cofilter.preparation.audit import audit as audit_of
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.store import load
from cofilter.scoring.scores import score
from tests.evaluation.conftest import Audited
from tests.evaluation.trained import POINTS, train, write_curve


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
    found = evaluate(Request(parts, audit, split, POINTS, models, config), tmp_path / "results")
    table = pd.read_csv(tmp_path / "results" / "leaderboard.csv").set_index("point")
    assert len(table) == len(POINTS) == len(found.leaderboard)
    for family, point in POINTS:
        model = load(models / family / point)
        scores = score(model, parts.train, parts.validation, parts.test, config).summary()
        for scope in ("warm", "all"):
            for name, value in (scores[scope] | scores["counts"][scope]).items():
                cell = table[f"{scope}_{name}"][point]
                assert (None if pd.isna(cell) else cell) == value
    best = table[table["selected"]].index.tolist()
    assert found.shipped is not None
    assert best == [found.shipped.point]
    metrics = read_json(tmp_path / "results" / "metrics.json")
    assert metrics["shipped"]["model"] == f"baseline/{best[0]}"
    facts = read_json(tmp_path / "results" / "facts.json")
    assert facts["shipped"] == found.shipped.model_dump(mode="json")
    assert table["validation_ndcg@5"].max() == table.loc[best[0], "validation_ndcg@5"]


def test_intervals_and_comparison_stand_beside_the_figures(
    audited: Audited, split: SplitConfig, models: Path, config: EvaluateConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    found = evaluate(Request(parts, audit, split, POINTS, models, config), tmp_path).leaderboard
    assert found["best_set"].iloc[0]
    assert not found["best_set"].iloc[-1]  # the mean does not rank
    for row in found.to_dict("records"):
        for scope in ("warm", "all"):
            for name in reported_metrics(config):
                figure, *ends = (row[f"{scope}_{each}"] for each in with_ends(name))
                assert all(pd.isna(end) == pd.isna(figure) for end in ends)
                assert pd.isna(figure) or not ends or ends[0] <= figure <= ends[1]
    ranked = found.dropna(subset=["warm_ndcg@5"])
    gap = ranked["warm_ndcg@5"] - ranked["warm_ndcg@5"].iloc[0]
    assert ranked["difference"].tolist() == pytest.approx(gap.tolist())
    assert (found["warm_coverage@5"].dropna() > 0).all()


def test_bands_and_calibration_name_every_model(
    audited: Audited, split: SplitConfig, models: Path, config: EvaluateConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    evaluate(Request(parts, audit, split, POINTS, models, config), tmp_path)
    bands = pd.read_csv(tmp_path / BANDS, dtype={"band": str})
    calibrated = pd.read_csv(tmp_path / CALIBRATION)
    assert set(bands["model"]) == {"baseline/global_mean", "baseline/bias", "baseline/popularity"}
    assert set(calibrated["model"]) == {"baseline/global_mean", "baseline/bias"}
    rows = bands.groupby(["model", "by"])["rows"].sum()
    assert (rows == len(parts.test)).all()


@pytest.mark.parametrize("kept", ["nothing", "one user", "nothing relevant"])
def test_small_test_parts_have_a_defined_leaderboard(
    ratings: pd.DataFrame,
    model_config: ModelConfig,
    config: EvaluateConfig,
    tmp_path: Path,
    kept: str,
) -> None:
    split = SplitConfig(kind="user_random", validation_share=0.2, test_share=0.2, seed=0)
    parts, report = split_ratings(ratings, split, None)
    test = {
        "nothing": parts.test.iloc[:0],
        "one user": parts.test[parts.test[USER] == parts.test[USER].iloc[0]],
        "nothing relevant": parts.test.assign(**{RATING: 1.0}),
    }[kept]
    parts = Parts(parts.train, parts.validation, test.reset_index(drop=True))
    told = audit_of(parts, None, split, report["duplicates"])
    train(parts, tmp_path / "models", config, model_config, refit=False)
    found = evaluate(
        Request(parts, told, split, POINTS, tmp_path / "models", config), tmp_path / "out"
    )
    table = found.leaderboard.set_index("point")
    assert found.notes[0].startswith("too few users to rank")
    if kept == "one user":
        assert table.loc["bias", "warm_rmse_low"] == table.loc["bias", "warm_rmse_high"]
        assert (table["p_holm"].dropna() == 1.0).all()
        assert table["effect_size"].isna().all()
    else:
        assert table["rank"].isna().all()
        assert not table["best_set"].any()
        assert table["warm_ndcg@5"].isna().all()
        assert table["warm_ndcg@5_low"].isna().all()
        assert table["warm_coverage@5"].isna().all()
        assert table["warm_rmse"].isna().all() == (kept == "nothing")
    json.dumps(read_json(tmp_path / "out" / "metrics.json"), allow_nan=False)


def test_two_equal_runs_write_equal_bytes(
    audited: Audited, split: SplitConfig, models: Path, config: EvaluateConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    evaluate(Request(parts, audit, split, POINTS, models, config), tmp_path / "one")
    evaluate(Request(parts, audit, split, list(reversed(POINTS)), models, config), tmp_path / "two")
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert sorted(one) == [
        "examples.json",
        "facts.json",
        "leaderboard.csv",
        "metrics.json",
        "plots/bands.csv",
        "plots/calibration.csv",
        "plots/cold_start.csv",
        "plots/comparison.csv",
        "plots/factors.csv",
        "plots/learning_curves.csv",
        "plots/pruning.csv",
        "plots/reranking.csv",
        "plots/rmse_by_dim.csv",
        "plots/selection_premium.csv",
        "plots/similarity.csv",
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
        found = evaluate(
            Request(parts, audit, split, POINTS[:2], models, config), tmp_path / "results"
        )
    assert found.ignored == [models / "baseline" / "popularity"]
    assert "baseline/popularity" in caplog.text
    assert set(found.leaderboard["point"]) == {"global_mean", "bias"}


def test_failures_leave_earlier_results_alone(
    audited: Audited, split: SplitConfig, models: Path, config: EvaluateConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    results = tmp_path / "results"
    evaluate(Request(parts, audit, split, POINTS, models, config), results)
    before = content(results)

    changed = parts.train.assign(**{RATING: parts.train[RATING].iloc[::-1].to_numpy()})
    leaky = Parts(changed, parts.validation, parts.test)
    with pytest.raises(LeakError, match="does not match its audit"):
        evaluate(Request(leaky, audit, split, POINTS, models, config), results)
    with pytest.raises(DataError, match=r"mf/10 \(run the stage train_mf"):
        evaluate(Request(parts, audit, split, [*POINTS, ("mf", "10")], models, config), results)
    other = config.model_copy(update={"k": (3,), "primary": "ndcg@3"})
    with pytest.raises(DataError, match="validation metrics have no ndcg@3"):
        evaluate(Request(parts, audit, split, POINTS, models, other), results)
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
        evaluate(
            Request(parts, audit, split, POINTS, tmp_path / "models", config), tmp_path / "results"
        )
    assert not (tmp_path / "results").exists()


def test_weights_are_told_of(
    ratings: pd.DataFrame, model_config: ModelConfig, config: EvaluateConfig, tmp_path: Path
) -> None:
    split = SplitConfig(kind="user_random", validation_share=0.2, test_share=0.2, seed=0)
    weight = np.random.default_rng(0).exponential(1.0, len(ratings))
    parts, report = split_ratings(ratings.assign(weight=weight), split, None)
    told = audit_of(parts, None, split, report["duplicates"])
    boards = {}
    for weighted in (False, True):
        models = tmp_path / f"models-{weighted}"
        chosen = config.model_copy(update={"weighted": weighted})
        train(parts, models, chosen, model_config, refit=False)
        out = tmp_path / f"results-{weighted}"
        found = evaluate(Request(parts, told, split, POINTS, models, chosen), out)
        names = [f"{family}/{point}" for family, point in POINTS]
        assert read_json(out / "facts.json")["ignore_weights"] == names
        assert ("held-out rows count with their weights" in found.notes) is weighted
        boards[weighted] = found.leaderboard.set_index("point")
    for name in ("warm_rmse", "validation_ndcg@5", "warm_ndcg@5"):
        rows = "bias" if name == "warm_rmse" else "popularity"
        assert boards[True].loc[rows, name] != boards[False].loc[rows, name]
    inside = boards[True].loc["bias"]
    assert inside["warm_rmse_low"] < inside["warm_rmse"] < inside["warm_rmse_high"]
