"""A lab over a small log, with checkpoints of its own and no tracked runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest

from cofilter.core.columns import ITEM
from cofilter.reproduction.lab import Lab
from cofilter.training.loop import CheckpointConfig
from tests.evaluation.conftest import make_ratings

MakeLab = Callable[[pd.DataFrame], Lab]


@pytest.fixture
def lab_of(tmp_path: Path) -> MakeLab:
    def make(ratings: pd.DataFrame) -> Lab:
        titles = pd.Series({item: f"film {item}" for item in ratings[ITEM].unique()})
        keep = CheckpointConfig(every_seconds=60, resume="never")
        return Lab(ratings, titles, (0.5, 5.0), keep, tmp_path, lambda name: nullcontext())

    return make


@pytest.fixture
def ratings() -> pd.DataFrame:
    return make_ratings(n_users=20, n_items=15)
