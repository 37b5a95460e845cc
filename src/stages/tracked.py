"""The tracked run of a stage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from cofilter.core.config import parse
from cofilter.core.io import json_sha256
from cofilter.core.parts import content_hashes
from cofilter.tracking.beside import TrackerBeside
from cofilter.tracking.config import TrackingConfig
from stages.app import Run


def tracker(run: Run, audit: Mapping[str, Any], job_type: str, name: str) -> TrackerBeside:
    """A run filed under the data and the split that an audit states."""
    return tracker_of(run, content_hashes(audit), job_type, name)


def tracker_of(run: Run, group: Iterable[str], job_type: str, name: str) -> TrackerBeside:
    """A run filed under whatever tells its group from others."""
    config = parse(TrackingConfig, run.cfg["tracking"], "tracking")
    return TrackerBeside(
        config,
        root=run.root,
        group=run_group(group),
        job_type=job_type,
        name=name,
        run_config=run.cfg,
    )


def run_group(data_sha256s: Iterable[str]) -> str:
    """The group of a pipeline's runs: DVC's experiment name, otherwise a hash of data and split.

    Parameters
    ----------
    data_sha256s:
        Hashes that tell one data set and split from another, in a fixed order.
    """
    return os.environ.get("DVC_EXP_NAME") or json_sha256(list(data_sha256s))[:8]
