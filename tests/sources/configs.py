"""Source configurations as ``conf/data`` has them, with changes for a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cofilter.core.config import parse
from cofilter.sources.source import DataConfig

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "conf" / "data"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def values(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    # "???" is Hydra's way to say that nothing is given; stages make it null.
    return {key: None if value == "???" else value for key, value in loaded.items()}


def source(name: str, **changes: Any) -> DataConfig:
    """The named source; ``items__path`` changes a nested key."""
    given = values(name)
    for key, value in changes.items():
        *outer, last = key.split("__")
        target = given
        for part in outer:
            target = target[part]
        target[last] = value
    return parse(DataConfig, given, "data")
