"""What scoring costs beyond the model's own work, at MovieLens 20M's size.

    python -m benchmarks.metrics_at_scale --size 20m

Made-up ratings, a random tenth of every user's as test, so that all users are evaluated; lists of
10 random items for each user, which a model would have given. Prints one JSON object: seconds of
each step, resident memory before and at its highest.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
import psutil
from scipy import sparse

from benchmarks.data import SEED, raw
from cofilter.evaluation.beyond import Catalogue, beyond_accuracy
from cofilter.evaluation.config import ColdStartConfig, EvaluateConfig, UncertaintyConfig
from cofilter.evaluation.intervals import contributions, score_intervals
from cofilter.evaluation.significance import differences_to_best
from cofilter.models.baseline.model import Popularity
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.bias import BiasConfig
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target

GIB = 1 << 30
BIAS = BiasConfig(user_regularization=15.0, item_regularization=10.0, iterations=1)
CONFIG = EvaluateConfig(
    primary="ndcg@10",
    k=(10,),
    relevance_threshold=4.0,
    min_users=200,
    uncertainty=UncertaintyConfig(resamples=10_000, confidence_level=0.95, seed=0),
    bands=5,
    calibration_bins=10,
    diversity_dim=32,
    cold_start=ColdStartConfig(revealed=(0,), max_users=1, seed=0),
)


class MadeUpLists(Popularity):
    """Different random items for every user: no work of a model, and every item is given."""

    def rank(
        self, users: Any, k: int, excluded: sparse.csr_array | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """k different items: a random start and a step that shares no divisor with the items."""
        rng = np.random.default_rng(len(users) + int(users[0]))
        start = rng.integers(0, len(self.items_), len(users))
        items = (start[:, None] + 7919 * np.arange(k)) % len(self.items_)
        return items.astype(np.int32), np.zeros(items.shape, np.float32)


def main() -> None:
    """Measure every step once, after each kernel has been compiled on a small log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="20m", choices=("2m", "20m"))
    size = parser.parse_args().size
    measure("smoke")
    json.dump(measure(size), sys.stdout, indent=2)
    print()


def measure(size: str) -> dict[str, Any]:
    """Seconds and memory at one size of `benchmarks.data.raw`."""
    ratings = raw(size)
    split = SplitConfig(kind="user_random", validation_share=0.0, test_share=0.1, seed=SEED)
    parts, _ = split_ratings(ratings, split, None)
    model = MadeUpLists(ModelConfig(scale=(0.5, 5.0), bias=BIAS)).fit(parts.train)
    facts = {
        "ratings": len(ratings),
        "test_rows": len(parts.test),
        "threads": numba.get_num_threads(),
        "gib_before": psutil.Process().memory_info().rss / GIB,
    }
    del ratings
    seconds: dict[str, float] = {}
    with timed(seconds, "target"):
        target = Target.of(parts.train, None, parts.test, CONFIG.relevance_threshold)
    with timed(seconds, "ranking_metrics"):
        scores = score_target(model, target, CONFIG)
    with timed(seconds, "item_factors"):
        catalogue = Catalogue.of(parts.train, target, CONFIG)
    with timed(seconds, "beyond_accuracy"):
        beyond = beyond_accuracy(scores, catalogue, CONFIG)
    with timed(seconds, "intervals"):
        score_intervals(scores, beyond, CONFIG.uncertainty)
    primary = contributions(scores, CONFIG)
    assert primary is not None
    with timed(seconds, "comparison_of_30_models"):
        differences_to_best([primary] * 30, CONFIG.uncertainty)
    facts["users"] = len(target.users)
    facts["evaluated_users"] = scores.all.counts["ranked_users"]
    facts["gib_peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
    metrics = ("target", "ranking_metrics", "item_factors", "beyond_accuracy")
    facts["metrics_seconds"] = sum(seconds[name] for name in metrics)
    return facts | {"seconds": seconds}


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Note how long the block takes."""
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


if __name__ == "__main__":
    main()
