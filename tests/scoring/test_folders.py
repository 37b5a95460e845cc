from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cofilter.core.errors import DataError
from cofilter.core.io import read_json, write_json
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.folders import (
    SELECTION,
    ensemble_folder,
    expected_folders,
    other_folders,
)
from tests.evaluation.trained import train, write_curve


@pytest.fixture
def models(parts: Parts, tmp_path: Path, config: EvaluateConfig, model_config: ModelConfig) -> Path:
    train(parts, tmp_path / "models", config, model_config, refit=False)
    return tmp_path / "models"


def test_reads_in_the_asked_order_and_names_the_rest(models: Path) -> None:
    write_curve(models / "baseline" / "bias", [1.0, 0.9])
    asked = [("baseline", "popularity"), ("baseline", "bias")]
    folders = expected_folders(models, asked)
    assert [folder.name for folder in folders] == ["baseline/popularity", "baseline/bias"]
    assert folders[0].curve.empty
    assert folders[1].curve["rmse"].tolist() == [1.0, 0.9]
    assert other_folders(models, asked) == [models / "baseline" / "global_mean"]


def test_all_missing_models_are_named_with_their_stage(models: Path) -> None:
    with pytest.raises(DataError, match=r"mf/10 \(run the stage train_mf .*; .*knn/user \(run"):
        expected_folders(models, [("mf", "10"), ("baseline", "bias"), ("knn", "user")])


def test_a_folder_of_another_point_is_refused(models: Path) -> None:
    (models / "baseline" / "bias").rename(models / "baseline" / "copied")
    with pytest.raises(DataError, match="belongs to baseline/bias"):
        expected_folders(models, [("baseline", "copied")])


def test_an_incomplete_selection_is_refused(models: Path) -> None:
    path = models / "baseline" / "bias" / SELECTION
    selection = read_json(path)
    del selection["refit"]
    write_json(path, selection)
    with pytest.raises(DataError, match=r"selection\.json: no refit"):
        expected_folders(models, [("baseline", "bias")])


def test_the_ensemble_is_read_from_a_folder_of_its_own(models: Path) -> None:
    with pytest.raises(DataError, match=r"ensemble is missing: .*blend.* \(run the stage blend\)"):
        ensemble_folder(models / "blend")
    shutil.copytree(models / "baseline" / "bias", models / "blend")
    with pytest.raises(DataError, match="belongs to baseline/bias"):
        ensemble_folder(models / "blend")
    told = read_json(models / "blend" / SELECTION) | {"family": "ensemble", "point": "blend"}
    write_json(models / "blend" / SELECTION, told)
    folder = ensemble_folder(models / "blend")
    assert folder.name == "ensemble/blend"
    assert folder.remedy == "run the stage blend again"
