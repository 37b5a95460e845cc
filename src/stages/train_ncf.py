"""Train one network: ``ncf.kind`` is implicit or rating."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.models.base import Recommender
from cofilter.models.ncf import NCF_KINDS
from stages.app import Run, stage
from stages.points import point_name
from stages.train import hyper_parameters, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted network that the configuration describes."""
    values = hyper_parameters(cfg, "ncf")
    model, config = NCF_KINDS[values.pop("kind")]
    return model(parse(config, values, "ncf"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    name = point_name(kind=run.cfg["ncf"]["kind"], seed=run.cfg["seed"])
    train(run, "ncf", name, lambda: make(run.cfg))


if __name__ == "__main__":
    main()
