"""How long each training took, as its stage logged it; figures of the clock are no result."""

from __future__ import annotations

from pathlib import Path

from cofilter.core.io import read_json


def read_timings(folder: Path) -> dict[str, float]:
    """Seconds of training, both fits, by ``family-point``; empty when nothing was timed here."""
    return {
        path.stem: sum(v for key, v in read_json(path).items() if key.endswith("_seconds"))
        for path in sorted(folder.glob("*.json"))
    }
