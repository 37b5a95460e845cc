"""Prometheus metrics of all workers together."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when a metric is made
CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)

REQUESTS = Counter("cofilter_requests", "Answered requests.", ["path", "status"])
SECONDS = Histogram(
    "cofilter_request_seconds", "From a request's first byte to its answer.", ["path"],
    buckets=_SECONDS,
)  # fmt: skip
FALLBACKS = Counter("cofilter_fallbacks", "Lists that popularity answered.", ["model"])
RELOADS = Counter("cofilter_reloads", "Readings of the model folders anew.", ["outcome"])
WORKERS = Gauge("cofilter_workers", "Processes that answer.", multiprocess_mode="mostrecent")


def exposition() -> bytes:
    """All metrics as text; those of other processes too where they share a folder."""
    if SHARED not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)
    return generate_latest(together)


def forget(process: int) -> None:
    """Take away the gauges of a process that has ended."""
    if SHARED in os.environ and Path(os.environ[SHARED]).is_dir():
        multiprocess.mark_process_dead(process)
