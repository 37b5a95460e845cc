"""Python processes that need not import their libraries again.

On the tests' small data a stage or DVC works for some tenths of a second, after two seconds of
importing NumPy, pandas, Numba, Polars, Hydra, DVC. `server` is a process that has imported them,
never cofilter: checkouts hold copies of that, some of them changed. For each command it forks a
child, which takes over the caller's folder, environment, umask, process group and standard streams
and runs the script or module as ``python`` would. `client` stands for ``python`` and ``dvc``, first
on PATH, so that what DVC or make start comes here too.

The real interpreter gets what is different: other options (``-c``, ``-S``), a terminal, a session
of its own, an environment that libraries read when they are imported.

A child is no process of its own in three things: all have one hash seed, libraries are in
``sys.modules`` that nobody asked for, and its parent is the server. What tests just that, signals
or import times starts real processes (`Checkout.start`, ``Checkout.run(…, real=True)``).
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

HERE = Path(__file__).parent
FORKS = sys.platform == "linux"  # elsewhere the system's libraries may not bear a fork without exec
NAMES = ("python", "python3", "dvc")
BYTECODE = "PYTHONDONTWRITEBYTECODE"  # not heeded: a checkout's modules are compiled once
ADDRESS = "COFILTER_TEST_FORKS"


def forking(environment: dict[str, str]) -> dict[str, str]:
    """The environment with the client first on PATH; our interpreter where there are no forks."""
    folder = _served() if FORKS else Path(sys.executable).parent
    changed = {"PATH": f"{folder}{os.pathsep}{environment['PATH']}", ADDRESS: f"{folder}/socket"}
    return {name: value for name, value in environment.items() if name != BYTECODE} | changed


@cache
def _served() -> Path:
    """Start the server, once for each process of pytest; gives the folder of commands."""
    folder = Path(tempfile.mkdtemp(prefix="cofilter-forks-"))
    atexit.register(shutil.rmtree, folder)
    for name in NAMES:
        words = [sys.executable, "-IS", str(HERE / "client.py"), name]
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), str(folder / "socket")],
        cwd="/",
        env={k: v for k, v in os.environ.items() if k not in (BYTECODE, "PYTHONPATH")},
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
