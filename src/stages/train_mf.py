"""Train one matrix factorization: ``mf.kind`` and ``mf.dim``."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.models.base import Recommender
from cofilter.models.mf import MatrixFactorization, MFConfig
from stages.app import Run, stage
from stages.points import mf_point
from stages.train import shared, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted factorization that the configuration describes."""
    machine = {"device": cfg["device"], "seed": cfg["seed"]}
    return MatrixFactorization(parse(MFConfig, cfg["mf"] | shared(cfg) | machine, "mf"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    point = mf_point(run.cfg["mf"]["kind"], run.cfg["mf"]["dim"], run.cfg["seed"])
    train(run, "mf", point, lambda: make(run.cfg))


if __name__ == "__main__":
    main()
