"""Train one Bayesian factorization: ``bayes.kind`` and ``bayes.dim``."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.models.base import Recommender
from cofilter.models.bayes import BayesConfig, BayesianFactorization
from stages.app import Run, stage
from stages.points import point_name
from stages.train import hyper_parameters, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted factorization that the configuration describes."""
    return BayesianFactorization(parse(BayesConfig, hyper_parameters(cfg, "bayes"), "bayes"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    bayes = run.cfg["bayes"]
    name = point_name(bayes["kind"], bayes["dim"], run.cfg["seed"])
    train(run, "bayes", name, lambda: make(run.cfg))


if __name__ == "__main__":
    main()
