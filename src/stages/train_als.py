"""Train one factorization by alternating least squares: ``als.kind`` and ``als.dim``."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.models.als import ALS, ALSConfig
from cofilter.models.base import Recommender
from stages.app import Run, stage
from stages.points import point_name
from stages.train import hyper_parameters, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted factorization that the configuration describes."""
    config = parse(ALSConfig, hyper_parameters(cfg, "als"), "als")
    return ALS[config.kind](config)


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    als = run.cfg["als"]
    train(run, "als", point_name(als["kind"], als["dim"], run.cfg["seed"]), lambda: make(run.cfg))


if __name__ == "__main__":
    main()
