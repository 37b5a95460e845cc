"""Write params.yaml: what conf/ composes to, exactly as DVC writes it. ``--check`` compares."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dvc.utils.hydra import compose_and_dump

from stages.drift import CONF, PARAMS, PIPELINE


def write(target: Path = PARAMS) -> None:
    """Compose conf/config.yaml and write it with its interpolations resolved."""
    compose_and_dump(str(target), str(CONF), None, PIPELINE, "", [])


def is_current(params: Path = PARAMS) -> bool:
    """Whether the file is what `write` would make of it."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / PARAMS.name
        write(fresh)
        return fresh.read_bytes() == params.read_bytes()


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(
            0 if is_current() else f"{PARAMS} is not what conf/ composes to: run `make params`"
        )
    write()
