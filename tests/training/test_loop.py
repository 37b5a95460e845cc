from __future__ import annotations

import dataclasses
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cofilter.core.errors import DivergedError, Interrupted
from cofilter.recommender.learner import Arrays, Task
from cofilter.training.checkpoint import FINISHED, is_finished
from cofilter.training.loop import CheckpointConfig, Trainer


class Walk:
    """A learner whose parameter is a random walk: any slip in resuming shows."""

    engine, device = "test", "cpu"

    def __init__(self, fails_in: int = 0, stops_in: int = 0) -> None:
        self.rng = np.random.default_rng(3)
        self.value = np.zeros(3)
        self.fails_in, self.stops_in = fails_in, stops_in
        self.ran: list[int] = []

    def identity(self) -> dict[str, Any]:
        return {"engine": self.engine}

    def learning_rate(self, epoch: int) -> float:
        return 1.0 / epoch

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        self.value += self.rng.normal(size=3)
        if epoch == self.stops_in:
            raise Interrupted(15)
        tick(10)
        self.ran.append(epoch)
        return float("nan") if epoch == self.fails_in else float(self.value.sum())

    def parameters(self) -> Arrays:
        return {"value": self.value.copy()}

    def state(self) -> Arrays:
        words = self.rng.bit_generator.state["state"]
        numbers = [words["state"], words["inc"]]
        halves = [part for n in numbers for part in (n >> 64, n & (1 << 64) - 1)]
        return {"value": self.value.copy(), "rng": np.array(halves, np.uint64)}

    def restore(self, state: Arrays) -> None:
        self.value = state["value"].copy()
        high, low, inc_high, inc_low = (int(part) for part in state["rng"])
        words = {"state": high << 64 | low, "inc": inc_high << 64 | inc_low}
        whole = self.rng.bit_generator.state
        self.rng.bit_generator.state = {**whole, "state": words}


class Seen:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.starts: list[tuple[str | None, int, str]] = []
        self.rows: list[dict[str, float]] = []

    def start(self, run_id: str | None, history: list[dict[str, float]], phase: str) -> str:
        self.starts.append((run_id, len(history), phase))
        return run_id or "new"

    def log_epoch(self, row: dict[str, float], phase: str) -> None:
        self.rows.append(row)


def task(epochs: int, **changes: Any) -> Task:
    values: dict[str, Any] = {"family": "test", "identity": {"x": 1}, "n_ratings": 10}
    return Task(epochs=epochs, **(values | changes))


def trainer(folder: Path, resume: str = "auto", observer: Seen | None = None) -> Trainer:
    config = CheckpointConfig.model_validate({"every_seconds": 0, "resume": resume})
    return Trainer(config, folder, observer, "walk")


def test_resumed_equals_never_stopped(tmp_path: Path) -> None:
    straight = trainer(tmp_path / "a").run(Walk(), task(7))
    for stop in (1, 3, 6):  # in the first epoch, in the middle, before the last
        with pytest.raises(Interrupted, match=f"after epoch {stop - 1}"):
            trainer(tmp_path / "b").run(Walk(stops_in=stop), task(7))
    learner = Walk()
    resumed = trainer(tmp_path / "b").run(learner, task(7))
    assert learner.ran == [6, 7]
    assert resumed.history == straight.history
    assert np.array_equal(resumed.parameters["value"], straight.parameters["value"])


def test_more_epochs_continue_and_fewer_start_anew(tmp_path: Path) -> None:
    trainer(tmp_path).run(Walk(), task(5))
    longer, shorter = Walk(), Walk()
    trainer(tmp_path).run(longer, task(8))
    assert longer.ran == [6, 7, 8]
    found = trainer(tmp_path).run(shorter, task(2))
    assert shorter.ran == [1, 2]
    assert [row["epoch"] for row in found.history] == [1, 2]


