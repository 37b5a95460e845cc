"""EASE on clicks: a grid of penalties on whole logs and on a third of their rows.

``python -m benchmarks.ease_on_clicks`` reads what `benchmarks.als_on_clicks` reads, as clicks, and
prints NDCG@10 on the same validation rows as shares of the best.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.als_on_clicks import SPLIT, named_files, ndcg, read
from cofilter import EASE
from cofilter.core.columns import RATING
from cofilter.preparation.split import split_ratings

GRID = (15, 30, 60, 120, 240, 480, 960)


def main(named: dict[str, Path]) -> None:
    """Print a line a log."""
    for name, path in named.items():
        clicks = read(path).assign(**{RATING: 1.0})
        third = clicks[np.random.default_rng(0).random(len(clicks)) < 1 / 3]
        for label, log in ((name, clicks), (f"a third of {name}", third)):
            parts, _ = split_ratings(log, SPLIT, None)
            found = {l2: ndcg(EASE(kind="binary", l2=l2), parts) for l2 in GRID}
            best = max(found.values())
            shares = ", ".join(f"{l2}: {value / best:.3f}" for l2, value in found.items())
            print(f"{label}: best {best:.4f}; {shares}", flush=True)


if __name__ == "__main__":
    main(named_files(sys.argv[1:]))
