"""`make repro`: DVC's stages in lanes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from stages.forking.start import forking
from stages.lanes import blocks, dealt, n_lanes_of, trainings
from tests.checkout import DEADLINE, PROJECT, Checkout, ran

CFG = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
COMMAND = (sys.executable, "-m", "stages.side_by_side")


def test_the_trainings_are_those_of_dvc_yaml() -> None:
    listed = subprocess.run(
        ["dvc", "stage", "list", "--name-only"],
        cwd=PROJECT,
        env=forking(dict(os.environ)),
        capture_output=True,
        text=True,
        check=True,
    )
    named = [name for name in listed.stdout.split() if name.startswith("train_")]
    batches = trainings(CFG)
    assert sorted(stage for batch in batches for stage in batch) == sorted(named)
    assert batches[0]["train_ease@rating"] == Path("models/ease/rating")
    assert all(stage.startswith("train_mf@") for stage in batches[1])  # has epochs: a later batch


def test_each_stage_is_in_one_lane_and_the_backtest_counts_for_many() -> None:
    cfg = {"backtest": {"windows": 2}}
    found = dealt([["a", "b", "c"], ["d", "e", "f"]], cfg, n_lanes=2)
    assert found == [["a", "c", "leak", "d", "e", "f"], ["b", "backtest"]]
    assert dealt([["a"], ["b"]], cfg, n_lanes=1) == [["a", "backtest", "leak", "b"]]


@pytest.mark.parametrize(
    ("rows", "items", "alone"), [(900, 80, False), (10**7, 80, True), (900, 10**5, True)]
)
def test_large_data_are_trained_on_one_model_at_a_time(rows: int, items: int, alone: bool) -> None:
    audit = {"parts": {"train": {"rows": rows, "items": items}, "test": {"rows": 50}}}
    assert n_lanes_of(audit) == (1 if alone else min(os.cpu_count() or 1, 4))


def test_what_dvc_prints_is_cut_into_stages() -> None:
    lines = [
        "Running stage 'a':\n",
        "> x\n",
        "Stage 'b' didn't change, skipping\n",
        "To track the changes with git, run:\n",
    ]
    assert list(blocks(iter(lines))) == [
        ("a", "Running stage 'a':\n> x\n"),
        ("b", "Stage 'b' didn't change, skipping\n"),
    ]


def test_a_failed_training_ends_the_run_before_the_blend(checkout: Checkout) -> None:
    checkout.compose("mf.lr=1e9")
    failed = checkout.run(*COMMAND)
    assert failed.returncode
    assert "mf.dim=4 seed=0, exited with 2" in failed.stdout
    # The other lane may end after the failed one, so only what follows all lanes says something.
    assert "train_mf@biased-4-0" in ran(failed)
    assert not {"blend", "evaluate"} & set(ran(failed))


def test_an_interrupt_ends_every_lane(checkout: Checkout) -> None:
    checkout.compose("mf.epochs=1000000", "mf.patience=1000000", "checkpoint.every_seconds=0")
    before = set(checkout.checkpoints())
    run = checkout.start_command(*COMMAND)
    try:
        end = time.monotonic() + DEADLINE
        while set(checkout.checkpoints()) <= before and time.monotonic() < end:
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        printed, _ = run.communicate(timeout=DEADLINE)
    finally:
        run.kill()
    assert run.returncode == 128 + signal.SIGINT, printed
    assert "train_mf@biased-4-0" in printed
    assert "Running stage 'blend'" not in printed
