"""Train one matrix factorization: ``mf.kind`` and ``mf.dim``."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.models.base import Recommender
from cofilter.models.mf import MatrixFactorization
from cofilter.models.svdpp import SVDPlusPlus
from stages.app import Run, stage
from stages.points import point_name
from stages.train import hyper_parameters, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted factorization that the configuration describes."""
    model = SVDPlusPlus if cfg["mf"]["kind"] == "svdpp" else MatrixFactorization
    return model(parse(model.config_class, hyper_parameters(cfg, "mf"), "mf"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    mf = run.cfg["mf"]
    train(run, "mf", point_name(mf["kind"], mf["dim"], run.cfg["seed"]), lambda: make(run.cfg))


if __name__ == "__main__":
    main()
