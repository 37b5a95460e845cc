"""Train one neighbourhood model: ``knn.kind`` is user or item."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.errors import ConfigError
from cofilter.models.base import Recommender
from cofilter.models.knn import KNN_KINDS, KNNConfig
from stages.app import Run, stage
from stages.train import shared, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted neighbourhood model that the configuration describes."""
    values = dict(cfg["knn"])
    kind = values.pop("kind")
    if kind not in KNN_KINDS:
        raise ConfigError(f"knn.kind: {kind!r} is not one of {', '.join(KNN_KINDS)}")
    return KNN_KINDS[kind](parse(KNNConfig, values | shared(cfg), "knn"))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    train(run, "knn", run.cfg["knn"]["kind"], lambda: make(run.cfg))


if __name__ == "__main__":
    main()
