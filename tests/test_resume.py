"""Training killed for real, at any instant, and started again: the same bytes as never stopped."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkout import Checkout

# Wide factors, so that writing a checkpoint (10 MB) takes long enough to be hit.
WIDE = ("mf.dim=3000", "mf.lr=0.002", "mf.epochs=6", "checkpoint.every_seconds=0")
MODEL = "mf/biased-dim3000-seed0"
DEADLINE = 120.0


@pytest.fixture(scope="module")
def reference(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The model folder of a training that nothing stopped."""
    checkout = finished.copy(tmp_path_factory.mktemp("reference") / "checkout")
    assert checkout.stage("train_mf", *WIDE, inside=True).returncode == 0
    return checkout.model(MODEL)


def folders(checkout: Checkout) -> list[Path]:
    """Checkpoint folders of the wide model, that of the first fit before that of the refit."""
    mine = [
        path.parent
        for path in (checkout.path / "checkpoints").glob("*/*/identity.json")
        if '"dim": 3000' in path.read_text()
    ]
    return sorted(mine, key=lambda folder: '"validation": null' in (folder / "identity.json").read_text())


def newest(checkout: Checkout, phase: int = 0) -> int:
    """The last epoch in a checkpoint of the fit (0) or the refit (1); 0 when there is none."""
    found = folders(checkout)[phase : phase + 1]
    names = [path.name for folder in found for path in folder.glob("epoch-*.checkpoint")]
    return max((int(name[6:12]) for name in names), default=0)


def half_written(checkout: Checkout) -> list[Path]:
    """Temporary files of checkpoints that have something in them."""
    found = (checkout.path / "checkpoints").glob("*/*/.epoch-*")
    return [path for path in found if path.stat().st_size]


def kill_when(
    checkout: Checkout, ready: Callable[[], bool], number: int = signal.SIGKILL
) -> tuple[int, str]:
    """Start the training and send a signal as soon as it is ready; exit code and printed text."""
    process = checkout.start("train_mf", *WIDE)
    end = time.monotonic() + DEADLINE
    try:
        while not ready():
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < end
            time.sleep(0.0005)
        process.send_signal(number)
        printed, _ = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    return process.returncode, printed
