from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest

from cofilter.core.errors import CheckpointError
from cofilter.training.checkpoint import FINISHED, Checkpoint, CheckpointStore, prune

IDENTITY = {"config": {"dim": 3}, "train": "abc"}


def checkpoint(epoch: int) -> Checkpoint:
    return Checkpoint(
        epoch=epoch,
        learner={"table.user": np.arange(6.0).reshape(2, 3), "step": np.array(epoch)},
        best={"user": np.ones((1, 2), np.float32)},
        best_epoch=1,
        best_value=0.1 + 0.2,
        history=[{"epoch": 1, "loss": 1 / 3}],
        run_id="run",
    )


def store(folder: Path) -> CheckpointStore:
    return CheckpointStore(folder, "mf", IDENTITY)


def test_comes_back_exactly(tmp_path: Path) -> None:
    store(tmp_path).save(checkpoint(2))
    found = store(tmp_path).load(at_most=5)
    assert found is not None
    expected = checkpoint(2)
    for part in ("learner", "best"):
        mine, theirs = getattr(found, part), getattr(expected, part)
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(mine[key], theirs[key]) for key in mine)
    for name in ("epoch", "best_epoch", "best_value", "history", "run_id"):
        assert getattr(found, name) == getattr(expected, name)


def test_two_newest_are_kept(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        store(tmp_path).save(checkpoint(epoch))
    names = sorted(path.name for path in store(tmp_path).folder.glob("*.checkpoint"))
    assert names == ["epoch-000002.checkpoint", "epoch-000003.checkpoint"]


def test_one_past_the_asked_epoch_is_not_used_and_not_lost(tmp_path: Path) -> None:
    store(tmp_path).save(checkpoint(50))
    assert store(tmp_path).load(at_most=30) is None
    for epoch in (10, 20, 30):
        store(tmp_path).save(checkpoint(epoch))
    found = store(tmp_path).load(at_most=30)
    assert found is not None
    assert found.epoch == 30
    longer = store(tmp_path).load(at_most=60)
    assert longer is not None
    assert longer.epoch == 50


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_one_is_reported_and_the_one_before_used(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for epoch in (1, 2):
        store(tmp_path).save(checkpoint(epoch))
    spoil(store(tmp_path).path(2), damage)
    found = store(tmp_path).load(at_most=9)
    assert found is not None
    assert found.epoch == 1
    assert "epoch-000002.checkpoint" in caplog.text
    spoil(store(tmp_path).path(1), damage)
    with pytest.raises(CheckpointError, match="resume=never or `make clean-checkpoints`"):
        store(tmp_path).load(at_most=9)


def spoil(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "cut":
        content = content[: len(content) // 2]
    elif how == "flip":
        content[-3] ^= 1
    else:
        content.clear()
    path.write_bytes(content)


def test_half_written_file_is_no_checkpoint(tmp_path: Path) -> None:
    store(tmp_path).save(checkpoint(1))
    (store(tmp_path).folder / ".epoch-000002.checkpoint.x1y2").write_bytes(b"half")
    found = store(tmp_path).load(at_most=9)
    assert found is not None
    assert found.epoch == 1


def test_other_identity_other_folder(tmp_path: Path) -> None:
    other = CheckpointStore(tmp_path, "mf", {**IDENTITY, "train": "abd"})
    assert other.folder != store(tmp_path).folder
    store(tmp_path).save(checkpoint(1))
    assert other.load(at_most=9) is None


def _hold(folder: Path, start: Barrier, stays: Queue[tuple[float, float]]) -> None:
    start.wait(timeout=60)
    with store(folder).locked():
        entered = time.monotonic()
        time.sleep(0.3)
        stays.put((entered, time.monotonic()))


def test_two_processes_take_turns(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    # A stay is put as one pair: a queue keeps the order of one process, not of two.
    start, stays = context.Barrier(2), context.Queue()
    both = [context.Process(target=_hold, args=(tmp_path, start, stays)) for _ in range(2)]
    for process in both:
        process.start()
    first, second = sorted(stays.get(timeout=60) for _ in both)
    for process in both:
        process.join()
    assert first[1] <= second[0]


def finished(root: Path, name: str, days: float) -> Path:
    """The folder of a training that was finished so many days ago."""
    made = CheckpointStore(root, "mf", {"name": name})
    made.save(checkpoint(1))
    made.set_finished(True)
    then = time.time() - days * 86_400
    os.utime(made.folder / FINISHED, (then, then))
    return made.folder


def test_only_old_finished_checkpoints_that_nobody_uses_are_pruned(tmp_path: Path) -> None:
    old, young = finished(tmp_path, "old", 3.1), finished(tmp_path, "young", 2.9)
    trial = finished(tmp_path / "search" / "study" / "1", "trial", 4)
    store(tmp_path).save(checkpoint(1))  # unfinished
    os.utime(store(tmp_path).path(1), (0, 0))
    used = finished(tmp_path, "used", 9)
    with CheckpointStore(tmp_path, "mf", {"name": "used"}).locked():
        assert prune(tmp_path, None) == 0
        assert old.exists()
        assert prune(tmp_path, 3) == 2
    assert [folder.exists() for folder in (old, trial, young, used)] == [False, False, True, True]
    assert store(tmp_path).load(at_most=5) is not None
    assert prune(tmp_path, 3) == 1
    assert not used.exists()


def test_checkpoints_that_another_process_removes_meanwhile_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backtest beside a training removes those of its finished jobs."""
    there = tmp_path / "mf" / "there"
    there.mkdir(parents=True)
    (there / FINISHED).touch()
    os.utime(there / FINISHED, (0, 0))
    found = [(str(tmp_path / "mf" / "gone"), [], [FINISHED]), (str(there), [], [FINISHED])]
    monkeypatch.setattr(os, "walk", lambda top: found)
    assert prune(tmp_path, 3) == 1
    assert not there.exists()
