"""Training killed for real, at any instant, and started again: the same bytes as never stopped."""

from __future__ import annotations

import contextlib
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkout import Checkout

# Wide factors, so that writing a checkpoint (10 MB) takes long enough to be hit.
# The rate is so low that the last epoch is the best one and the refit runs all of them.
EPOCHS = 10
WIDE = ("mf.dim=3000", "mf.lr=0.0002", f"mf.epochs={EPOCHS}", "checkpoint.every_seconds=0")
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
        if json.loads(path.read_text())["config"]["dim"] == 3000
    ]

    def is_refit(folder: Path) -> bool:
        return json.loads((folder / "identity.json").read_text())["validation"] is None

    return sorted(mine, key=is_refit)


def newest(checkout: Checkout, phase: int = 0) -> int:
    """The last epoch in a checkpoint of the fit (0) or the refit (1); 0 when there is none."""
    found = folders(checkout)[phase : phase + 1]
    names = [path.name for folder in found for path in folder.glob("epoch-*.checkpoint")]
    return max((int(name[6:12]) for name in names), default=0)


def half_written(checkout: Checkout) -> list[Path]:
    """Temporary files of checkpoints that have something in them."""
    found = []
    for path in (checkout.path / "checkpoints").glob("*/*/.epoch-*"):
        with contextlib.suppress(FileNotFoundError):  # it has just become a whole one
            if path.stat().st_size:
                found.append(path)
    return found


def kill_when(
    checkout: Checkout, ready: Callable[[], bool], number: int = signal.SIGKILL
) -> tuple[int, str]:
    """Stop a training that is ready; exit code and printed text."""
    return checkout.stopped_when(ready, number, "train_mf", *WIDE)


def test_killed_at_any_instant_ends_in_the_same_bytes(
    checkout: Checkout, reference: dict[str, bytes]
) -> None:
    """SIGKILL between two checkpoints and inside the write of one, SIGINT in the refit."""

    def between() -> bool:
        return newest(checkout) >= 1 and not half_written(checkout)

    assert kill_when(checkout, between)[0] == -signal.SIGKILL
    whole = newest(checkout)
    code, printed = kill_when(checkout, lambda: bool(half_written(checkout)))
    assert code == -signal.SIGKILL
    assert f"continuing after epoch {whole}" in printed
    assert half_written(checkout)
    code, printed = kill_when(checkout, lambda: newest(checkout, phase=1) >= 1, signal.SIGINT)
    assert code == 130
    assert "stopped by SIGINT after epoch" in printed
    assert newest(checkout) == EPOCHS
    assert checkout.stage("train_mf", *WIDE, inside=True).returncode == 0
    assert checkout.model(MODEL) == reference
    assert not half_written(checkout)


def test_asked_to_stop_it_keeps_the_last_completed_epoch(checkout: Checkout) -> None:
    earlier = checkout.outputs()
    code, printed = kill_when(checkout, lambda: newest(checkout) >= 1, signal.SIGTERM)
    assert code == 143
    told = re.search(r"stopped by SIGTERM after epoch (\d+)", printed)
    assert told
    assert "Traceback" not in printed
    assert int(told[1]) == newest(checkout) < EPOCHS
    assert not half_written(checkout)
    assert checkout.outputs() == earlier
