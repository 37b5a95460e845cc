"""Train one baseline: its kind is ``baseline.kind``."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.errors import ConfigError
from cofilter.models.base import Recommender
from cofilter.models.baseline import BASELINES
from cofilter.models.config import ModelConfig
from stages.app import Run, stage
from stages.train import shared, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted baseline that the configuration describes."""
    kind = cfg["baseline"]["kind"]
    if kind not in BASELINES:
        raise ConfigError(f"baseline.kind: {kind!r} is not one of {', '.join(BASELINES)}")
    return BASELINES[kind](parse(ModelConfig, shared(cfg), "baseline"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    train(run, "baseline", run.cfg["baseline"]["kind"], lambda: make(run.cfg))


if __name__ == "__main__":
    main()
