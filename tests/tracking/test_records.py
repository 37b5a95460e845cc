from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from cofilter.tracking.records import Chart
from tests.tracking.runs import folders, tracker
from tests.tracking.wandb_log import read_run


def test_small_artifacts_are_copied_and_large_ones_are_not(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large.npz"
    small.mkdir()
    (small / "weights.npz").write_bytes(b"s" * 1000)
    large.write_bytes(b"l" * 2_000_000)
    with tracker(tmp_path, copy_artifacts_mb=1.0) as tracked:
        tracked.log_artifact("small", "model", small, ["best"])
        tracked.log_artifact("large", "model", large)
    run = read_run(folders(tmp_path)[0])
    assert "best" in run.artifacts["small"]
    (copy,) = (Path(file) for file in run.files["small"])
    assert copy.is_relative_to(tmp_path / "logs")
    assert copy.read_bytes() == b"s" * 1000
    assert run.files["large"] == [str(large)]


def test_a_chart_leaves_out_rows_without_a_number_and_one_of_nothing_is_none(
    tmp_path: Path,
) -> None:
    table = pd.DataFrame({"model": ["a", "b"], "warm": [0.9, None]})
    chart = Chart("bar", "model", "warm", "comparison")
    with tracker(tmp_path) as tracked:
        tracked.log_chart("some", table, chart)
        tracked.log_chart("none", table[1:], chart)
    run = read_run(folders(tmp_path)[0])
    assert run.charts.keys() == {"some"}
    fields = run.charts["some"]["panel_config"]["fieldSettings"]
    assert fields == {"label": "model", "value": "warm"}
    assert run.numbers("some_table/nrows") == [(1,)]


def test_missing_values_of_a_table_become_none(tmp_path: Path) -> None:
    table = pd.DataFrame({"point": ["a", None], "rmse": [0.9, float("nan")], "n": [1, 2]})
    with tracker(tmp_path) as tracked:
        tracked.log_table("leaderboard", table)
        assert tracked.folder is not None
        (stored,) = tracked.folder.rglob("leaderboard*.table.json")
        content = json.loads(stored.read_text(encoding="utf-8"))
    assert content["columns"] == ["point", "rmse", "n"]
    assert content["data"] == [["a", 0.9, 1], [None, None, 2]]
