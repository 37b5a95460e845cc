from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pandas as pd
import pytest

from cofilter.core.errors import DataError
from cofilter.tracking.tracker import Tracker
from tests.tracking.runs import folders, ours, rows, tracker
from tests.tracking.wandb_log import Run, read_run


def only_run(root: Path) -> Run:
    (folder,) = folders(root)
    return read_run(folder)


def test_a_run_holds_everything_and_nothing_lies_elsewhere(tmp_path: Path, home: Path) -> None:
    root = tmp_path / "project"
    model = root / "models" / "mf"
    model.mkdir(parents=True)
    (model / "model.json").write_text("{}")
    table = pd.DataFrame({"user_id": [7, 9], "title": ["Toy Story (1995)", "Amélie (2001)"]})
    with tracker(root) as tracked:
        run_id = tracked.start()
        for row in rows(1, 3):
            tracked.log_epoch(row | {"ratings_per_second": 1e6})
        tracked.log_table("recommendations", table)
        tracked.log_page("comparison", "<p>chart</p>")
        tracked.log_artifact("mf-dim50", "model", model, ["best"])
        tracked.log_summary({"best_epoch": 3})

    run = only_run(root)
    assert (run.run_id, run.group, run.job_type, run.name) == (run_id, "g1", "train_mf", "mf-dim50")
    assert len(run_id) >= 8
    assert run.config["mf"] == {"dim": 50, "lr": 0.01}
    expected = [(row["epoch"], row["loss"], row["ndcg@10"]) for row in rows(1, 3)]
    assert run.numbers("epoch", "loss", "ndcg@10") == expected
    assert run.numbers("ratings_per_second") == [(1e6,)] * 3
    assert run.axes["loss"] == run.axes["ndcg@10"] == "epoch"
    assert run.summary["best_epoch"] == 3
    assert "best" in run.artifacts["mf-dim50"]
    assert run.exit_code == 0

    files = folders(root)[0] / "files"
    ((name,),) = run.numbers("recommendations/path")
    content = json.loads((files / name).read_text(encoding="utf-8"))
    assert content["columns"] == ["user_id", "title"]
    assert content["data"] == table.to_numpy().tolist()
    ((name,),) = run.numbers("comparison/path")
    assert (files / name).read_text() == "<p>chart</p>"

    assert [*home.iterdir()] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "project"]
    assert sorted(path.name for path in root.iterdir()) == ["logs", "models"]


def test_a_continuation_is_complete_in_the_newest_folder(tmp_path: Path) -> None:
    with tracker(tmp_path) as first:
        run_id = first.start()
        for row in rows(1, 3):
            first.log_epoch(row)
    with tracker(tmp_path) as second:
        assert second.start(run_id, rows(1, 2)) == run_id
        for row in rows(3, 5):
            second.log_epoch(row)

    older, newer = (read_run(folder) for folder in folders(tmp_path))
    assert older.run_id == newer.run_id == run_id
    assert [epoch for (epoch,) in older.numbers("epoch")] == [1, 2, 3]
    assert [epoch for (epoch,) in newer.numbers("epoch")] == [1, 2, 3, 4, 5]
    assert newer.config["mf"] == {"dim": 50, "lr": 0.01}


def test_refit_goes_on_in_the_same_run_under_its_own_names(tmp_path: Path) -> None:
    with tracker(tmp_path) as tracked:
        run_id = tracked.start("abcdefgh", rows(1, 2))
        tracked.log_epoch(rows(3, 3)[0])
        assert tracked.start(None, rows(1, 1), "refit") == run_id == "abcdefgh"
        tracked.log_epoch(rows(2, 2)[0], "refit")
    run = only_run(tmp_path)
    assert run.numbers("epoch") == [(1,), (2,), (3,)]
    assert run.numbers("refit/epoch", "refit/loss") == [(1, 1.0), (2, 0.5)]
    assert run.axes["loss"] == "epoch"
    assert run.axes["refit/loss"] == "refit/epoch"


def test_an_epoch_is_logged_once_and_none_is_left_out(tmp_path: Path) -> None:
    with tracker(tmp_path) as tracked:
        tracked.log_epoch({"epoch": 1, "loss": 2.0, "rmse": None})
        tracked.log_epoch({"epoch": 1, "loss": 9.0})
        tracked.log_epoch({"epoch": 2, "loss": 1.0})
    run = only_run(tmp_path)
    assert run.numbers("epoch", "loss") == [(1, 2.0), (2, 1.0)]
    assert "rmse" not in run.axes


def test_a_row_without_epoch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="epoch"):
        tracker(tmp_path, mode="disabled").log_epoch({"loss": 1.0})


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_marks_the_run_failed(tmp_path: Path, error: type[BaseException]) -> None:
    def train() -> None:
        with tracker(tmp_path) as tracked:
            tracked.log_epoch(rows(1, 1)[0])
            raise error

    with pytest.raises(error):
        train()
    assert only_run(tmp_path).exit_code == 1


def test_two_runs_of_one_process_stay_apart(tmp_path: Path) -> None:
    with tracker(tmp_path) as first:
        first.log_epoch(rows(1, 1)[0])
        with tracker(tmp_path) as second:
            second.log_epoch(rows(2, 2)[0])
        first.log_epoch(rows(3, 3)[0])
    found = [read_run(folder).numbers("epoch") for folder in folders(tmp_path)]
    assert sorted(found) == [[(1,), (3,)], [(2,)]]


def use_everything(tracked: Tracker, root: Path) -> str:
    """Call every method; gives the run's id."""
    chart = root / "chart.html"
    chart.write_text("<p>chart</p>")
    with tracked:
        run_id = tracked.start(None, rows(1, 1))
        tracked.log_epoch(rows(2, 2)[0])
        tracked.log_summary({"best_epoch": 2})
        tracked.log_table("sample", pd.DataFrame({"a": [1]}))
        tracked.log_artifact("model", "model", chart)
        tracked.log_page("chart", "<p>chart</p>")
    return run_id


def test_a_log_folder_that_cannot_be_written_gives_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "logs").write_text("in the way")
    assert len(use_everything(tracker(tmp_path), tmp_path)) >= 8
    (record,) = ours(caplog)
    assert record.levelno == logging.WARNING
    assert "logs" in record.getMessage()


def test_an_absent_library_gives_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # importing it now fails
    assert len(use_everything(tracker(tmp_path), tmp_path)) >= 8
    (record,) = ours(caplog)
    assert "wandb" in record.getMessage()


def test_a_wrong_value_ends_the_run_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tracker(tmp_path) as tracked:
        tracked.log_epoch(rows(1, 1)[0])
        tracked.log_artifact("mf-dim50", "model", tmp_path / "absent")
        tracked.log_epoch(rows(2, 2)[0])
    (record,) = ours(caplog)
    assert "absent" in record.getMessage()
    assert only_run(tmp_path).numbers("epoch") == [(1,)]
