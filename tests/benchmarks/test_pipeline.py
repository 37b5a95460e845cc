"""The benchmark's own order of stages: one that lacks a stage fails here, not after an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.data import CSV
from benchmarks.dataset import Dataset
from benchmarks.ours.pipeline import whole
from tests.checkout import write_ratings


def test_the_whole_pipeline_runs_from_a_csv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(__file__).parents[2] / "src"
    monkeypatch.setenv("PYTHONPATH", str(source))
    write_ratings(tmp_path / CSV)
    settings = ["mf.epochs=2", "mf.patience=null", "backtest.windows=0"]
    points = {"knn": {"kind": ["item"]}, "mf": {"kind": ["biased"], "dim": [4]}}
    measured = whole(Dataset(tmp_path), 0, points, settings)
    stages = measured.facts["stages"]
    assert list(stages)[-2:] == ["blend", "evaluate"]
    assert {"knn item", "mf biased 4"} <= stages.keys()
    assert list(tmp_path.iterdir()) == [tmp_path / CSV]
