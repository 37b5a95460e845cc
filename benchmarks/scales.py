"""Rating models on one log in several scales: `python -m benchmarks.scales ratings.csv`.

A random 80/10/10 cut; RMSE of the warm test rows as a multiple of what the first scale gives,
divided back: how far it is from 1, in per cent. All settings as the classes have them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.models.als.model import ExplicitALS
from cofilter.models.baseline.model import BiasBaseline, GlobalMean
from cofilter.models.bayes.model import BayesianFactorization
from cofilter.models.knn.model import ItemKNN, UserKNN
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.models.mf.svdpp import SVDPlusPlus
from cofilter.models.ncf.model import RatingNetwork
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.threads import set_threads

METHODS: dict[str, Callable[..., Recommender]] = {
    "baseline/global_mean": GlobalMean,
    "baseline/bias": BiasBaseline,
    "knn/user": UserKNN,
    "knn/item": ItemKNN,
    "knn/item, cosine, plain": lambda **given: ItemKNN(
        similarity="cosine", aggregation="plain", **given
    ),
    "knn/item, msd": lambda **given: ItemKNN(similarity="msd", **given),
    "mf/biased": MatrixFactorization,
    "mf/dot": lambda **given: MatrixFactorization(kind="dot", **given),
    "mf/item_centred": lambda **given: MatrixFactorization(kind="item_centred", **given),
    "mf/svdpp": SVDPlusPlus,
    "mf/biased, torch": lambda **given: MatrixFactorization(engine="torch", **given),
    "als/explicit": ExplicitALS,
    "bayes/plain": lambda **given: BayesianFactorization(kind="plain", **given),
    "bayes/sided": lambda **given: BayesianFactorization(kind="sided", **given),
    "ncf/rating": RatingNetwork,
}
SCALES: dict[str, tuple[float, float]] = {  # factor and shift of a rating
    "0.5–5": (1.0, 0.0), "×1/5": (0.2, 0.0), "×20": (20.0, 0.0), "×10⁶": (1e6, 0.0),
    "0–100": (100 / 4.5, -50 / 4.5), "−10…10": (20 / 4.5, -10 - 10 / 4.5),
}  # fmt: skip


def rmse_of(
    make: Callable[..., Recommender],
    parts: tuple[pd.DataFrame, ...],
    scale: Sequence[float],
    affine: tuple[float, float],
) -> float:
    """RMSE of warm test rows with all ratings factor · rating + shift, divided back."""
    factor, shift = affine
    mapped = [
        part.assign(**{RATING: (factor * part[RATING] + shift).astype(np.float32)})
        for part in parts
    ]
    low, high = (factor * end + shift for end in scale)
    model = make(scale=(low, high)).fit(*mapped[:2])
    target = mapped[2]
    warm = target[target[USER].isin(model.users_.ids) & target[ITEM].isin(model.items_.ids)]
    predicted = model.predict(warm[USER], warm[ITEM])
    return float(np.sqrt(np.mean((predicted.astype(np.float64) - warm[RATING]) ** 2))) / factor


def main() -> None:
    """Print a row a method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ratings", type=Path, help="CSV of user, item, rating and time")
    parser.add_argument("--scale", type=float, nargs=2, default=(0.5, 5.0))
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    arguments = parser.parse_args()
    set_threads(1)
    table = pd.read_csv(arguments.ratings).iloc[:, :4]
    table = table.set_axis([USER, ITEM, RATING, TIMESTAMP], axis=1).astype({RATING: np.float32})
    split = SplitConfig(kind="random", validation_share=0.1, test_share=0.1, seed=0)
    cut, _ = split_ratings(table, split, None)
    parts = cut.train, cut.validation, cut.test
    print(f"{'':24} {'RMSE':>8} " + " ".join(f"{name:>9}" for name in list(SCALES)[1:]))
    for name in arguments.methods:
        scales = SCALES.values()
        found = [rmse_of(METHODS[name], parts, arguments.scale, each) for each in scales]
        apart = " ".join(f"{100 * abs(value / found[0] - 1):8.4f}%" for value in found[1:])
        print(f"{name:24} {found[0]:8.4f} {apart}", flush=True)


if __name__ == "__main__":
    main()
