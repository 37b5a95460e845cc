"""Says where params.yaml differs from what conf/ composes to, since `dvc repro` never composes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import yaml
from omegaconf import OmegaConf

PARAMS = Path("params.yaml")


def report_drift() -> None:
    """Print the keys that differ, to stderr; only inside DVC, which reads params.yaml."""
    if "--config-name=params" not in sys.argv or not PARAMS.exists():
        return
    differing = sorted(set(differences(composed(), yaml.safe_load(PARAMS.read_text()))))
    if differing:
        print(
            f"note: params.yaml differs from conf/ in {', '.join(differing)} "
            "(an experiment's override, or `make params` is due)",
            file=sys.stderr,
        )


def composed() -> dict[str, Any]:
    """What conf/ composes to, with interpolations resolved, as DVC writes it to params.yaml."""
    conf = Path(__file__).parents[2] / "conf"
    with hydra.initialize_config_dir(str(conf), version_base="1.3"):
        cfg = hydra.compose("config")
    OmegaConf.resolve(cfg)
    values = OmegaConf.to_container(cfg)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def differences(left: Any, right: Any, key: str = "") -> Iterator[str]:
    """Dotted keys of the leaves in which two trees differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in left.keys() | right.keys():
            inner = f"{key}.{name}" if key else name
            if name in left and name in right:
                yield from differences(left[name], right[name], inner)
            else:
                yield inner
    elif left != right:
        yield key
