"""Cross-validate methods over random folds, outside DVC: `make cv`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
from pydantic import Field

from cofilter.core.config import Config, parse
from cofilter.core.io import read_table, write_text
from cofilter.core.paths import CHECKPOINTS, FILTERED
from cofilter.evaluation.folds import cross_validate, summary
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.terminal import print_folds, terminal
from cofilter.training.loop import Trainer
from cofilter.training.points import make_method
from stages.app import Run, stage
from stages.groups import checkpoint_config


class CVConfig(Config):
    """Group ``cv``; methods are named family/point, such as knn/item or mf/biased-dim50."""

    methods: tuple[str, ...] = Field(min_length=1)
    folds: int = Field(ge=2)
    seed: int = Field(ge=0)
    validation_share: float = Field(ge=0, lt=1)


def method(name: str, cfg: dict[str, Any]) -> Callable[[], Recommender]:
    """What makes the unfitted model that ``name`` means."""
    return partial(make_method, name, cfg, "cv.methods")


@stage
def main(run: Run) -> None:
    """Config → ratings → every method on every fold → table."""
    cfg, cv = run.cfg, parse(CVConfig, run.cfg["cv"], "cv")
    methods = {name: method(name, cfg) for name in cv.methods}
    for make in methods.values():
        make()  # an impossible model stops here, before the first one is trained
    folds = {"kind": "kfold", "folds": cv.folds, "seed": cv.seed, "fold": 0}
    shares = {"validation_share": cv.validation_share, "test_share": 1 / cv.folds}
    split = parse(SplitConfig, cfg["split"] | folds | shares, "split")
    checkpoint = checkpoint_config(cfg)
    set_threads(cfg["threads"])

    def fit(model: Recommender, train: pd.DataFrame, validation: pd.DataFrame) -> Recommender:
        trainer = Trainer(checkpoint, run.root / CHECKPOINTS, label=type(model).__name__)
        fitted = model.fit(train, validation if len(validation) else None, trainer)
        return fitted.for_refit().fit(pd.concat([train, validation]), None, trainer)

    table = cross_validate(read_table(FILTERED), split, methods, fit)
    write_text(run.out / "cv.csv", table.to_csv(index=False))
    print_folds(summary(table), terminal())


if __name__ == "__main__":
    main()
