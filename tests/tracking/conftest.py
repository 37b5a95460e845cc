"""Each test has wandb to itself: no credentials, an empty home folder, its own service."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty home folder."""
    before = dict(os.environ)
    for name in [*os.environ]:
        if name.startswith(("WANDB_", "XDG_", "DVC_", "NETRC")):
            del os.environ[name]
    folder = tmp_path / "home"
    folder.mkdir()
    os.environ["HOME"] = str(folder)
    yield folder
    if sys.modules.get("wandb"):
        sys.modules["wandb"].teardown()
    os.environ.clear()
    os.environ.update(before)
