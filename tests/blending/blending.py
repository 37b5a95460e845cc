"""A small split with its trained models, to blend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofilter.blending.weights import BlendConfig
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.parts import Parts
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.models.ease.config import EASEConfig
from cofilter.models.ease.model import EASE
from cofilter.models.knn.model import ItemKNN
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.folders import ModelFolder, expected_folders
from cofilter.training.loop import CheckpointConfig
from cofilter.training.point import Point, save_point, train_point
from tests.evaluation.conftest import make_config
from tests.models.contract import SCALE, ratings_table
from tests.models.knn.test_model import config as knn_config

SHARED = ModelConfig(scale=SCALE)
EVALUATE = make_config(primary="ndcg@5", k=(2, 5), relevance_threshold=4.0, min_users=1)
EASY = EASEConfig(kind="binary", l2=5.0, threads=1, max_gib=1.0, scale=SCALE)
MAKE: dict[str, Callable[[], Recommender]] = {
    "baseline/global_mean": lambda: GlobalMean(SHARED),
    "baseline/bias": lambda: BiasBaseline(SHARED),
    "baseline/popularity": lambda: Popularity(SHARED),
    "knn/item": lambda: ItemKNN(knn_config()),
    "ease/binary": lambda: EASE(EASY),
}


def blend_config(**changes: Any) -> BlendConfig:
    values = {"seed": 0, "folds": 4, "most_members": 3, "candidates": 3, "bags": 3, "steps": 4}
    values |= {"min_weight": 0.05, "rank_constant": 10.0, "depth": 15}
    return BlendConfig.model_validate(values | changes)


def make_parts(seed: int = 0, strings: bool = False) -> Parts:
    rows = ratings_table(60, 40, seed).sample(frac=1, random_state=seed, ignore_index=True)
    if strings:
        rows = rows.assign(**{column: "0" + rows[column].astype(str) for column in (USER, ITEM)})
    n = len(rows)
    return Parts(rows[: n * 6 // 10], rows[n * 6 // 10 : n * 8 // 10], rows[n * 8 // 10 :])


def train(
    parts: Parts, models: Path, names: list[str] | None = None, *, refit: bool = True
) -> list[ModelFolder]:
    """Train points as the stages do; gives their folders."""
    wanted = [name.split("/") for name in names or MAKE]
    for family, point in wanted:
        asked = Point(
            family,
            point,
            0,
            MAKE[f"{family}/{point}"],
            refit,
            EVALUATE,
            CheckpointConfig(every_seconds=0, resume="never"),
        )
        save_point(train_point(asked, parts, models / "checkpoints"), models / family / point)
    return expected_folders(models, [(family, point) for family, point in wanted])


def shuffled_ratings(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The same rows with each other's ratings."""
    return rows.assign(**{RATING: np.random.default_rng(seed).permutation(rows[RATING])})
