"""Cross-validation as the configuration describes it: its folds, and what is fitted on each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pydantic import Field

from cofilter.core.config import Config, parse, plain
from cofilter.evaluation.folds import Fit
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.base import Recommender
from cofilter.training.loop import CheckpointConfig, Trainer


class CVConfig(Config):
    """Group ``cv``.

    Attributes
    ----------
    methods:
        Named family/point, such as knn/item or mf/biased-dim50.
    folds:
        How many.
    seed:
        Of the rows' assignment to folds.
    validation_share:
        Part of each fold's training rows that early stopping watches.
    """

    methods: tuple[str, ...] = Field(min_length=1)
    folds: int = Field(ge=2)
    seed: int = Field(ge=0)
    validation_share: float = Field(ge=0, lt=1)

    def split(self, common: SplitConfig) -> SplitConfig:
        """The folds, with what else ``common`` says (duplicate pairs)."""
        folds = {"kind": "kfold", "folds": self.folds, "seed": self.seed, "fold": 0}
        shares = {"validation_share": self.validation_share, "test_share": 1 / self.folds}
        return parse(SplitConfig, plain(common) | folds | shares, "cv")


def fit_twice(checkpoint: CheckpointConfig, checkpoints: Path) -> Fit:
    """Fit on train, validation choosing the epochs, then again on both for as many."""

    def fit(model: Recommender, train: pd.DataFrame, validation: pd.DataFrame) -> Recommender:
        trainer = Trainer(checkpoint, checkpoints, label=type(model).__name__)
        fitted = model.fit(train, validation if len(validation) else None, trainer)
        return fitted.for_refit().fit(pd.concat([train, validation]), None, trainer)

    return fit
