"""Train one baseline: its kind is ``baseline.kind``."""

from __future__ import annotations

from typing import Any

from cofilter.config import parse
from cofilter.errors import ConfigError
from cofilter.models.base import Recommender
from cofilter.models.baseline import BASELINES, BaselineConfig
from stages.app import Run, stage
from stages.train import shared, train


def make(cfg: dict[str, Any]) -> Recommender:
    """The unfitted baseline that the configuration describes."""
    values = dict(cfg["baseline"])
    kind = values.pop("kind")
    if kind not in BASELINES:
        raise ConfigError(f"baseline.kind: {kind!r} is not one of {', '.join(BASELINES)}")
    whole = parse(BaselineConfig, values | shared(cfg) | {"seed": cfg["seed"]}, "baseline")
    own = BASELINES[kind].config_class
    return BASELINES[kind](own.model_validate(whole.model_dump(include=set(own.model_fields))))


@stage
def main(run: Run) -> None:
    """Config → model → train → save."""
    train(run, "baseline", run.cfg["baseline"]["kind"], lambda: make(run.cfg))


if __name__ == "__main__":
    main()
