"""EASE's weights over users, over items in single and in double precision: seconds and difference.

``python -m benchmarks.ease_ways FILE …`` reads tables whose first two columns are user and item,
taken as clicks.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.als_on_clicks import read
from cofilter.core.columns import ITEM, USER
from cofilter.models.ease.closed_form import Way, weights

WAYS = {
    "double over items": Way("items", np.float64, 0),
    "single over items": Way("items", np.float32, 0),
    "double over users": Way("users", np.float64, 0),
}
ADDED = 300.0


def main(path: Path) -> None:
    """Print a line a way; differences are from the first one, of its largest weight."""
    table = read(path)
    places = tuple(pd.factorize(table[name])[0] for name in (USER, ITEM))
    x = sparse.csr_array((np.ones(len(table), np.float32), places))
    print(f"{path.name}: {x.shape[0]:,} users, {x.shape[1]:,} items, {len(table):,} pairs")
    reference = None
    for name, way in WAYS.items():
        started = time.perf_counter()
        found = weights(x, ADDED, way)
        seconds = time.perf_counter() - started
        reference = found if reference is None else reference
        apart = np.abs(found - reference).max() / np.abs(reference).max()
        print(f"{name}: {seconds:.1f} s, largest difference {apart:.1e}", flush=True)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        main(Path(each))
