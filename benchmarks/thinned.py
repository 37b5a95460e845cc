"""Rating models where histories are short: ten ratings a user, beside the user's mean.

``python -m benchmarks.thinned`` reads what `benchmarks.als_on_clicks` reads, ten ratings of each
user (seed 0), and cuts them 80/10/10 at random. It prints RMSE on warm validation and test rows: of
points of the default sweep, and of a grid of dims of the best family.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.als_on_clicks import named_files, read
from cofilter import BayesianFactorization, BiasBaseline, ExplicitALS, ItemKNN, UserKNN
from cofilter.core.columns import RATING, USER
from cofilter.core.parts import Parts
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score

KEPT = 10  # ratings a user
SPLIT = SplitConfig(kind="random", validation_share=0.1, test_share=0.1, seed=0)
SCORE = ScoreConfig(k=(10,), relevance_threshold=None)
KINDS = ("plain", "sided")
DEFAULTS: Mapping[str, Recommender] = {
    "bias": BiasBaseline(),
    "user KNN": UserKNN(),
    "item KNN": ItemKNN(),
    "explicit ALS": ExplicitALS(),
    **{f"bayes {k}, dim {d}": BayesianFactorization(kind=k, dim=d) for k in KINDS for d in (3, 10)},
}
GRID: Mapping[str, Recommender] = {
    f"bayes {kind}, dim {dim}": BayesianFactorization(kind=kind, dim=dim)
    for kind, dim in product(KINDS, (1, 2, 3, 5, 10, 20))
}


def main(named: dict[str, Path]) -> None:
    """Print a table a data set."""
    for name, path in named.items():
        table = read(path)
        few = table.sample(frac=1, random_state=0).groupby(USER).head(KEPT).sort_index()
        parts, _ = split_ratings(few, SPLIT, None)
        mean = user_mean_rmse(parts)
        print(f"{name}: {len(few):,} ratings, user mean {mean:.4f}")
        default = best(DEFAULTS, parts, mean)
        print(f"  by default, validation chooses {default}", flush=True)
        print(f"  of the grid, validation chooses {best(GRID, parts, mean)}", flush=True)


def best(models: Mapping[str, Recommender], parts: Parts, mean: float) -> str:
    """Fit all on train; what of them validation prefers, with its figures."""
    found = {}
    for name, model in models.items():
        model.fit(parts.train)
        found[name] = [
            float(score(model, parts.train, None, part, SCORE).summary()["warm"]["rmse"])
            for part in (parts.validation, parts.test)
        ]
        print(f"    {name}: validation {found[name][0]:.4f}, test {found[name][1]:.4f}")
    chosen = min(found, key=lambda name: found[name][0])
    test = found[chosen][1]
    return f"{chosen}: test {test:.4f}, {100 * (test / mean - 1):+.2f} % of the user mean"


def user_mean_rmse(parts: Parts) -> float:
    """RMSE of the users' means on warm test rows."""
    known = parts.test["item_id"].isin(parts.train["item_id"])
    rows = parts.test[known & parts.test[USER].isin(parts.train[USER])]
    means: pd.Series = parts.train.groupby(USER)[RATING].mean()
    return float(np.sqrt(np.mean((rows[USER].map(means) - rows[RATING]) ** 2)))


if __name__ == "__main__":
    main(named_files(sys.argv[1:]))
