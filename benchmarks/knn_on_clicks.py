"""KNN on clicks: what it takes by default, beside a grid of neighbours and shrinkage.

``python -m benchmarks.knn_on_clicks`` reads what `benchmarks.als_on_clicks` reads, as clicks, and
prints NDCG@10 on the same validation rows.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

from benchmarks.als_on_clicks import SPLIT, named_files, ndcg, read
from cofilter import ItemKNN, UserKNN
from cofilter.core.columns import RATING
from cofilter.preparation.split import split_ratings

GRID = product((40, 100, 120, 200), (1.0, 3.0, 10.0, 30.0, 100.0))


def main(named: dict[str, Path]) -> None:
    """Print a line a data set and kind of neighbours."""
    points = list(GRID)
    for name, path in named.items():
        parts, _ = split_ratings(read(path).assign(**{RATING: 1.0}), SPLIT, None)
        for cls in (ItemKNN, UserKNN):
            taken = ndcg(cls(), parts)
            grid = {at: ndcg(cls(k=at[0], shrinkage=at[1]), parts) for at in points}
            best = max(grid, key=lambda at: grid[at])
            print(
                f"{name}, {cls.__name__}: {taken:.4f}; best of {len(grid)}: {grid[best]:.4f} "
                f"(k {best[0]}, shrinkage {best[1]:g})",
                flush=True,
            )


if __name__ == "__main__":
    main(named_files(sys.argv[1:]))
