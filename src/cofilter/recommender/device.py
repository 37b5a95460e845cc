"""Where to train: the devices of this machine, asked of torch only when there may be one."""

from __future__ import annotations

import ctypes
import importlib.util
import platform
from pathlib import Path

from cofilter.core.errors import DeviceError, MissingDependencyError


def require_torch(purpose: str) -> None:
    """Raise `MissingDependencyError` when torch, an extra, is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise MissingDependencyError(
            f"{purpose} needs torch, which is not installed: pip install 'cofilter[torch]'"
        )


def resolve_device(name: str) -> str:
    """The device to train on; a named one that is absent is an error, never a silent CPU run.

    Importing torch takes about two seconds, so it is not asked when the answer is known without
    it: for ``cpu``, and for ``auto`` where no GPU's driver is installed.
    """
    if name == "cpu" or (name == "auto" and not may_have_gpu()):
        return "cpu"
    if name == "auto" and importlib.util.find_spec("torch") is None:
        return "cpu"  # without torch there is nothing here that trains on a GPU
    require_torch(f"device {name!r}")
    import torch

    mps = torch.backends.mps.is_available()
    present = {"cuda": torch.cuda.is_available(), "mps": mps, "cpu": True}
    if name == "auto":
        return next(device for device, here in present.items() if here)
    if not present[name]:
        have = ", ".join(device for device, here in present.items() if here)
        raise DeviceError(f"device: {name!r} is not on this machine (present: {have})")
    return name


def may_have_gpu() -> bool:
    """Whether torch could find a GPU: Apple's, or one with NVIDIA's or AMD's driver."""
    if platform.system() == "Darwin" or Path("/dev/kfd").exists():
        return True
    try:
        ctypes.CDLL("libcuda.so.1")  # what torch itself loads first
    except OSError:
        return False
    return True
