"""The stage backtest for real: in DVC, without the test part, killed and started again."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.checkout import MF, Checkout, errors, ran

FILES = ("backtest.csv", "backtest_pooled.csv", "backtest.json")
METHODS = ["baseline/bias", "knn/item", MF, "ensemble/blend"]
# So that a fit takes long enough to be hit in its middle.
WIDE = ("points.mf.dim=[500]", "mf.epochs=8", "mf.patience=50", "checkpoint.every_seconds=0")
DEADLINE = 120.0


def written(checkout: Checkout) -> dict[str, bytes]:
    return {name: (checkout.path / "results" / name).read_bytes() for name in FILES}


def shipped(checkout: Checkout) -> dict[str, Any]:
    facts = json.loads((checkout.path / "results" / "facts.json").read_text())
    found: dict[str, Any] = facts["shipped"]
    return found


def jobs(checkout: Checkout) -> list[Path]:
    return sorted((checkout.path / "checkpoints" / "backtest").glob("*/scores.npz"))


def epochs(checkout: Checkout) -> list[Path]:
    """Checkpoints of fits within jobs."""
    with contextlib.suppress(FileNotFoundError):  # a job has just ended
        return list((checkout.path / "checkpoints" / "backtest").glob("*/mf/*/epoch-*.checkpoint"))
    return []


def test_the_pipeline_ships_what_the_backtest_prefers(finished: Checkout) -> None:
    table = pd.read_csv(finished.path / "results" / "backtest.csv")
    pairs = [(name, window) for window in (1, 2) for name in METHODS]
    assert list(zip(table["method"], table["window"], strict=True)) == pairs
    pooled = pd.read_csv(finished.path / "results" / "backtest_pooled.csv")
    best, told = pooled.iloc[0], shipped(finished)
    assert f"{told['family']}/{told['point']}" == best["method"]
    assert (told["chosen_on"], told["figure"]) == ("backtest", pytest.approx(best["ndcg@10"]))
    assert (told["windows"], told["pairs"]) == (2, best["pairs"])
    metrics = json.loads((finished.path / "results" / "metrics.json").read_text())
    assert metrics["shipped"]["backtest"] == pytest.approx(best["ndcg@10"], abs=1e-6)


def test_the_test_part_is_not_read(checkout: Checkout) -> None:
    """It is gone, and every job is done anew."""
    before = written(checkout)
    (checkout.path / "data" / "split" / "test.parquet").unlink()
    shutil.rmtree(checkout.path / "checkpoints")
    assert checkout.stage("backtest", inside=True).returncode == 0
    assert written(checkout) == before


def test_other_parts_than_the_audit_s_are_refused(checkout: Checkout) -> None:
    path = checkout.path / "data" / "split" / "train.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path, index=False)
    stopped = checkout.stage("backtest", inside=True)
    assert stopped.returncode == 2
    (line,) = errors(stopped)
    assert line == "error: data/split: the train part is not the one that its audit states"


def test_killed_in_the_middle_it_ends_in_the_same_bytes(checkout: Checkout) -> None:
    """SIGKILL in the first window's longest fit, SIGTERM in the second's; then to the end."""
    assert checkout.stage("backtest", *WIDE, inside=True).returncode == 0
    reference, n_jobs = written(checkout), len(METHODS) * 2
    shutil.rmtree(checkout.path / "checkpoints")
    for name in FILES:
        (checkout.path / "results" / name).unlink()

    def in_first_fit() -> bool:
        return len(jobs(checkout)) == 2 and len(epochs(checkout)) > 0

    assert (
        checkout.stopped_when(in_first_fit, signal.SIGKILL, "backtest", *WIDE)[0] == -signal.SIGKILL
    )
    kept = {path: path.stat().st_mtime_ns for path in jobs(checkout)}
    assert len(kept) == 2

    def in_second_fit() -> bool:
        return len(jobs(checkout)) == 6 and len(epochs(checkout)) > 0

    code, printed = checkout.stopped_when(in_second_fit, signal.SIGTERM, "backtest", *WIDE)
    assert code == 143
    assert f"2 of {n_jobs} jobs were finished before" in printed
    assert "continuing after epoch" in printed
    assert f"6 of the backtest's {n_jobs} jobs are finished, run again to continue" in printed
    assert "Traceback" not in printed
    assert not [name for name in FILES if (checkout.path / "results" / name).exists()]
    assert checkout.stage("backtest", *WIDE, inside=True).returncode == 0
    assert written(checkout) == reference
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert not epochs(checkout)


def test_turned_off_it_trains_nothing_and_validation_chooses(checkout: Checkout) -> None:
    checkout.compose("backtest.windows=0")
    run = checkout.dvc("repro")
    assert set(ran(run)) == {"check", "backtest", "evaluate"}
    assert "no backtest: backtest.windows is 0" in run.stdout + run.stderr
    told = shipped(checkout)
    assert (told["chosen_on"], told["note"]) == ("validation", "backtest.windows is 0")
    assert "on validation (no backtest: backtest.windows is 0): ndcg@10" in run.stdout
    assert len(pd.read_csv(checkout.path / "results" / "backtest.csv")) == 0


def test_a_split_without_a_test_instant_says_why_there_is_none(checkout: Checkout) -> None:
    checkout.compose("split=user_temporal")
    run = checkout.dvc("repro", "backtest")
    reason = "split user_temporal has no test instant that windows could lie before"
    assert f"no backtest: {reason}" in run.stdout + run.stderr
    facts = json.loads((checkout.path / "results" / "backtest.json").read_text())
    assert facts["reason"].startswith(reason)


def test_an_impossible_window_leaves_earlier_results(checkout: Checkout) -> None:
    before = checkout.outputs()
    stopped = checkout.stage("backtest", "backtest.windows=2000", inside=True)
    assert stopped.returncode == 2
    (line,) = errors(stopped)
    assert line.startswith("error: window ")
    assert "set fewer windows (backtest.windows)" in line
    assert checkout.outputs() == before
