"""Cross-validation as the configuration describes it: its folds, and what is fitted on each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from cofilter.console import messages
from cofilter.core.columns import RATING, TIMESTAMP
from cofilter.core.config import Config, parse, plain
from cofilter.core.errors import DataError
from cofilter.core.feedback import feedback_of
from cofilter.evaluation.folds import Fit
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.base import Recommender
from cofilter.training.loop import CheckpointConfig, Trainer
from cofilter.training.points import make_method
from cofilter.training.unfit import unfit_reason

Makers = Mapping[str, Callable[[], Recommender]]


class CVConfig(Config):
    """Group ``cv``.

    Attributes
    ----------
    methods:
        Named family/point, such as knn/item or mf/biased-dim50.
    folds:
        How many.
    deal:
        ``user``: each user's rows are dealt over the folds, so that in every fold a user who has
        enough rows has some to be trained on and some to be ranked. ``row``: all rows are, as
        published figures have it.
    seed:
        Of the rows' assignment to folds.
    validation_share:
        Part of each fold's training rows that early stopping watches.
    """

    methods: tuple[str, ...] = Field(min_length=1)
    folds: int = Field(ge=2)
    deal: Literal["user", "row"]
    seed: int = Field(ge=0)
    validation_share: float = Field(ge=0, lt=1)

    def split(self, common: SplitConfig) -> SplitConfig:
        """The folds, with what else ``common`` says (duplicate pairs)."""
        kind = "user_kfold" if self.deal == "user" else "kfold"
        folds = {"kind": kind, "folds": self.folds, "seed": self.seed, "fold": 0}
        shares = {"validation_share": self.validation_share, "test_share": 1 / self.folds}
        return parse(SplitConfig, plain(common) | folds | shares, "cv")


def makers(config: CVConfig, cfg: Mapping[str, Any]) -> Makers:
    """What makes the unfitted model of each method, from the whole configuration."""
    return {name: partial(make_method, name, cfg, "cv.methods") for name in config.methods}


def trainable(
    methods: Makers, ratings: pd.DataFrame, scale: Sequence[float] | None
) -> dict[str, Callable[[], Recommender]]:
    """The methods that these ratings can train; the others are named in the log with the reason.

    Every model is made once, so that an impossible one stops here, before the first is trained.

    Raises
    ------
    DataError
        None is left.
    """
    feedback = feedback_of(ratings[RATING].to_numpy(), scale)
    found, unfit = {}, {}
    for name, make in methods.items():
        reason = unfit_reason(make(), feedback, timed=TIMESTAMP in ratings)
        if reason is None:
            found[name] = make
        else:
            unfit[name] = reason
            messages.left_out(name, reason)
    if not found:
        why = "; ".join(f"{name}: {reason}" for name, reason in unfit.items())
        raise DataError(f"cv.methods: none can be trained on these data ({why})")
    return found


def fit_twice(checkpoint: CheckpointConfig, checkpoints: Path) -> Fit:
    """Fit on train, validation choosing the epochs, then again on both for as many."""

    def fit(model: Recommender, train: pd.DataFrame, validation: pd.DataFrame) -> Recommender:
        trainer = Trainer(checkpoint, checkpoints, label=type(model).__name__)
        fitted = model.fit(train, validation if len(validation) else None, trainer)
        return fitted.for_refit().fit(pd.concat([train, validation]), None, trainer)

    return fit