def test_a_finished_training_is_not_said_to_continue(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not when all epochs have run, nor when early stopping has come; an unfinished one is."""
    caplog.set_level(logging.INFO, "cofilter")
    trainer(tmp_path).run(Walk(), task(3))
    trainer(tmp_path).run(Walk(), task(3))
    assert [record.message for record in caplog.records] == [
        "walk: trained before, 3 epochs in its checkpoint"
    ]
    caplog.clear()
    stopped = task(9, identity={"x": 2}, monitor=monitor_of([1.0, 2.0]), patience=1)
    for _ in range(2):
        trainer(tmp_path).run(Walk(), stopped)
    assert [record.message for record in caplog.records] == [
        "walk: trained before, 2 epochs in its checkpoint"
    ]
    caplog.clear()
    trainer(tmp_path).run(Walk(), task(5))
    (record,) = caplog.records
    assert record.message.startswith("walk: continuing after epoch 3 (")


def finished(root: Path) -> list[bool]:
    """Of each fingerprint's folder, the newest last."""
    folders = sorted((root / "test").iterdir(), key=lambda path: path.stat().st_ctime)
    return [is_finished(folder) for folder in folders]


def test_a_training_is_finished_at_its_end_and_not_before(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        trainer(tmp_path).run(Walk(stops_in=3), task(4))
    assert finished(tmp_path) == [False]
    trainer(tmp_path).run(Walk(), task(4))
    assert finished(tmp_path) == [True]
    with pytest.raises(Interrupted):  # more epochs: it goes on, and is killed
        trainer(tmp_path).run(Walk(stops_in=6), task(9))
    assert finished(tmp_path) == [False]


def test_what_was_finished_and_not_used_for_long_goes_when_another_training_ends(
    tmp_path: Path,
) -> None:
    trainer(tmp_path).run(Walk(), task(2))
    (old,) = (tmp_path / "test").iterdir()
    long_ago = time.time() - 15 * 86_400
    os.utime(old / FINISHED, (long_ago, long_ago))
    trainer(tmp_path).run(Walk(), task(2))  # used again, so it is young again
    trainer(tmp_path).run(Walk(), task(2, identity={"x": 2}))
    assert old.exists()
    os.utime(old / FINISHED, (long_ago, long_ago))
    trainer(tmp_path).run(Walk(), task(2, identity={"x": 2}))
    assert not old.exists()
    assert finished(tmp_path) == [True]


@pytest.mark.parametrize("change", [{"identity": {"x": 2}}])
def test_another_identity_starts_anew(change: dict[str, Any], tmp_path: Path) -> None:
    trainer(tmp_path).run(Walk(), task(3))
    learner = Walk()
    trainer(tmp_path).run(learner, task(3, **change))
    assert learner.ran == [1, 2, 3]


def test_resume_never_ignores_checkpoints(tmp_path: Path) -> None:
    trainer(tmp_path).run(Walk(), task(3))
    learner = Walk()
    trainer(tmp_path, "never").run(learner, task(3))
    assert learner.ran == [1, 2, 3]


def monitor_of(values: list[float]) -> Callable[[Arrays], dict[str, float]]:
    left = iter(values)
    return lambda parameters: {"rmse": next(left)}


def test_early_stopping_gives_the_best_epoch_and_stays_stopped(tmp_path: Path) -> None:
    values = [3.0, 2.0, 2.5, 2.0, 9.0, 9.0]
    learner = Walk()
    watched = task(20, monitor=monitor_of(values), patience=2)
    found = trainer(tmp_path).run(learner, watched)
    assert found.best_epoch == 2  # an equal later value is no improvement
    assert learner.ran == [1, 2, 3, 4]
    reference = trainer(tmp_path / "other").run(Walk(), task(2))
    assert np.array_equal(found.parameters["value"], reference.parameters["value"])
    again = Walk()
    trainer(tmp_path).run(again, task(20, monitor=monitor_of([]), patience=2))
    assert again.ran == []


def test_larger_is_better_turns_early_stopping_round(tmp_path: Path) -> None:
    watched = task(9, monitor=monitor_of([1.0, 3.0, 2.0, 1.0]), patience=2, larger_is_better=True)
    assert trainer(tmp_path).run(Walk(), watched).best_epoch == 2


def test_diverged_loss_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    slow = CheckpointConfig(every_seconds=1e9, resume="auto")
    told = r"nan in epoch 4 at learning rate 0\.25; lower it\. The checkpoint of epoch 3 is kept\.$"
    with pytest.raises(DivergedError, match=told):
        Trainer(slow, tmp_path, None, "walk").run(Walk(fails_in=4), task(9))
    learner = Walk()
    trainer(tmp_path).run(learner, task(4))
    assert learner.ran == [4]


def test_a_divergence_names_a_remedy_of_the_method_and_no_checkpoint_that_is_not_there(
    tmp_path: Path,
) -> None:
    advised = dataclasses.replace(task(9), remedy="raise als.regularization")
    keep = CheckpointConfig()
    with pytest.raises(DivergedError, match=r"^als: .*nan in epoch 1; raise als\.regularization$"):
        Trainer(keep, tmp_path, None, "als").run(Walk(fails_in=1), advised)


def test_observer_hears_of_every_epoch_and_of_the_run_to_continue(tmp_path: Path) -> None:
    first, second = Seen(), Seen()
    trainer(tmp_path, observer=first).run(Walk(), task(2))
    trainer(tmp_path, observer=second).run(Walk(), task(3))
    assert first.starts == [(None, 0, "fit")]
    assert second.starts == [("new", 2, "fit")]
    assert [row["epoch"] for row in first.rows + second.rows] == [1, 2, 3]
    assert all(row["ratings_per_second"] > 0 for row in first.rows)
    history = trainer(tmp_path).run(Walk(), task(3)).history
    assert "ratings_per_second" not in history[0]  # a clock's figure would differ between runs


@pytest.mark.parametrize("last", [1, 3])
def test_a_signal_after_the_last_batch_is_not_lost(last: int, tmp_path: Path) -> None:
    """While the last epoch's parameters are taken: there is no further batch to notice it."""

    class Late(Walk):
        def parameters(self) -> Arrays:
            if self.ran[-1] == last:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().parameters()

    with pytest.raises(Interrupted, match=f"SIGTERM after epoch {last}") as caught:
        trainer(tmp_path).run(Late(), task(last))
    assert caught.value.signal_number == signal.SIGTERM
    again = Walk()
    trainer(tmp_path).run(again, task(last))  # all of it is there
    assert again.ran == []
