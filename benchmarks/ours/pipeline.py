"""The project's own stages on a CSV file, each a process, in a folder of its own."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import hydra
import pandas as pd

from benchmarks.data import CSV, ROOT
from benchmarks.dataset import Dataset
from benchmarks.ours.models import CONF
from benchmarks.row import Measured

IN_PLACE = ("hydra.run.dir=.", "hydra.output_subdir=null", "tracking=disabled", "device=cpu")
COLUMNS = ("user_id", "item_id", "rating", "timestamp")
Points = dict[str, dict[str, list[Any]]]  # axes and their values by family, as in conf/
PREPARATION = ("download", "filter", "split")


def overrides(csv: Path) -> list[str]:
    """What tells the stages of the file."""
    columns = (f"data.columns.{name.removesuffix('_id')}={name}" for name in COLUMNS)
    return ["data=csv", f"data.path={csv}", *columns, "data.scale=[0.5,5.0]",
            "data.relevance_threshold=4.0", *IN_PLACE]  # fmt: skip


def stage(name: str, work: Path, told: list[str]) -> float:
    """Run one stage's script in a folder; gives its seconds.

    Raises
    ------
    RuntimeError
        It failed; the message holds the end of what it wrote.
    """
    command = [sys.executable, str(ROOT / "src/stages" / f"{name}.py"), *told]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise RuntimeError(f"{name} {' '.join(told)}: {(done.stderr or done.stdout)[-600:]}")
    return time.perf_counter() - started


def preparation(data: Dataset, run: int) -> Measured:
    """Download from a local file, filter, split."""
    told = overrides(data.folder / CSV)
    with tempfile.TemporaryDirectory(dir=data.folder) as folder:
        seconds = {name: stage(name, Path(folder), told) for name in PREPARATION}
    return Measured([sum(seconds.values())], seconds | {"peak_gb": children_gb()})


def whole(data: Dataset, run: int, points: Points, settings: list[str]) -> Measured:
    """Every stage for these points: ``points`` as in conf/, families that it lacks are left out."""
    told = [*overrides(data.folder / CSV), *settings, *sweep(points)]
    work = Path(tempfile.mkdtemp(dir=data.folder))
    try:
        seconds = {name: stage(name, work, told) for name in (*PREPARATION, "check", "backtest")}
        for family, name, chosen in trained(points):
            own = [*told, f"family={family}", *chosen]
            seconds[f"{family} {name}"] = stage("train", work, own)
        seconds |= {name: stage(name, work, told) for name in ("blend", "evaluate")}
        rows = len(pd.read_csv(work / "results/leaderboard.csv"))
    finally:
        shutil.rmtree(work)
    facts = {"stages": seconds, "models": len(trained(points)), "rows": rows}
    return Measured([sum(seconds.values())], facts | {"peak_gb": children_gb()})


def sweep(points: Points) -> list[str]:
    """Overrides that leave exactly these points in the configuration's sweep."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        families = list(hydra.compose("config").points)
    without = [f"~points.{family}" for family in families if family not in points]
    text = (f"points.{name}={json.dumps(axes)}" for name, axes in points.items())
    return [*without, *(each.replace('"', "").replace(" ", "") for each in text)]


def trained(points: Points) -> list[tuple[str, str, list[str]]]:
    """(family, name, overrides) of each point."""
    found = []
    for family, axes in points.items():
        choices: list[list[str]] = [[]]
        for axis, values in axes.items():
            choices = [[*chosen, f"{family}.{axis}={value}"] for chosen in choices
                       for value in values]  # fmt: skip
        found += [(family, " ".join(c.partition("=")[2] for c in chosen), chosen)
                  for chosen in choices]  # fmt: skip
    return found


def children_gb() -> float:
    """Highest resident memory of any process started from here, in 10⁹ bytes."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e9
