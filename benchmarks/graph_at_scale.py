"""What a graph filter costs on a large click log: `python -m benchmarks.graph_at_scale`.

The log has the shape of a public one (29,858 users, 40,981 items, 810,000 clicks): users and items
follow a power law, and users prefer the items of their own group.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.models.graph.model import GraphFilter
from cofilter.recommender.kernels.threads import set_threads

USERS, ITEMS, CLICKS, GROUPS, SPREAD = 29_858, 40_981, 810_000, 200, 0.7


def clicks(seed: int = 0) -> pd.DataFrame:
    """Distinct (user, item) pairs, about `CLICKS` of them."""
    rng = np.random.default_rng(seed)
    n = 2 * CLICKS  # more than half are distinct
    user = rng.choice(USERS, n, p=_powers(USERS, rng))
    group = np.where(rng.random(n) < SPREAD, user % GROUPS, rng.integers(0, GROUPS, n))
    members = ITEMS // GROUPS
    item = group + GROUPS * np.minimum((rng.pareto(0.8, n) * 8).astype(int), members - 1)
    pairs = np.unique(user.astype(np.int64) * ITEMS + item)
    pairs = rng.permutation(pairs)[:CLICKS]
    return pd.DataFrame({USER: pairs // ITEMS, ITEM: pairs % ITEMS, RATING: np.float32(1)})


def _powers(n: int, rng: np.random.Generator) -> np.ndarray:
    weights = 1.0 / (10 + rng.permutation(n)) ** 0.8
    return weights / weights.sum()


def main() -> None:
    """Fit and rank once, and print seconds and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="chebyshev", choices=["gfcf", "chebyshev"])
    parser.add_argument("--ranked", type=int, default=2_000, help="users to rank for")
    arguments = parser.parse_args()
    set_threads(2)
    table = clicks()
    started = time.perf_counter()
    model = GraphFilter(kind=arguments.kind).fit(table)
    fitted = time.perf_counter()
    model.recommend(model.users_.ids[: arguments.ranked], 20)
    ranked = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_gb = (peak if sys.platform == "darwin" else peak * 1024) / 1e9
    print(
        f"{arguments.kind}: {len(table):,} clicks, {len(model.users_):,} users, "
        f"{len(model.items_):,} items, {model.vectors_.shape[1]} vectors: "
        f"fit {fitted - started:.1f} s, ranking {arguments.ranked:,} users "
        f"{ranked - fitted:.1f} s, peak {peak_gb:.2f} GB"
    )


if __name__ == "__main__":
    main()
