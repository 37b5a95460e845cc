"""Implicit ALS on clicks and counts: its own dim and few factors, by shares of penalty.

``python -m benchmarks.als_on_clicks`` reads MovieLens 100K from data/ratings.parquet;
further files, ``name=path`` of tables with user, item and amount in their first three columns, are
named on the command line. It prints NDCG@10 on validation of a random 70/10/20 split by user.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from cofilter import ImplicitALS
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.feedback import feedback_of
from cofilter.core.parts import Parts
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score

SPLIT = SplitConfig(kind="user_random", validation_share=0.1, test_share=0.2, seed=0)
SCORE = ScoreConfig(k=(10,), relevance_threshold=None)
DIMS: tuple[int | str, ...] = ("auto", 20)
SHARES = (0.1, 0.14, 0.2)  # of the median user's pairs, as penalty


def main(named: dict[str, Path]) -> None:
    """Print a line a data set and kind of numbers."""
    for name, path in named.items():
        table = read(path)
        kinds = {"clicks": np.ones(len(table))}
        if feedback_of(table[RATING].to_numpy()) == "counts":
            kinds["counts"] = table[RATING].to_numpy()
        for kind, numbers in kinds.items():
            parts, _ = split_ratings(table.assign(**{RATING: numbers}), SPLIT, None)
            found = {
                (dim, share): ndcg(ImplicitALS(dim=dim, penalty_share=share), parts)
                for dim, share in product(DIMS, SHARES)
            }
            shown = (f"dim {dim}, {share}: {value:.4f}" for (dim, share), value in found.items())
            print(f"{name} as {kind}: {', '.join(shown)}", flush=True)


def ndcg(model: Recommender, parts: Parts) -> float:
    """NDCG@10 on validation, warm users."""
    model.fit(parts.train, parts.validation)
    scores = score(model, parts.train, None, parts.validation, SCORE)
    return float(scores.summary()["warm"]["ndcg@10"])


def read(path: Path) -> pd.DataFrame:
    """The first three columns as user, item and number."""
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
    else:
        table = pd.read_csv(path, sep=None, engine="python")
    table = table.iloc[:, :3].set_axis([USER, ITEM, RATING], axis=1)
    return table.astype({RATING: np.float64})


def named_files(arguments: Sequence[str]) -> dict[str, Path]:
    """``name=path`` of the command line, after MovieLens 100K."""
    files = dict(each.split("=", 1) for each in arguments)
    return {"ml_100k": Path("data/ratings.parquet")} | {k: Path(v) for k, v in files.items()}


if __name__ == "__main__":
    main(named_files(sys.argv[1:]))
