"""What conf/ composes to, as a stage gets it."""

from __future__ import annotations

from functools import cache
from typing import Any

import hydra
from omegaconf import OmegaConf

import stages.search
import stages.tune  # noqa: F401 - both offer the spaces that their configurations include
from stages.app import plain
from stages.drift import CONF, PIPELINE

__all__ = ["CONF", "compose"]


@cache
def compose(*overrides: str, primary: str = PIPELINE) -> dict[str, Any]:
    """A configuration with some overrides; the same object each time, to be read only."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose(primary, list(overrides))
    values = plain(OmegaConf.to_container(cfg, resolve=True))
    assert isinstance(values, dict)
    return values
