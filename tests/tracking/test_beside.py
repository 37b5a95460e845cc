"""The tracker in a process of its own: the same run, and what happens when one of the two dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from cofilter.core.errors import Interrupted
from cofilter.tracking import beside
from cofilter.tracking.beside import TrackerBeside
from tests.tracking.runs import config, described, folders, ours, rows
from tests.tracking.test_outage import log_in, python
from tests.tracking.wandb_log import Run, read_run
from tests.tracking.wandb_server import serving

LIMIT = 60  # seconds that the other process may take to end a run


def tracker(root: Path, mode: str = "offline") -> TrackerBeside:
    return TrackerBeside(config(mode=mode), **described(root))


def ended_run(root: Path, pid: int) -> Run:
    """The only run, once the process that writes it has ended; nobody may collect a dead one."""
    deadline = time.monotonic() + LIMIT
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (folder,) = folders(root)
    return read_run(folder)


def test_a_run_holds_everything(tmp_path: Path) -> None:
    model = tmp_path / "models" / "mf"
    model.mkdir(parents=True)
    (model / "model.json").write_text("{}")
    table = pd.DataFrame({"user_id": [7, 9], "title": ["Toy Story (1995)", None]})
    with tracker(tmp_path) as tracked:
        run_id = tracked.start(None, rows(1, 2))
        tracked.log_epoch(rows(3, 3)[0])
        assert tracked.start(None, rows(1, 1), "refit") == run_id
        tracked.log_table("recommendations", table)
        tracked.log_page("comparison", "<p>chart</p>")
        tracked.log_artifact("mf-dim50", "model", model, ["best"])
        tracked.log_summary({"best_epoch": 3})
    run = read_run(folders(tmp_path)[0])  # complete as soon as the block has ended
    assert (run.run_id, run.group, run.job_type, run.name) == (run_id, "g1", "train_mf", "mf-dim50")
    assert run.numbers("epoch") == [(1,), (2,), (3,)]
    assert run.numbers("refit/epoch") == [(1,)]
    assert run.summary["best_epoch"] == 3
    assert "best" in run.artifacts["mf-dim50"]
    assert run.exit_code == 0
    ((name,),) = run.numbers("recommendations/path")
    content = json.loads((folders(tmp_path)[0] / "files" / name).read_text(encoding="utf-8"))
    assert content["data"] == [[7, "Toy Story (1995)"], [9, None]]


def test_a_launched_process_serves_the_next_tracker(tmp_path: Path) -> None:
    beside.launch()
    (worker,) = beside._launched
    with tracker(tmp_path) as tracked:
        assert tracked.start("abcdefgh") == "abcdefgh"
    assert worker.process.wait(LIMIT) == 0
    assert beside._launched == []
    assert read_run(folders(tmp_path)[0]).run_id == "abcdefgh"


def test_a_disabled_tracker_ends_a_launched_process(tmp_path: Path) -> None:
    beside.launch()
    (worker,) = beside._launched
    with tracker(tmp_path, mode="disabled") as tracked:
        assert len(tracked.start(None, rows(1, 2))) >= 8
        tracked.log_summary({"a": 1})
    assert worker.process.wait(LIMIT) == 0
    assert not (tmp_path / "logs").exists()


def test_what_fails_at_wandb_is_said_in_the_log_of_this_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "logs").write_text("in the way")
    with tracker(tmp_path) as tracked:
        tracked.log_epoch(rows(1, 1)[0])
    (record,) = ours(caplog)
    assert record.levelname == "WARNING"
    assert "logs" in record.getMessage()


@pytest.mark.parametrize("when", ["at the start", "later"])
def test_a_dead_process_gives_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, when: str
) -> None:
    with tracker(tmp_path) as tracked:
        if when == "later":
            tracked.start(None, rows(1, 2))
        assert tracked._worker is not None
        tracked._worker.process.kill()
        tracked._worker.process.wait()
        for row in rows(3, 2000):
            tracked.log_epoch(row)
    (record,) = ours(caplog)
    assert "process has ended" in record.getMessage()


def test_the_run_of_a_killed_stage_is_complete_and_failed(tmp_path: Path) -> None:
    done = python(
        "from tests.tracking.test_beside import tracker\n"
        "tracked = tracker(root)\n"
        "tracked.start(None, rows(1, 500))\n"
        "print(tracked._worker.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        tmp_path,
    )
    assert done.returncode == -signal.SIGKILL
    run = ended_run(tmp_path, int(done.stdout))
    assert run.exit_code == 1
    assert len(run.numbers("epoch")) == 500


def test_ctrl_c_reaches_the_stage_alone(tmp_path: Path) -> None:
    """The whole foreground group of a terminal gets the signal, a stage's children too."""
    done = python(
        "from tests.tracking.test_beside import tracker\n"
        "os.setpgrp()\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with tracker(root) as tracked:\n"
        "    tracked.start(None, rows(1, 5))\n"
        "    print(tracked._worker.process.pid, flush=True)\n"
        "    os.killpg(0, signal.SIGINT)\n"
        "    time.sleep(10)\n",
        tmp_path,
    )
    assert "KeyboardInterrupt" in done.stderr
    run = ended_run(tmp_path, int(done.stdout))
    assert run.exit_code == 1
    assert run.numbers("epoch") == [(n,) for n in range(1, 6)]


def test_an_interrupted_stage_does_not_wait_for_a_silent_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving() as server:
        log_in(server.url)
        server.silent = True
        tracked = tracker(tmp_path, mode="online")
        tracked.start(None, rows(1, 5))
        assert tracked._worker is not None
        process: subprocess.Popen[bytes] = tracked._worker.process
        tracked.__exit__(Interrupted, Interrupted(signal.SIGTERM), None)
        assert process.poll() is None  # it tries on, without the stage
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert "goes on" in ours(caplog)[-1].getMessage()
