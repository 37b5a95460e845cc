"""Train EASE; ``ease.kind`` is binary or rating."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.models.base import Recommender
from cofilter.models.ease import EASE, EASEConfig
from stages.app import Run, stage
from stages.train import shared, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted model that the configuration describes."""
    return EASE(parse(EASEConfig, cfg["ease"] | shared(cfg), "ease"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    train(run, "ease", run.cfg["ease"]["kind"], lambda: make(run.cfg))


if __name__ == "__main__":
    main()
