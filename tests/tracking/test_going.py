"""A stage need not wait for its run: others wait, and the run is whole then."""

from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.tracking.going import LOCK, ended, words
from tests.tracking.runs import folders, tracker
from tests.tracking.test_outage import python
from tests.tracking.wandb_log import read_run

STAGE = (
    "from cofilter.tracking.beside import TrackerBeside\n"
    "from tests.tracking.runs import config, described\n"
    "with TrackerBeside(config(), waits=False, **described(root)) as tracked:\n"
    "    for row in rows(1, 200):\n"
    "        tracked.log_epoch(row)\n"
    "print(tracked._worker, time.process_time())\n"
)


def test_a_run_that_nobody_waited_for_is_whole_when_all_have_ended(tmp_path: Path) -> None:
    done = python(STAGE, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert not ended(tmp_path, 0)  # wandb was not even imported
    assert ended(tmp_path)
    run = read_run(folders(tmp_path)[0])
    assert run.exit_code == 0
    assert len(run.numbers("epoch")) == 200


def test_a_killed_stage_that_would_not_wait_leaves_a_failed_run(tmp_path: Path) -> None:
    at = STAGE.index("print(")
    done = python(STAGE[:at] + "    os.kill(os.getpid(), signal.SIGKILL)\n", tmp_path)
    assert done.returncode < 0
    assert ended(tmp_path)
    run = read_run(folders(tmp_path)[0])
    assert (run.exit_code, len(run.numbers("epoch"))) == (1, 200)


def test_a_warning_that_no_stage_heard_is_kept_and_said_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs" / "wandb").mkdir(parents=True)
    (tmp_path / "logs" / "wandb").rmdir()
    (tmp_path / "logs" / "wandb").write_text("in the way")
    assert python(STAGE, tmp_path).returncode == 0
    assert ended(tmp_path)
    assert words(tmp_path).startswith("W&B: ")
    assert words(tmp_path) == ""


def test_a_run_in_the_process_of_its_training_is_waited_for_too(tmp_path: Path) -> None:
    with tracker(tmp_path) as tracked:
        tracked.start()
        assert not ended(tmp_path, 0)
    assert ended(tmp_path, 0)


def test_without_runs_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    assert ended(tmp_path)
    assert not (tmp_path / LOCK).exists()


def test_where_no_lock_can_be_written_the_stage_goes_on(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    assert python(STAGE, tmp_path).returncode == 0
