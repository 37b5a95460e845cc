"""Default and estimated shrinkage of biases: `python -m benchmarks.shrinkage ratings.csv`.

Mean RMSE of three random cuts 75/5/20 (5 % for early stopping), fallbacks counted; other settings
as the classes have them, but 100 draws of the sampler.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.scales import METHODS
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.metrics.rating import rmse
from cofilter.recommender.kernels.threads import set_threads

AUTO = {"user_regularization": "auto", "item_regularization": "auto"}
CHOSEN = ("baseline/bias", "knn/user", "knn/item", "mf/biased", "als/explicit", "bayes/plain")
SEEDS = (0, 1, 2)


def cut(table: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    """Train, validation and test."""
    place = np.random.default_rng(seed).random(len(table))
    return [table[place < 0.75], table[(place >= 0.75) & (place < 0.8)], table[place >= 0.8]]


def user_mean(train: pd.DataFrame, test: pd.DataFrame) -> float:
    """RMSE of each user's mean rating, the mean of all for a new user."""
    mean = test[USER].map(train.groupby(USER)[RATING].mean()).fillna(train[RATING].mean())
    return rmse(test[RATING].to_numpy(), mean.to_numpy())


def main() -> None:
    """Print a row a method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ratings", type=Path, help="CSV or Parquet of user, item and rating")
    parser.add_argument("--scale", type=float, nargs=2, required=True)
    parser.add_argument("--thin", type=int, help="keep so many random ratings of each user")
    arguments = parser.parse_args()
    set_threads(1)
    path = arguments.ratings
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    table = table.iloc[:, :3].set_axis([USER, ITEM, RATING], axis=1).astype({RATING: np.float32})
    if arguments.thin:
        table = table.sample(frac=1.0, random_state=0).groupby(USER).head(arguments.thin)
    cuts = [cut(table, seed) for seed in SEEDS]
    print(f"{'user mean':24} {np.mean([user_mean(parts[0], parts[2]) for parts in cuts]):.4f}")
    for name in CHOSEN:
        short: dict[str, Any] = {"epochs": 100, "n_kept": 30} if name[:5] == "bayes" else {}
        found = []
        for bias in ({}, AUTO):
            errors = []
            for train, validation, test in cuts:
                model = METHODS[name](scale=arguments.scale, bias=bias, **short)
                predicted = model.fit(train, validation).predict(test[USER], test[ITEM])
                errors.append(rmse(test[RATING].to_numpy(), predicted))
            found.append(np.mean(errors))
        print(f"{name:24} {found[0]:.4f} {found[1]:.4f}", flush=True)


if __name__ == "__main__":
    main()
