"""What conf/ composes to, as a stage gets it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import hydra
from omegaconf import OmegaConf

from stages.app import plain

CONF = Path(__file__).parents[1] / "conf"


@cache
def compose(*overrides: str) -> dict[str, Any]:
    """The configuration with some overrides; the same object each time, to be read only."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("config", list(overrides))
    values = plain(OmegaConf.to_container(cfg, resolve=True))
    assert isinstance(values, dict)
    return values
