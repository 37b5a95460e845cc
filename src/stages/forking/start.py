"""Python processes that need not import their libraries again.

On small data a stage, its tracked run or DVC works for some tenths of a second, after one to two
seconds of importing NumPy, pandas, Numba, Polars, Hydra, W&B, DVC. `server` is a process that has
imported them, never cofilter: code may change between two stages, and the tests' checkouts hold
copies of it. For each command it forks a child, which takes over the caller's folder, environment,
umask, process group, session, standard streams and inherited files, and runs the script or module
as ``python`` would. `client` stands for ``python`` and ``dvc``, first on PATH, so that what DVC or
make start comes here too.

The real interpreter gets what is different: other options (``-c``, ``-S``), a session in which
others are, an environment that libraries read when they are imported.

A child is no process of its own in three things: all have one hash seed, libraries are in
``sys.modules`` that nobody asked for, and its parent is the server. What tests just that, signals
or import times starts real processes.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from cofilter.tracking.beside import INTERPRETER

HERE = Path(__file__).parent
FORKS = sys.platform == "linux"  # elsewhere the system's libraries may not bear a fork without exec
NAMES = ("python", "python3", "dvc")
ADDRESS = "COFILTER_FORKS"
OF_CHILDREN = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")  # variables that the server does without
QUIET = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}  # read when it is imported


def forking(environment: dict[str, str]) -> dict[str, str]:
    """The environment with the client first on PATH; our interpreter where there are no forks.

    That of a child stays, so that what it starts are children of the same server.
    """
    if ADDRESS in environment:
        return environment
    folder = _served() if FORKS else Path(sys.executable).parent
    changed = {"PATH": f"{folder}{os.pathsep}{environment['PATH']}", ADDRESS: f"{folder}/socket"}
    changed[INTERPRETER] = f"{folder}/python" if FORKS else sys.executable
    return environment | changed


@cache
def _served() -> Path:
    """Start the server, once for each process; gives the folder of commands."""
    folder = Path(tempfile.mkdtemp(prefix="cofilter-forks-"))
    atexit.register(shutil.rmtree, folder)
    for name in NAMES:
        words = [sys.executable, "-IS", str(HERE / "client.py"), name]
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), str(folder / "socket")],
        cwd="/",
        env={k: v for k, v in os.environ.items() if k not in OF_CHILDREN} | QUIET,
        stdin=subprocess.PIPE,  # its end ends the server, however this process ends
        stdout=subprocess.PIPE,
        process_group=0,  # Ctrl-C is for those who wait for its children
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", "the fork server has not started"
    atexit.register(process.wait, 30)
    atexit.register(process.stdin.close)
    return folder
