from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.item_map import (
    alike_order,
    by_validation,
    item_plane,
    item_similarities,
    principal_plane,
)
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.store import load
from cofilter.scoring.folders import ModelFolder, expected_folders
from tests.report.evaluated import trained_sweep


@pytest.fixture
def folders(
    parts: Parts, tmp_path: Path, config: EvaluateConfig, model_config: ModelConfig
) -> list[ModelFolder]:
    return expected_folders(
        tmp_path / "models", trained_sweep(parts, tmp_path, config, model_config)
    )


def test_similarities_are_item_knns_own(folders: list[ModelFolder]) -> None:
    titles = pd.Series({7000: "Seven", 7001: ""})
    table = item_similarities(folders, "ndcg@5", titles)
    assert set(table["model"]) == {"knn/item"}
    model = load(next(folder.path for folder in folders if folder.name == "knn/item"))
    n = table["item_id"].nunique()
    assert len(table) == n * (n - 1)
    rated = dict(zip(model.items_.ids.tolist(), model.popularity_.tolist(), strict=True))
    chosen = set(table["item_id"])
    assert min(rated[item] for item in chosen) >= max(
        (rated[item] for item in rated.keys() - chosen), default=0
    )
    square = model._similarities(np.arange(len(model.items_)))
    for row in table.itertuples():
        one, other = model.items_.index([row.item_id, row.other_item])
        expected = float(square[one, other])  # −inf: no user has rated both
        known = np.isfinite(expected)
        assert row.similarity == pytest.approx(expected if known else np.nan, abs=1e-5, nan_ok=True)
    untitled = table[table["item_id"] != 7000]
    assert (untitled["title"] == untitled["item_id"].astype(str)).all()
    assert sorted(table["order"].unique()) == list(range(n))


def test_alike_items_stand_beside_each_other() -> None:
    group = np.array([0, 1, 0, 1, 0, 1])
    similarity = np.where(group[:, None] == group, 0.9, -0.2)
    place = alike_order(similarity)
    in_order = group[np.argsort(place)]
    assert (np.diff(in_order) != 0).sum() == 1
    assert sorted(place) == list(range(6))


def test_the_plane_is_of_the_model_that_predicts_best(folders: list[ModelFolder]) -> None:
    table = item_plane(folders)
    als = [folder for folder in folders if folder.family == "als"]
    best = min(als, key=lambda folder: folder.selection["validation"]["warm"]["rmse"])
    assert set(table["model"]) == {best.name}
    assert table["ratings"].is_monotonic_decreasing
    assert np.allclose(table[["x", "y"]].mean(), 0, atol=1e-4)
    baselines = [folder for folder in folders if folder.family == "baseline"]
    assert item_plane(baselines).empty
    assert item_similarities(baselines, "ndcg@5").empty


def test_principal_plane_agrees_with_a_singular_value_decomposition() -> None:
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(40, 5)) * [3, 2, 1, 1, 1]
    plane, share = principal_plane(factors)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    u, s, _ = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
    assert np.allclose(np.abs(plane), np.abs(u[:, :2] * s[:2]))
    assert share == pytest.approx((s[:2] ** 2).sum() / (s**2).sum())
    assert (plane[np.abs(plane).argmax(axis=0), [0, 1]] > 0).all()
    flat, none = principal_plane(np.ones((4, 3)))
    assert np.allclose(flat, 0)
    assert 0 <= none <= 1


def test_errors_are_ordered_upwards_and_models_without_the_metric_come_last(
    folders: list[ModelFolder],
) -> None:
    values = [f.selection["validation"]["warm"]["rmse"] for f in by_validation(folders, "rmse")]
    known = [value for value in values if value is not None]
    assert known == sorted(known)
    assert values == known + [None] * (len(values) - len(known))
