"""The stages that wait for no model, several at a time: see `stages.side_by_side`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from cofilter.core.io import read_json
from cofilter.core.parts import AUDIT
from cofilter.core.paths import MODELS, SPLIT
from cofilter.report.so_far import SoFar
from cofilter.report.terminal import terminal
from cofilter.training.points import point_name, points_of
from stages.drift import PARAMS

OTHERS = ("backtest", "leak")  # stages that wait for no model either
# Up to this two trainings at once hold less than 2 GB, with an items² matrix each.
SMALL_ROWS, SMALL_ITEMS = 1_000_000, 10_000
LANES = 4  # at most: the books are kept by one DVC at a time
HEADS = ("Running stage '", "Stage '")
UNCHANGED = "didn't change, skipping"
HINT = "To track the changes with git, run:"  # at the end of each `dvc repro`


def train() -> int:
    """Run the stages that wait for no model, in lanes; gives the first exit status but 0."""
    cfg = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    batches = trainings(cfg)
    folders = {stage: folder for batch in batches for stage, folder in batch.items()}
    so_far = SoFar(
        [batch.values() for batch in batches if batch], cfg["evaluate"]["primary"], terminal()
    )
    n_lanes = n_lanes_of(read_json(SPLIT / AUDIT))
    printing = Lock()

    def lane(stages: Sequence[str]) -> int:
        command = ["dvc", "--wait-for-lock", "repro", "--single-item", *stages]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},  # else DVC's lines come after the stage's
        ) as process:
            assert process.stdout is not None
            for stage, text in blocks(process.stdout):
                with printing:
                    sys.stdout.write("" if UNCHANGED in text else text)  # said once more at the end
                    sys.stdout.flush()
                    if stage in folders:
                        so_far.add(folders[stage])
        return process.returncode

    with ThreadPoolExecutor(n_lanes) as pool:
        return next(filter(None, pool.map(lane, dealt(batches, cfg, n_lanes))), 0)


def dealt(
    batches: Sequence[Iterable[str]], cfg: Mapping[str, Any], n_lanes: int
) -> list[list[str]]:
    """Stages for each lane: batch after batch, each stage to the lane with the least work."""
    # In each window the backtest fits its methods twice, one of each family and kind.
    work = {"backtest": 2 * cfg["backtest"]["windows"]}
    lanes: list[list[str]] = [[] for _ in range(n_lanes)]
    quick, *slow = batches
    for stage in chain(quick, OTHERS, *slow):
        min(lanes, key=lambda lane: sum(work.get(each, 1) for each in lane)).append(stage)
    return [lane for lane in lanes if lane]


def n_lanes_of(audit: Mapping[str, Any]) -> int:
    """How many stages run at once on data that an audit describes."""
    rows = sum(part["rows"] for part in audit["parts"].values())
    small = rows <= SMALL_ROWS and audit["parts"]["train"]["items"] <= SMALL_ITEMS
    return min(os.cpu_count() or 1, LANES) if small else 1


def trainings(cfg: Mapping[str, Any]) -> list[dict[str, Path]]:
    """Train stages with their model folders, in batches: all without epochs, then by family."""
    quick: dict[str, Path] = {}
    slow: list[dict[str, Path]] = []
    for family in cfg["points"]:
        named = [("-".join(map(str, p.values())), point_name(**p)) for p in points_of(family, cfg)]
        stages = {f"train_{family}@{item}": MODELS / family / name for item, name in named}
        groups = cfg[family], *cfg[family].get("kinds", {}).values()
        if any("epochs" in group for group in groups):
            slow.append(stages)
        else:
            quick |= stages
    return [quick, *slow]


def blocks(lines: Iterator[str]) -> Iterator[tuple[str | None, str]]:
    """Cut what `dvc repro` prints into what it prints of each stage, with the stage's name."""
    stage, text = None, ""
    for line in lines:
        if line.startswith(HEADS):
            if text:
                yield stage, text
            stage, text = line.split("'")[1], ""
        text += line
    yield stage, text.partition(HINT)[0]
