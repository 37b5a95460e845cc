"""Polars against pandas on what data preparation does to a log.

Steps: read a CSV; iterate a 10-core; cut by time into three parts; take each user's last tenth.

    python benchmarks/columnar_engine.py --rows 2000000 20000000

Each engine runs once for each size, in a process of its own, on the same synthetic CSV. Both must
keep the same rows (same counts and same sums of ids in every table), otherwise the run stops.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

K = 10
SHARES = (0.8, 0.9)  # quantiles of time where validation and test begin


def write_log(path: Path, rows: int, seed: int = 0) -> None:
    """A CSV of about ``rows`` ratings: skewed users and items, no pair twice, MovieLens density."""
    rng = np.random.default_rng(seed)
    users, items = max(1, rows // 144), max(2, min(26_744, rows // 75))
    # A long tail of users and items with few ratings, so that the k-core takes several rounds.
    user = (users * rng.random(rows) ** 2).astype(np.int64)
    item = (items * rng.random(rows) ** 3).astype(np.int64)
    pair = np.unique(user * items + item)
    rng.shuffle(pair)
    pl.DataFrame(
        {
            "user_id": pair // items + 1,
            "item_id": pair % items + 1,
            "rating": rng.integers(1, 11, len(pair)) / 2,
            "timestamp": rng.integers(800_000_000, 1_600_000_000, len(pair)),
        }
    ).write_csv(path)


def polars_steps(path: Path, lap: Callable[[str], None]) -> list[Any]:
    """The steps as whole-table expressions of polars."""
    log = pl.read_csv(path)
    lap("read")
    while True:
        before = log.height
        for column in ("user_id", "item_id"):
            few = log.group_by(column).len().filter(pl.col("len") < K)[column]
            if len(few):
                log = log.filter(~pl.col(column).is_in(few.implode()))
        if log.height == before:
            break
    lap("k-core")
    first, second = (log["timestamp"].quantile(share, "higher") for share in SHARES)
    part = (pl.col("timestamp") >= first).cast(pl.Int8) + (pl.col("timestamp") >= second)
    parts = [log.filter(part == code) for code in range(3)]
    lap("cut")
    rows = pl.len().over("user_id")
    place = pl.col("timestamp").rank("ordinal").over("user_id")
    last = log.filter(place > rows - rows // 10)
    lap("last")
    return [*parts, last]


def pandas_steps(path: Path, lap: Callable[[str], None]) -> list[Any]:
    """The same steps in pandas."""
    log = pd.read_csv(path)
    lap("read")
    while True:
        before = len(log)
        for column in ("user_id", "item_id"):
            count = log[column].value_counts()
            few = count.index[count < K]
            if len(few):
                log = log[~log[column].isin(few)]
        if len(log) == before:
            break
    lap("k-core")
    first, second = log["timestamp"].quantile(list(SHARES), interpolation="higher")
    part = (log["timestamp"] >= first).astype("int8") + (log["timestamp"] >= second)
    parts = [log[part == code] for code in range(3)]
    lap("cut")
    times = log.groupby("user_id")["timestamp"]
    rows = times.transform("size")
    last = log[times.rank(method="first") > rows - rows // 10]
    lap("last")
    return [*parts, last]


ENGINES = {"polars": polars_steps, "pandas": pandas_steps}


def measure(engine: str, path: Path) -> dict[str, Any]:
    """Seconds a step, peak memory of this process, and what identifies the result."""
    seconds: dict[str, float] = {}
    began = [time.perf_counter()]

    def lap(step: str) -> None:
        now = time.perf_counter()
        seconds[step] = now - began[0]
        began[0] = now

    parts = ENGINES[engine](path, lap)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    facts = [[len(part), int(part["user_id"].sum()), int(part["item_id"].sum())] for part in parts]
    return {"seconds": seconds, "peak_gb": peak_bytes / 1e9, "facts": facts}


def measure_apart(engine: str, path: Path) -> dict[str, Any]:
    """`measure` in a fresh process."""
    command = [sys.executable, __file__, "--engine", engine, "--csv", str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(answer)


def main() -> None:
    """Print one Markdown table row for each size and engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000_000])
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--csv", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        print(json.dumps(measure(options.engine, options.csv)))
        return
    versions = f"polars {pl.__version__}, pandas {pd.__version__}, numpy {np.__version__}"
    print(f"{versions}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print("| rows | engine | read (s) | 10-core (s) | cut (s) | last (s) | all (s) | peak (GB) |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ratings.csv"
            write_log(path, rows)
            results = {engine: measure_apart(engine, path) for engine in ENGINES}
        for engine, result in results.items():
            seconds = list(result["seconds"].values())
            cells = [f"{value:.2f}" for value in (*seconds, sum(seconds), result["peak_gb"])]
            print(f"| {rows:,} | {engine} | {' | '.join(cells)} |")
        if len({json.dumps(result["facts"]) for result in results.values()}) != 1:
            sys.exit(f"the engines disagree: {results}")


if __name__ == "__main__":
    main()
