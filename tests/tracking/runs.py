"""Trackers, rows and folders of runs for tests."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.tracker import Tracker


def config(**changed: Any) -> TrackingConfig:
    """A configuration for tests."""
    values = {
        "mode": "offline",
        "project": "p",
        "entity": None,
        "init_timeout": 20.0,
        "finish_timeout": 20.0,
        "copy_artifacts_mb": 1.0,
    }
    return TrackingConfig(**(values | changed))


def tracker(root: Path, **changed: Any) -> Tracker:
    """A tracker of the run train_mf / mf-dim50 in ``root``."""
    return Tracker(config(**changed), **described(root))


def described(root: Path) -> dict[str, Any]:
    """The run train_mf / mf-dim50 in ``root``, as arguments of a tracker."""
    return {
        "root": root,
        "group": "g1",
        "job_type": "train_mf",
        "name": "mf-dim50",
        "run_config": {"mf": {"dim": 50, "lr": 0.01}},
    }


def folders(root: Path) -> list[Path]:
    """The runs' folders, oldest first."""
    found = (root / "logs" / "wandb").glob("*run-*-*")
    return sorted(found, key=lambda folder: folder.stat().st_mtime_ns)


def rows(first: int, last: int) -> list[dict[str, float]]:
    """History rows of epochs ``first`` to ``last``, both included."""
    return [
        {"epoch": epoch, "loss": 1 / epoch, "lr": 0.01, "ndcg@10": epoch / 100}
        for epoch in range(first, last + 1)
    ]


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What cofilter, not wandb, has logged."""
    return [record for record in caplog.records if record.name.startswith("cofilter")]
