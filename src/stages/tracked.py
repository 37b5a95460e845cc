"""The tracked run of a stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cofilter.core.config import parse
from cofilter.core.parts import content_hashes
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.tracker import Tracker, run_group
from stages.app import Run


def tracker(run: Run, audit: Mapping[str, Any], job_type: str, name: str) -> Tracker:
    """A run filed under the data and the split that an audit states."""
    return tracker_of(run, content_hashes(audit), job_type, name)


def tracker_of(run: Run, group: Iterable[str], job_type: str, name: str) -> Tracker:
    """A run filed under whatever tells its group from others."""
    config = parse(TrackingConfig, run.cfg["tracking"], "tracking")
    return Tracker(
        config,
        root=run.root,
        group=run_group(group),
        job_type=job_type,
        name=name,
        run_config=run.cfg,
    )
