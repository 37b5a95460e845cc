"""Graph filters beside other rankers: `python -m benchmarks.graph_quality data/ratings.parquet`.

Each user's ratings are cut 80/20 at random (`user_random`), for three seeds; NDCG@10 of warm test
rows, all settings as the classes have them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.models.als.model import ImplicitALS
from cofilter.models.baseline.model import Popularity
from cofilter.models.ease.model import EASE
from cofilter.models.graph.model import GraphFilter
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.threads import set_threads
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score

SEEDS = (42, 0, 1)
METHODS: dict[str, Callable[[], Recommender]] = {
    "graph/chebyshev": lambda: GraphFilter(kind="chebyshev"),
    "graph/gfcf": lambda: GraphFilter(kind="gfcf"),
    "ease/rating": lambda: EASE(kind="rating"),
    "ease/binary": lambda: EASE(kind="binary"),
    "als/implicit": lambda: ImplicitALS(),
    "als/implicit, constant": lambda: ImplicitALS(confidence="constant"),
    "baseline/popularity": lambda: Popularity(),
}
LARGE = 10_000  # items above which EASE's matrices are left out


def read(path: Path) -> pd.DataFrame:
    """A Parquet file of the pipeline's, or a tab-separated one of user, item and count."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)[[USER, ITEM, RATING]]
    table = pd.read_csv(path, sep="\t")
    return table.set_axis([USER, ITEM, RATING], axis=1).astype({RATING: np.float32})


def main() -> None:
    """Print a line a method and threshold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--threshold", type=float, help="relevant from this rating up; else all")
    arguments = parser.parse_args()
    set_threads(2)
    table = read(arguments.ratings)
    config = ScoreConfig(k=(10,), relevance_threshold=arguments.threshold)
    for name, make in METHODS.items():
        if name.startswith("ease") and table[ITEM].nunique() > LARGE:
            continue
        found = []
        for seed in SEEDS:
            split = SplitConfig(kind="user_random", validation_share=0.0, test_share=0.2, seed=seed)
            parts, _ = split_ratings(table, split, None)
            model = make().fit(parts.train)
            found.append(
                score(model, parts.train, None, parts.test, config).warm.metrics(("ndcg@10",))
            )
        values = [each["ndcg@10"] or 0.0 for each in found]
        print(f"{name:24} {np.mean(values):.4f}  " + " ".join(f"{v:.4f}" for v in values))


if __name__ == "__main__":
    main()
