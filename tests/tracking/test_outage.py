"""The tracker when wandb's server or service is slow, away or dead; and online at its best."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracking.runs import folders, ours, rows, tracker
from tests.tracking.wandb_log import read_run
from tests.tracking.wandb_server import KEY, WandbServer, serving

ROOT = Path(__file__).parents[2]
LIMIT = 60  # seconds; the runs below would wait 600 s for their server


def log_in(url: str) -> None:
    os.environ.update({"WANDB_BASE_URL": url, "WANDB_API_KEY": KEY})


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh process with a tracker module and the path ``root`` at hand."""
    head = (
        "import logging, os, pathlib, signal, sys, time\n"
        "from tests.tracking.runs import rows, tracker\n"
        "logging.basicConfig(format='%(message)s')\n"
        f"root = pathlib.Path({str(folder)!r})\n"
    )
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-c", head + code],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def epochs_sent(server: WandbServer) -> list[float]:
    return [row["epoch"] for row in server.rows if "epoch" in row]


def test_online_sends_every_epoch(tmp_path: Path) -> None:
    with serving() as server:
        log_in(server.url)
        with tracker(tmp_path, mode="auto") as tracked:
            for row in rows(1, 3):
                tracked.log_epoch(row)
        assert epochs_sent(server) == [1, 2, 3]


def test_online_continues_and_skips_what_the_server_holds(tmp_path: Path) -> None:
    with serving() as server:
        log_in(server.url)
        server.earlier_summary = {"epoch": 3, "refit/epoch": 1, "_step": 3}
        with tracker(tmp_path, mode="online") as tracked:
            tracked.start("abcdefgh", rows(1, 4))  # epoch 4 was never sent
            tracked.log_epoch(rows(5, 5)[0])
            tracked.start(None, rows(1, 2), "refit")
        assert epochs_sent(server) == [4, 5]
        assert [row["refit/epoch"] for row in server.rows if "refit/epoch" in row] == [2]
        assert min(row["_step"] for row in server.rows) == 4


def test_an_unreachable_server_makes_the_run_offline(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving() as server:
        log_in(server.url)  # closed when the block ends
    with tracker(tmp_path, mode="online", init_timeout=1.0) as tracked:
        tracked.start("abcdefgh", rows(1, 2))
        tracked.log_epoch(rows(3, 3)[0])
    (record,) = ours(caplog)
    assert "online" in record.getMessage()
    newest = read_run(folders(tmp_path)[-1])
    assert newest.numbers("epoch") == [(1,), (2,), (3,)]
    assert folders(tmp_path)[-1].name.startswith("offline-run")


@pytest.mark.parametrize("stop", ["KeyboardInterrupt", "Interrupted(signal.SIGTERM)", "None"])
def test_a_silent_server_holds_up_neither_interrupt_nor_end(tmp_path: Path, stop: str) -> None:
    """The process ends long before ``finish_timeout`` when it was interrupted."""
    with serving() as server:
        log_in(server.url)
        server.silent = True
        limit = 1.0 if stop == "None" else 600.0
        done = python(
            "from cofilter.core.errors import Interrupted\n"
            f"with tracker(root, mode='online', finish_timeout={limit}) as tracked:\n"
            "    tracked.log_epoch(rows(1, 1)[0])\n"
            f"    stop = {stop}\n"
            "    if stop is not None:\n"
            "        raise stop\n",
            tmp_path,
        )
    assert (done.returncode == 0) == (stop == "None")
    assert "wandb sync" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_dead_service_gives_one_warning_and_a_clean_exit(tmp_path: Path) -> None:
    done = python(
        "import psutil\n"
        "with tracker(root) as tracked:\n"
        "    tracked.log_epoch(rows(1, 1)[0])\n"
        "    (service,) = psutil.Process().children()\n"
        "    service.kill()\n"
        "    service.wait()\n"
        "    for row in rows(2, 50):\n"
        "        tracked.log_epoch(row)\n"
        "print('trained')\n",
        tmp_path,
    )
    assert done.returncode == 0
    assert done.stdout == "trained\n"
    assert done.stderr.count("\n") <= 2
    assert done.stderr.startswith("W&B: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_full_disk_gives_one_warning(tmp_path: Path, when: str) -> None:
    """A limit on the size of files stands for the disk: writing beyond it fails just so."""
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
    done = python(
        "import resource\n"
        + (full if when == "before" else "")
        + "with tracker(root) as tracked:\n"
        "    for row in rows(1, 1000):\n"
        "        tracked.log_epoch(row)\n"
        "    " + (full if when == "while" else "") + "\n"
        "print('trained')\n",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "trained\n")
    assert done.stderr.startswith("W&B: ")
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr


def test_disabled_never_imports_wandb(tmp_path: Path) -> None:
    done = python(
        "with tracker(root, mode='disabled') as tracked:\n"
        "    print(len(tracked.start(None, rows(1, 2))) >= 8)\n"
        "    tracked.log_summary({'a': 1})\n"
        "print('wandb' in sys.modules)\n",
        tmp_path,
    )
    assert done.stdout == "True\nFalse\n", done.stderr
    assert not (tmp_path / "logs").exists()


def test_a_run_prints_nothing(tmp_path: Path) -> None:
    done = python(
        "(root / 'model').mkdir()\n"
        "(root / 'model' / 'a').write_text('a')\n"
        "with tracker(root) as tracked:\n"
        "    tracked.log_epoch(rows(1, 1)[0])\n"
        "    tracked.log_artifact('model', 'model', root / 'model')\n",
        tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
