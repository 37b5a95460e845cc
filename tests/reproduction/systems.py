"""The published procedures as conf/ has them, with smaller numbers."""

from __future__ import annotations

from typing import Any

from cofilter.core.config import parse
from cofilter.reproduction.config import ReproduceConfig
from tests.composition import compose


def system(name: str) -> tuple[ReproduceConfig, dict[str, Any]]:
    """The group ``reproduce`` of an experiment, and its procedure's parameters to change."""
    cfg = compose(f"+experiment={name}", "device=cpu")
    config = parse(ReproduceConfig, cfg["reproduce"], "reproduce")
    return config, dict(config.procedure)
