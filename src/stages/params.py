"""Write params.yaml: what conf/ composes to, exactly as DVC writes it."""

from __future__ import annotations

from pathlib import Path

from dvc.utils.hydra import compose_and_dump

from stages.drift import PARAMS


def write(target: Path = PARAMS) -> None:
    """Compose conf/config.yaml and write it with its interpolations resolved."""
    conf = Path(__file__).parents[2] / "conf"
    compose_and_dump(str(target), str(conf), None, "config", "", [])


if __name__ == "__main__":
    write()
