"""Train one BPR model: ``bpr.dim``."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.models.base import Recommender
from cofilter.models.bpr import BPR, BPRConfig
from stages.app import Run, stage
from stages.points import point_name
from stages.train import hyper_parameters, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted model that the configuration describes."""
    return BPR(parse(BPRConfig, hyper_parameters(cfg, "bpr"), "bpr"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    name = point_name(dim=run.cfg["bpr"]["dim"], seed=run.cfg["seed"])
    train(run, "bpr", name, lambda: make(run.cfg))


if __name__ == "__main__":
    main()
