from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from cofilter.core.errors import Interrupted
from cofilter.search.study import SearchStudy
from cofilter.search.trial import COMPLETE, FAIL, PRUNED, Outcome, Reporter, Trials
from cofilter.training.loop import Trainer
from tests.search.jobs import data, job, make, tracked
from tests.search.test_job import ranker
from tests.tracking.runs import folders
from tests.tracking.wandb_log import read_run


def no_check() -> None:
    """Nothing stops the search."""


def outcome(root: Path, values: dict[str, Any], **changed: Any) -> Outcome:
    """How the first trial ends, whatever the study would have drawn."""
    mine = job(root, **changed)
    study = SearchStudy(mine, "x")
    return Trials(mine, data(root), no_check).run(study.study.ask(), values)


def test_a_complete_trial_has_the_validation_metric_of_the_best_epoch(tmp_path: Path) -> None:
    values = {"lr": 0.05, "kinds.biased.l2": 0.1}
    found = outcome(tmp_path, values)
    mine, ratings = job(tmp_path), data(tmp_path)
    tree = {"lr": 0.05, "kinds": {"biased": {"l2": 0.1}}}
    trainer = Trainer(mine.checkpoint, tmp_path / "other")
    model: Any = make(mine.run_config["mf"], tree).fit(ratings.train, ratings.validation, trainer)
    assert found.state == COMPLETE
    assert found.epochs == model.epochs_
    best = min(row["rmse"] for row in model.history_)
    assert found.value == pytest.approx(best, abs=1e-6)


def test_nothing_of_a_trial_is_left_in_checkpoints(tmp_path: Path) -> None:
    outcome(tmp_path, {"lr": 0.05, "kinds.biased.l2": 0.1})
    assert not [path for path in (tmp_path / "checkpoints").rglob("*") if path.is_file()]


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_diverged_trial_is_pruned_with_its_reason(tmp_path: Path) -> None:
    found = outcome(tmp_path, {"lr": 1e6, "kinds.biased.l2": 0.1})
    assert (found.state, found.value) == (PRUNED, None)
    assert "the loss is" in str(found.reason)
    assert not [path for path in (tmp_path / "checkpoints").rglob("*") if path.is_file()]


def test_an_impossible_configuration_fails_with_its_reason(tmp_path: Path) -> None:
    found = outcome(tmp_path, {"lr": 0.1, "optimizer": "gd"})
    assert (found.state, found.value) == (FAIL, None)
    assert "optimizer 'gd'" in str(found.reason)


class Silent:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def start(self, run_id: str | None, history: list[dict[str, float]], phase: str) -> str:
        self.rows += history
        return run_id or "new"

    def log_epoch(self, row: dict[str, float], phase: str) -> None:
        self.rows.append(row)


def pruned_at(resumed: int, pruner: optuna.pruners.BasePruner) -> tuple[int, Silent]:
    """Last epoch of a bad trial after three good ones, of which the first ``resumed`` are told
    at once, as a resumed training does."""
    study = optuna.create_study(pruner=pruner)
    for _ in range(3):
        good = study.ask()
        for epoch in range(1, 31):
            good.report(0.5, epoch)
            good.should_prune()  # halving notes its rungs here
        study.tell(good, 0.5)
    silent = Silent()
    reporter = Reporter(study.ask(), silent, no_check, prunes=True)
    rows = [{"epoch": epoch, "rmse": 0.9} for epoch in range(1, 31)]
    try:
        reporter.start(None, rows[:resumed], "fit")
        for row in rows[resumed:]:
            reporter.log_epoch(row, "fit")
    except optuna.TrialPruned as pruned:
        return int(str(pruned).split()[-1]), silent
    return 0, silent


@pytest.mark.parametrize("resumed", [0, 3, 6, 7])
def test_pruning_falls_in_the_same_epoch_after_a_resume(resumed: int) -> None:
    median = optuna.pruners.MedianPruner(2, 6)
    epoch, silent = pruned_at(resumed, median)
    assert epoch == 6
    assert [row["epoch"] for row in silent.rows] == list(range(1, max(6, resumed) + 1))
    assert pruned_at(resumed, optuna.pruners.SuccessiveHalvingPruner(6, 3))[0] == 6
    assert pruned_at(resumed, optuna.pruners.NopPruner())[0] == 0


def test_a_request_to_stop_leaves_the_trial_running_with_its_checkpoints(tmp_path: Path) -> None:
    mine = job(tmp_path)
    study = SearchStudy(mine, "x")
    trial = study.study.ask()

    def check() -> None:
        if len(study.study.trials[0].intermediate_values) == 3:
            raise Interrupted(15)

    with pytest.raises(Interrupted):
        Trials(mine, data(tmp_path), check).run(trial, {"lr": 0.05, "kinds.biased.l2": 0.1})
    assert study.study.trials[0].state == optuna.trial.TrialState.RUNNING
    files = sorted(path.name for path in mine.checkpoints({}).parent.rglob("epoch-*"))
    assert files[-1] == "epoch-000003.checkpoint"


def test_a_ranking_model_is_judged_by_ranking(tmp_path: Path) -> None:
    mine = replace(job(tmp_path, pruner="none"), metric="ndcg@10", make=lambda values: ranker())
    trial = optuna.create_study(direction=mine.direction).ask()
    found = Trials(mine, data(tmp_path), no_check).run(trial, {})
    assert found.state == COMPLETE
    assert 0 < (found.value or 0) <= 1
    assert trial.study.trials[0].intermediate_values == {}


def test_a_trial_is_one_tracked_run(tmp_path: Path) -> None:
    mine = tracked(job(tmp_path))
    study = SearchStudy(mine, "x")
    values = {"lr": 0.03, "kinds.biased.l2": 0.2}
    found = Trials(mine, data(tmp_path), no_check).run(study.study.ask(), values)
    (folder,) = folders(tmp_path)
    run = read_run(folder)
    assert (run.group, run.job_type, run.name) == ("small", "search", "small-0")
    assert run.config["mf"]["lr"] == 0.03
    assert run.config["mf"]["kinds"] == {"biased": {"l2": 0.2}}
    assert [epoch for (epoch,) in run.numbers("epoch")] == list(range(1, 9))
    assert run.summary["rmse"] == found.value
    assert run.summary["state"] == "complete"
    assert run.exit_code == 0


@pytest.mark.filterwarnings("ignore:overflow")
def test_the_run_of_a_pruned_trial_ends_well_and_says_why(tmp_path: Path) -> None:
    mine = tracked(job(tmp_path))
    study = SearchStudy(mine, "x")
    values = {"lr": 1e6, "kinds.biased.l2": 0.2}
    Trials(mine, data(tmp_path), no_check).run(study.study.ask(), values)
    run = read_run(folders(tmp_path)[0])
    assert run.summary["state"] == "pruned"
    assert "the loss is" in run.summary["reason"]
    assert run.exit_code == 0
