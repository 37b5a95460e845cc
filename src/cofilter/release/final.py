"""The model that goes out: fitted once more on all rows, with everything frozen."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.core.config import parse
from cofilter.core.parts import Parts
from cofilter.core.paths import CHECKPOINTS
from cofilter.recommender.base import Recommender
from cofilter.recommender.store import load
from cofilter.training.loop import CheckpointConfig, Trainer


def fit_on_everything(folder: Path, parts: Parts, root: Path) -> Recommender:
    """Fit a trained model's method to train, validation and test.

    Hyper-parameters, epochs and a blend's weights stay as validation chose them, so that nothing is
    chosen by the test rows. There is nothing left to measure the new model on: its figures are
    those of the evaluated one. A killed training resumes from its checkpoint in ``root``.
    """
    everything = pd.concat([table for _, table in parts.named()], ignore_index=True)
    checkpoints = parse(CheckpointConfig, {})
    trainer = Trainer(checkpoints, root / CHECKPOINTS, None, "ship", "ship")
    return load(folder).for_refit().fit(everything, None, trainer)
