"""Says where params.yaml differs from what conf/ composes to, since `dvc repro` never composes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import yaml
from omegaconf import OmegaConf

PARAMS = Path("params.yaml")


def report_drift() -> None:
    """Print the keys that differ, to stderr; only under ``dvc repro``, which reads params.yaml.

    ``dvc exp run`` has just composed it, with the experiment's own overrides.
    """
    inside_dvc = "--config-name=params" in sys.argv and PARAMS.exists()
    if not inside_dvc or "DVC_EXP_NAME" in os.environ:
        return
    differing = sorted(set(differences(composed(), yaml.safe_load(PARAMS.read_text()))))
    if differing:
        print(
            f"note: params.yaml differs from conf/ in {', '.join(differing)} "
            "(an experiment was applied here, or `make params` is due)",
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
