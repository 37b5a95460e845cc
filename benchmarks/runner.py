"""Runs a row: every side in processes of its own, in turn, and the result as JSON."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import machine
from benchmarks.row import OURS, Line, Outcome, Row, Side, Size, seconds_of

ROOT = Path(__file__).parents[1]
PEERS = Path(os.environ.get("BENCH_VENV", ".venv-bench"))
LIMIT = 3600  # seconds a process may take


class SideFailedError(RuntimeError):
    """A side's process did not end well; the message is its last words."""


def python(peer: bool) -> str:
    """The interpreter of the peers' environment, or of this one."""
    if not peer:
        return sys.executable
    path = ROOT / PEERS / "bin/python"
    if not path.exists():
        raise SideFailedError(f"{path} is missing: run `make bench`, which makes it")
    return str(path)


def environment(side: Side, compiled: Path) -> dict[str, str]:
    """The same threads for every library, and compiled kernels apart from the user's."""
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "LK", "POLARS")
    variables = {f"{name}_NUM_THREADS": str(side.threads) for name in names}
    variables |= {"POLARS_MAX_THREADS": str(side.threads), "LK_NUM_BACKEND_THREADS": "1"}
    variables |= {"NUMBA_CACHE_DIR": str(compiled), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    variables |= {"WANDB_MODE": "disabled", "HYDRA_FULL_ERROR": "1", "TQDM_DISABLE": "1"}
    variables |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return dict(os.environ) | variables


def run_side(side: Side, run: int, size: Size, work: Path, data: Callable[[str], Path]) -> Outcome:
    """One process of one side.

    Raises
    ------
    SideFailedError
        It ended with an error, wrote no answer, or took longer than `LIMIT`.
    """
    folder = Path(tempfile.mkdtemp(dir=work))
    job = {
        "work": side.work,
        "run": run,
        "data": str(data(side.data[size])),
        "tiny": str(data(side.data["smoke"])),
        "options": side.told(size),
        "tiny_options": side.told("smoke"),
        "arrays": str(folder / "arrays.npz"),
        "answer": str(folder / "answer.json"),
    }
    (folder / "job.json").write_text(json.dumps(job))
    command = [python(side.is_peer), "-m", "benchmarks.side", str(folder / "job.json")]
    log = folder / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(side, work / "compiled"),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise SideFailedError(f"no answer within {LIMIT} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # its own children too
                process.wait()
    if code:
        last = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][-3:]
        raise SideFailedError(" | ".join(last) or f"exit code {code}")
    answer = json.loads((folder / "answer.json").read_text())
    options = " ".join(f"{key}={value}" for key, value in job["options"].items())
    told = f"{side.work} on {side.data[size]}" + (f" with {options}" if options else "")
    return Outcome(**answer, command=told)


def run_row(
    row: Row, size: Size, results: Path, data: Callable[[str], Path], say: Callable[[str], None]
) -> dict[str, Any]:
    """Run a row and write ``<results>/<row>.json``; gives what it wrote.

    Raises
    ------
    SideFailedError
        Naming the side; nothing is written then.
    """
    results.mkdir(parents=True, exist_ok=True)
    where = machine()
    started = time.monotonic()
    outcomes: dict[str, list[Outcome]] = {side.name: [] for side in row.sides}
    with tempfile.TemporaryDirectory(prefix=f"bench-{row.name}-") as work:
        for run in range(row.rounds(size)):
            for side in row.sides:
                if side.runs is not None and run >= side.runs:
                    continue
                try:
                    done = run_side(side, run, size, Path(work), data)
                except SideFailedError as error:
                    raise SideFailedError(f"{side.name}: {error}") from None
                outcomes[side.name].append(done)
                say(f"  {run + 1}. {side.name}: {seconds_of([done]):,.3g} s, {_facts(done)}")
        lines = row.judge(outcomes)
    record = {
        "row": row.name,
        "size": size,
        "command": command_of(row.name, size),
        "machine": where,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "lines": [line.as_dict() for line in lines],
        "sides": {side.name: describe(side, outcomes[side.name]) for side in row.sides},
    }
    path = results / f"{row.name}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=2) + "\n")
    shutil.move(partial, path)
    for line in lines:
        say(f"  {told(line)}")
    return record


def command_of(row: str, size: Size) -> str:
    """What a user types to get a row again."""
    return "make bench ARGS=" + shlex.quote(f"--again --size {size} {row}")


def describe(side: Side, outcomes: list[Outcome]) -> dict[str, Any]:
    """A side's part of the record: medians, every process's figures, memory, versions."""
    warm = [outcome.warm_seconds for outcome in outcomes]
    later = median(warm[1:]) if len(warm) > 1 else None
    summary: dict[str, Any] = {
        "work": outcomes[0].command,
        "threads": side.threads,
        "runs": len(outcomes),
        "median_seconds": seconds_of(outcomes),
        "peak_gb": round(max(outcome.peak_gb for outcome in outcomes), 3),
        "first_warm_up_seconds": round(warm[0], 2),
        "later_warm_up_seconds": None if later is None else round(later, 2),
    }
    if side.name.startswith(OURS) and later is not None:
        summary["compile_seconds"] = round(max(0.0, warm[0] - later), 2)
    keep = ("seconds", "warm_seconds", "peak_gb", "facts")
    each = [{name: asdict(outcome)[name] for name in keep} for outcome in outcomes]
    return summary | {"versions": outcomes[0].versions, "processes": each}


def told(line: Line) -> str:
    """A line of the table as one line of text."""
    verdict = {True: "reached", False: "NOT REACHED", None: "no bar"}[line.reached]
    return f"→ {line.what}: {line.ours} against {line.peer} ({line.bar}): {verdict} {line.note}"


def _facts(outcome: Outcome) -> str:
    shown = {key: value for key, value in outcome.facts.items() if isinstance(value, int | float)}
    parts = [f"{key} {value:,.5g}" for key, value in shown.items()]
    return ", ".join([*parts, f"{outcome.peak_gb:.2f} GB"])
