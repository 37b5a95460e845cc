"""The datasets of the rows, made once: ``python -m benchmarks.data NAME``.

Made-up ratings come from the project's own generator, MovieLens 100K from its download and filter
stages; both are cut by the project's own splits.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.dataset import META, Ratings, dense, save
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.io import read_table, write_table
from cofilter.core.paths import FILTERED
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.sources.config import SyntheticConfig
from cofilter.sources.synthetic import generate

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache/benchmarks"
SEED = 42
TINY = "smoke"  # what every process warms up on
CSV = "ratings.csv"  # the file of the datasets named csv_*

# Users of the made-up logs; the items are the same, so that only the users grow with the ratings.
USERS = {"20m": 138_493, "2m": 13_850}
ITEMS = 26_744
TOP = (5_000, 1_000)  # users and items with most ratings (R1's subset)


def raw(size: str) -> pd.DataFrame:
    """Made-up ratings, kept on disk."""
    path = CACHE / "raw" / f"{size}.parquet"
    if not path.exists():
        users = {"users": 200, "items": 150, "ratings": 6_000}
        if size != TINY:
            users = {"users": USERS[size], "items": ITEMS, "ratings": None}
        ratings, _ = generate(SyntheticConfig(**users, seed=0))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, ratings)
    return read_table(path)


def synthetic(folder: Path, size: str) -> None:
    """Random 90/10."""
    ratings = raw(size)
    share = {"validation_share": 0.0, "test_share": 0.1}
    save(folder, [cut(ratings, kind="random", seed=SEED, **share)], {"source": f"synthetic {size}"})


def top(folder: Path, size: str) -> None:
    """Random 90/10 of the users and items with most ratings."""
    ratings = raw(size)
    users, items = TOP if size != TINY else (60, 40)
    for column, count in ((USER, users), (ITEM, items)):
        best = raw(size)[column].value_counts().index[:count]
        ratings = ratings[ratings[column].isin(best)]
    share = {"validation_share": 0.0, "test_share": 0.1}
    facts = {"source": f"synthetic {size}, top {users:,} users and {items:,} items"}
    save(folder, [cut(ratings, kind="random", seed=SEED, **share)], facts)


def csv(folder: Path, size: str) -> None:
    """The raw log as a CSV file with a header."""
    raw(size).to_csv(folder / CSV, index=False)
    save(folder, [], {"source": f"synthetic {size} as CSV"})


def ml_100k(folder: Path, protocol: str) -> None:
    """MovieLens 100K: five random folds, or a random fifth of each user's ratings as test."""
    subprocess.run(["dvc", "repro", "--quiet", "filter"], check=True, cwd=ROOT)
    ratings = read_table(ROOT / FILTERED)
    if len(ratings) != 100_000:
        sys.exit(f"data/filtered.parquet has {len(ratings):,} rows, MovieLens 100K has 100,000")
    if protocol == "folds":
        rest = {"kind": "kfold", "folds": 5, "validation_share": 0.0, "seed": 0}
        parts = [cut(ratings, fold=fold, **rest) for fold in range(5)]
    else:
        parts = [cut(ratings, kind="user_random", validation_share=0.0, test_share=0.2, seed=SEED)]
    save(folder, parts, {"source": f"ml_100k, {protocol}"})


def cut(ratings: pd.DataFrame, **split: Any) -> tuple[Ratings, Ratings]:
    """(train, test) by the project's own split, indices dense."""
    parts, _ = split_ratings(ratings, SplitConfig(**split), None)
    return dense(_arrays(parts.train), _arrays(parts.test))


def _arrays(table: pd.DataFrame) -> Ratings:
    return Ratings(*(table[name].to_numpy(np.float32 if name == RATING else np.int64)
                     for name in (USER, ITEM, RATING)))  # fmt: skip


MAKERS: dict[str, tuple[Callable[[Path, str], None], str]] = {
    "synthetic_20m": (synthetic, "20m"),
    "synthetic_2m": (synthetic, "2m"),
    "smoke": (synthetic, TINY),
    "top_20m": (top, "20m"),
    "top_2m": (top, "2m"),
    "top_smoke": (top, TINY),
    "csv_20m": (csv, "20m"),
    "csv_2m": (csv, "2m"),
    "csv_smoke": (csv, TINY),
    "ml_100k": (ml_100k, "folds"),
    "ml_100k_ranking": (ml_100k, "user_random"),
}


def path_of(name: str) -> Path:
    """Folder of a dataset."""
    return CACHE / "data" / name


def ready(name: str) -> bool:
    """Whether a dataset has been made."""
    return (path_of(name) / META).exists()


def main() -> None:
    """Make the named datasets."""
    for name in sys.argv[1:]:
        make, which = MAKERS[name]
        folder = path_of(name)
        folder.mkdir(parents=True, exist_ok=True)
        make(folder, which)


if __name__ == "__main__":
    main()
