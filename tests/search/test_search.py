from __future__ import annotations

import contextlib
import multiprocessing
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from cofilter.search.job import Job
from cofilter.search.search import SearchError
from cofilter.search.study import SearchStudy
from tests.search.jobs import GROUP, data, history, job, run, tracked
from tests.tracking.runs import folders
from tests.tracking.wandb_log import read_run

# Trials that last, so that one can be hit: each of its epochs writes a checkpoint to disk.
SLOW: dict[str, Any] = GROUP | {"epochs": 60, "dim": 32, "patience": None}
DEADLINE = 120.0
PROJECT = Path(__file__).parents[2]
# Processes of their own, forked from one that has imported the library and started no thread.
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["tests.search.jobs"])


def slow(root: Path, **changed: Any) -> Job:
    return job(root, SLOW, **({"n_trials": 6, "startup_trials": 2} | changed))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """The trials of a search that nothing stopped."""
    return history(run(slow(tmp_path_factory.mktemp("reference"))))


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[BaseProcess]]:
    """Processes that a test starts; none outlives it."""
    processes: list[BaseProcess] = []
    yield processes
    for process in processes:
        process.kill()


def with_checkpoints(root: Path) -> set[Path]:
    """Folders of trials, as they are now, that have a checkpoint."""
    found = set()
    for trial in (root / "checkpoints" / "search" / "small").glob("*"):
        with contextlib.suppress(FileNotFoundError):  # the trial has just ended
            found |= {trial for _ in trial.rglob("epoch-*.checkpoint")}
    return found


def start(mine: Job, started: list[BaseProcess], trials: int) -> BaseProcess:
    """A search in a process of its own, so many trials and some epochs in."""
    data(mine.root)
    process = FORKSERVER.Process(target=run, args=(mine,))
    process.start()
    started.append(process)
    end = time.monotonic() + DEADLINE
    seen: set[Path] = set()
    while len(seen) < trials:
        assert process.is_alive(), "the search ended before it could be stopped"
        assert time.monotonic() < end
        seen |= with_checkpoints(mine.root)
        time.sleep(0.001)
    return process


def states(mine: Job) -> list[TrialState]:
    return [trial.state for trial in SearchStudy(mine, data(mine.root).fingerprint).study.trials]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_stopped_in_a_trial_it_ends_as_if_it_had_not_been(
    number: int, tmp_path: Path, started: list[BaseProcess], reference: list[tuple[Any, ...]]
) -> None:
    """Twice, in the first trial and in a later one; what was finished is not done again."""
    mine = slow(tmp_path)
    for trials in (1, 2):
        process = start(mine, started, trials)
        assert process.pid is not None
        process.kill() if number == signal.SIGKILL else process.terminate()
        process.join(DEADLINE)
        assert process.exitcode
        assert states(mine)[-1] == TrialState.RUNNING
    done = states(mine).count(TrialState.COMPLETE) + states(mine).count(TrialState.PRUNED)
    study = run(mine)
    assert history(study) == reference
    assert len(study.study.trials) == 6 + 2  # one more for each that was lost
    assert 0 < done < 6
    assert not (tmp_path / "checkpoints" / "search" / "small").exists()


def test_a_finished_search_does_nothing_more(tmp_path: Path) -> None:
    first = history(run(job(tmp_path)))
    again = run(job(tmp_path))
    assert history(again) == first
    assert len(again.study.trials) == 8
    assert history(run(job(tmp_path, n_trials=10)))[:8] == first


def test_equal_searches_give_equal_trials(tmp_path: Path) -> None:
    one, two = (history(run(job(tmp_path / name))) for name in "ab")
    assert one == two
    assert {state for state, *_ in one} <= {"COMPLETE", "PRUNED"}


def test_workers_share_a_study(tmp_path: Path) -> None:
    mine = job(tmp_path, workers=2, n_trials=12)
    study = run(mine)
    assert [trial.number for trial in study.study.trials] == list(range(12))
    assert all(trial.state.is_finished() for trial in study.trials())
    # Each trial's value is that of its values, whoever made it: a repeat by one process agrees.
    alone = run(replace(mine, root=tmp_path / "alone", config=one_worker(mine)))
    values = {repr(told[2]): told[1] for told in history(study) if told[0] == "COMPLETE"}
    shared = [told for told in history(alone) if repr(told[2]) in values and told[0] == "COMPLETE"]
    assert shared
    assert all(values[repr(told[2])] == told[1] for told in shared)


def one_worker(mine: Job) -> Any:
    data(mine.root / "alone")
    return mine.config.model_copy(update={"workers": 1})


def test_workers_end_with_their_main_process_and_the_search_goes_on(
    tmp_path: Path, started: list[BaseProcess]
) -> None:
    mine = slow(tmp_path, workers=2)
    process = start(mine, started, 2)
    process.kill()
    process.join(DEADLINE)
    study = run(mine)  # waits until the orphaned workers have noticed
    assert len(study.trials()) == 6
    assert all(trial.state.is_finished() for trial in study.trials())
    assert all(trial.state.is_finished() for trial in study.study.trials)


def test_a_search_without_any_complete_trial_says_why(tmp_path: Path) -> None:
    space = {"mf": {"lr": {"low": 1e6, "high": 1e7}}}
    with pytest.raises(SearchError, match=r"none of 3 trials is complete.*the loss is"):
        run(job(tmp_path, GROUP | {"lr": 2e6}, space=space, n_trials=3))


def test_torch_is_not_imported_for_the_fused_engine(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.search.jobs import job, run; "
        f"run(job(Path({str(tmp_path)!r}), n_trials=2)); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_the_study_is_a_tracked_run_of_its_own(tmp_path: Path) -> None:
    found = run(tracked(job(tmp_path, n_trials=2)))
    runs = [read_run(folder) for folder in folders(tmp_path)]
    (study,) = [each for each in runs if each.job_type == "study"]
    assert len(runs) == 3
    assert (study.group, study.name, study.exit_code) == ("small", "small", 0)
    best = found.best()
    assert best is not None
    assert study.summary["trials"] == 2
    assert study.summary["trial"] == best.number
    assert study.summary["rmse"] == best.value
    assert study.summary["rmse before"] == found.trials()[0].value
    assert study.config["mf"] == GROUP
