"""The blend and its members over five random folds, as published figures of MovieLens 100K have it.

``python -m benchmarks.blend_folds`` reads data/filtered.parquet. A fold is the test part, a tenth
of the other rows the validation part: epochs, members and weights are chosen on it, and each model
is fitted again on all rows outside the fold, as the stages train and blend do. It prints the RMSE
of all rows of the fold, and the mean over folds. Models are kept in a temporary folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from cofilter import (
    BayesianFactorization,
    BiasBaseline,
    ExplicitALS,
    ItemKNN,
    MatrixFactorization,
    SVDPlusPlus,
    UserKNN,
)
from cofilter.blending.blend import learn_blend
from cofilter.blending.weights import BlendConfig
from cofilter.core.config import parse
from cofilter.core.io import read_table
from cofilter.core.parts import Parts
from cofilter.core.paths import FILTERED
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.config import PrimaryConfig
from cofilter.scoring.folders import BLEND, ENSEMBLE, expected_folders
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target
from cofilter.training.loop import CheckpointConfig
from cofilter.training.point import Point, save_point, train_point

FOLDS = 5
SCALE = (1.0, 5.0)
CHECKPOINT = parse(CheckpointConfig, {}, "checkpoint")
BLENDED = parse(BlendConfig, {}, "blend")
PRIMARY = PrimaryConfig(primary="rmse", k=(10,), relevance_threshold=4.0)
BAYES = partial(BayesianFactorization, scale=SCALE, epochs=1000, n_kept=800)
MODELS: Mapping[tuple[str, str], Callable[[], Recommender]] = {
    ("baseline", "bias"): partial(BiasBaseline, scale=SCALE),
    ("knn", "item"): partial(ItemKNN, scale=SCALE),
    ("knn", "user"): partial(UserKNN, scale=SCALE),
    ("als", "explicit-dim50"): partial(ExplicitALS, scale=SCALE, dim=50),
    ("mf", "biased-dim50"): partial(MatrixFactorization, scale=SCALE, kind="biased", dim=50),
    ("mf", "svdpp-dim100"): partial(SVDPlusPlus, scale=SCALE, dim=100),
    ("bayes", "plain-dim20"): partial(BAYES, kind="plain", dim=20),
    **{("bayes", f"sided-dim{dim}"): partial(BAYES, kind="sided", dim=dim) for dim in (10, 20, 32)},
}


def main() -> None:
    """Print a line a fold and model, and the means."""
    ratings, rows = read_table(FILTERED), []
    for fold in range(FOLDS):
        split = SplitConfig(kind="kfold", validation_share=0.1, seed=0, fold=fold, folds=FOLDS)
        parts, _ = split_ratings(ratings, split, None)
        with TemporaryDirectory() as scratch:
            rows.append(fold_rmse(parts, Path(scratch)))
        print(fold, {name: round(value, 4) for name, value in rows[-1].items()}, flush=True)
    table = pd.DataFrame(rows)
    print(pd.DataFrame({"mean": table.mean(), "spread": table.std()}).round(4).to_string())


def fold_rmse(parts: Parts, scratch: Path) -> dict[str, float]:
    """RMSE of all test rows of each model and of their blend."""
    models, found = scratch / "models", {}
    target = Target.of(parts.train, parts.validation, parts.test, 4.0, SCALE)
    for (family, name), make in MODELS.items():
        point = Point(family, name, 0, make, True, PRIMARY, CHECKPOINT)
        trained = train_point(point, parts, scratch / "checkpoints")
        save_point(trained, models / family / name)
        found[f"{family}/{name}"] = rmse(trained.model, target)
    folders = expected_folders(models, MODELS)
    blend = learn_blend(folders, parts, BLENDED, PRIMARY, ModelConfig(scale=SCALE))
    return found | {f"{ENSEMBLE}/{BLEND}": rmse(blend.ensemble, target)}


def rmse(model: Recommender, target: Target) -> float:
    """Root mean squared error of all rows, the fallback's answers included."""
    return float(score_target(model, target, PRIMARY).summary()["all"]["rmse"])


if __name__ == "__main__":
    main()
