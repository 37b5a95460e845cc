"""The checkout that a folder lies in."""

from __future__ import annotations

from pathlib import Path

GRAPH = "dvc.yaml"  # by which a checkout is known


def home(folder: Path | None = None) -> Path:
    """The checkout that a folder (None: the current one) lies in; itself where it lies in none."""
    folder = (folder or Path.cwd()).resolve()
    return next((each for each in (folder, *folder.parents) if (each / GRAPH).is_file()), folder)
