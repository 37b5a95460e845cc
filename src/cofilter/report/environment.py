"""Where models were scored: logged beside the timings, since it is no result either."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cofilter.core import paths
from cofilter.recommender.device import may_have_gpu

ENVIRONMENT = paths.LOGS / "environment.json"
PACKAGES = ("cofilter", "numpy", "numba", "scipy", "pandas", "torch")


def environment() -> dict[str, Any]:
    """Processor, cores, accelerator, system, and versions of Python and of what computes."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "accelerator": _accelerator(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    lines = (line.partition(":") for line in info.read_text(encoding="utf-8").splitlines())
    names = [value.strip() for key, _, value in lines if key.strip() == "model name"]
    return names[0] if names else platform.machine()


def _accelerator() -> str | None:
    if not may_have_gpu():
        return None
    import torch  # two seconds, so only where it can find something

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return "mps" if torch.backends.mps.is_available() else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
