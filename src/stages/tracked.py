"""The tracked run of a stage: what it counted, what it read and what it wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from cofilter.core.config import parse
from cofilter.core.io import json_sha256, read_json
from cofilter.core.parts import AUDIT, content_hashes
from cofilter.core.paths import DOWNLOADS, FILTERED, ITEMS, RATINGS, SOURCE, SPLIT
from cofilter.sources.locations import local_path
from cofilter.tracking.beside import TrackerBeside
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.data import DATASET
from stages.app import Run

# Artifacts, by the outputs of stages that they refer to.
DATA = {"ratings": (RATINGS, ITEMS), "filtered": (FILTERED,), "split": (SPLIT,)}


def tracker(run: Run, job_type: str, name: str | None = None, waits: bool = True) -> TrackerBeside:
    """A run filed under the data and the split, of a stage after that."""
    group = content_hashes(read_json(SPLIT / AUDIT))
    return tracker_of(run, group, job_type, name or job_type, waits)


def tracker_of(
    run: Run, group: Iterable[str], job_type: str, name: str, waits: bool = True
) -> TrackerBeside:
    """A run filed under whatever tells its group from others; see `TrackerBeside` for ``waits``."""
    config = parse(TrackingConfig, run.cfg["tracking"], "tracking")
    return TrackerBeside(
        config,
        waits=waits,
        root=run.root,
        group=run_group(group),
        job_type=job_type,
        name=name,
        run_config=run.cfg,
    )


def data_hashes(source: Mapping[str, Any] | None = None) -> list[str]:
    """Hashes of ratings and items, from source.json as it is or as it lies there."""
    return [*(source or read_json(SOURCE))["content_sha256"].values()]


def use(tracked: TrackerBeside, *names: str) -> None:
    """Note which of `DATA` a stage has read."""
    for name in names:
        tracked.use_data(name, DATASET, *DATA[name])


def log(tracked: TrackerBeside, run: Run, name: str) -> None:
    """Log which of `DATA` a stage has written."""
    tracked.log_data(name, DATASET, *(run.out / path for path in DATA[name]))


def source_files(run: Run, source: Mapping[str, Any]) -> list[Path]:
    """The files that source.json names: in ``data.path``, ``data.items.path`` or the downloads."""
    data = run.cfg["data"]
    paths = [path for path in (data["path"], (data["items"] or {}).get("path")) if path]
    places = [run.root / local_path(path, DOWNLOADS) for path in paths or [str(DOWNLOADS)]]
    files = chain.from_iterable(
        [*place.glob("*"), *place.glob("*/*")] if place.is_dir() else [place] for place in places
    )
    named = {file["name"] for file in source["files"]}
    return [*{file.name: file for file in files if file.name in named}.values()]


def run_group(data_sha256s: Iterable[str]) -> str:
    """The group of a pipeline's runs: DVC's experiment name, otherwise a hash of data and split.

    Runs of stages before the split, which several splits share, have a hash of the data.

    Parameters
    ----------
    data_sha256s:
        Hashes that tell one data set and split from another, in a fixed order.
    """
    return os.environ.get("DVC_EXP_NAME") or json_sha256(list(data_sha256s))[:8]
