"""The benchmark's own order of stages: one that lacks a stage fails here, not after an hour."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.data import CSV
from benchmarks.dataset import Dataset
from benchmarks.ours.pipeline import whole
from stages.forking.start import forking
from tests.checkout import BYTECODE, write_ratings


def test_the_whole_pipeline_runs_from_a_csv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(__file__).parents[2] / "src"
    for name, value in forking(dict(os.environ)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(BYTECODE, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setattr(sys, "executable", shutil.which("python"))
    write_ratings(tmp_path / CSV)
    settings = ["mf.epochs=2", "mf.patience=null", "backtest.windows=0"]
    points = {"knn": {"kind": ["item"]}, "mf": {"kind": ["biased"], "dim": [4]}}
    measured = whole(Dataset(tmp_path), 0, points, settings)
    stages = measured.facts["stages"]
    assert list(stages)[-2:] == ["blend", "evaluate"]
    assert {"knn item", "mf biased 4"} <= stages.keys()
    assert list(tmp_path.iterdir()) == [tmp_path / CSV]
