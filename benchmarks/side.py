"""One side of a row in a process of its own: ``python -m benchmarks.side JOB.json``.

Runs in the project's environment or in the peers', so it needs NumPy only. The work is done on
tiny data first, so that compilation and imports are timed apart, then on the row's data.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dataset import Dataset
from benchmarks.row import Measured

# What a version is told of, when it was imported: distribution → module.
NAMED = {
    name: name.replace("-", "_")
    for name in (
        "cofilter", "numpy", "scipy", "numba", "torch", "pandas", "polars", "implicit", "lenskit",
        "cmfrec", "sparse-dot-topn", "myfm",
    )
} | {"scikit-surprise": "surprise"}  # fmt: skip


def function(name: str) -> Callable[..., Measured]:
    """The function that ``module:function`` names."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def peak_gb() -> float:
    """Highest resident memory of this process so far, in 10⁹ bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux counts what the parent held when it started this process in ru_maxrss.
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9


def versions() -> dict[str, str]:
    """Versions of what this process imported."""
    return {name: version(name) for name, module in NAMED.items() if module in sys.modules}


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Warm up, measure, and describe."""
    work = function(job["work"])
    started = time.perf_counter()
    work(Dataset(Path(job["tiny"])), job["run"], **job["tiny_options"])
    warm = time.perf_counter() - started
    measured = work(Dataset(Path(job["data"])), job["run"], **job["options"])
    if measured.arrays:
        np.savez(job["arrays"], allow_pickle=False, **measured.arrays)
    return {
        "seconds": measured.seconds,
        "warm_seconds": warm,
        "peak_gb": measured.facts.pop("peak_gb", peak_gb()),
        "facts": measured.facts,
        "versions": versions(),
        "arrays": job["arrays"] if measured.arrays else None,
    }


def main() -> None:
    """Read the job, write the answer where it says."""
    job = json.loads(Path(sys.argv[1]).read_text())
    Path(job["answer"]).write_text(json.dumps(run(job)))


if __name__ == "__main__":
    main()
