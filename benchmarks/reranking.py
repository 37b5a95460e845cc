"""What re-ranking costs and brings on MovieLens 100K, and how long it takes.

``python -m benchmarks.reranking`` reads data/ratings.parquet and data/items.parquet, holds each
user's last tenths out, fits one model on the rest, and prints the curves that `evaluate` writes
for the model to ship (results/plots/reranking.csv), and seconds of CPU for all users' lists.
``python -m benchmarks.reranking als`` takes a model of factors in place of EASE.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from cofilter import EASE, ImplicitALS, Recommender, Reranker, RerankingConfig
from cofilter.core.paths import RATINGS
from cofilter.core.titles import read_genres
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.judge import Judge
from cofilter.evaluation.reranking import reranking_curves
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.kernels.threads import set_threads

SPLIT = SplitConfig(kind="user_temporal", validation_share=0.1, test_share=0.1)
CONFIG = EvaluateConfig(relevance_threshold=4.0)
SCALE = (1.0, 5.0)
MODELS: dict[str, type[Recommender]] = {"ease": EASE, "als": ImplicitALS}
K = 10


def main(name: str = "ease") -> None:
    """Print the curves and the times."""
    set_threads(1)
    parts, _ = split_ratings(pd.read_parquet(RATINGS), SPLIT, None)
    train = pd.concat([parts.train, parts.validation], ignore_index=True)
    model, genres = MODELS[name](scale=SCALE).fit(train), read_genres()
    judge = Judge.of(parts, CONFIG, SCALE)
    target = judge.target, judge.catalogue
    table = reranking_curves(name, model, genres, *target, CONFIG)
    print(table.drop(columns="model").to_string(index=False, float_format="{:.4f}".format))
    again, users = Reranker(model, genres), model.users_.ids
    own = _seconds(partial(model.recommend, users, K))
    for kind in again.kinds:
        how = RerankingConfig(kind=kind, strength=0.5)
        spent = _seconds(partial(again.recommend, users, K, how))
        print(f"{kind}: {1e6 * (spent - own) / len(users):.0f} µs a user beyond the own list")


def _seconds(work: Callable[[], object]) -> float:
    """Median seconds of CPU of five calls after one that is not counted."""
    times = []
    for _ in range(6):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:2])
