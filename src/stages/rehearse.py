"""Compile all kernels ahead: the pipeline once, on a few made-up ratings.

Numba compiles a kernel at its first call and keeps the result in the checkout. `make setup` ends
with this, on all cores, so that a first `make repro` does not do it, one stage after another.
"""

from __future__ import annotations

import contextlib
import io
import logging
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from omegaconf import OmegaConf

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.paths import RESULTS
from cofilter.core.titles import read_genres, read_titles
from cofilter.evaluation.evaluate import evaluate
from cofilter.evaluation.request import request_of
from cofilter.training.families import families
from cofilter.training.points import SEED, points_of
from stages import backtest, blend, download, leak, split, train
from stages import filter as filtering
from stages.app import Run, plain
from stages.drift import CONF, PARAMS

USERS, ITEMS, ROWS = 200, 150, 6000
# In place of larger numbers.
FEW = {"epochs": 3, "burn_in": 1, "n_kept": 1, "resamples": 100}
LEAKED = "baseline"  # the family after which `leak` runs, whose methods are of several families


def rehearse(cfg: dict[str, Any], family: str) -> None:
    """Run the stages on one family's points, in a folder that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        cfg = _few(cfg) | {"data": made_up(Path("ratings.csv"))}
        cfg |= {"points": {family: cfg["points"][family]}}
        cfg["tracking"]["mode"], cfg["backtest"]["windows"] = "disabled", 0

        def run(stage: Any, **changed: Any) -> None:
            stage.main.__wrapped__(Run(cfg | changed, Path(folder), Path(folder)))

        for stage in (download, filtering, split, backtest):
            run(stage)
        for point in points_of(family, cfg):
            seed = point.pop(SEED, cfg[SEED])
            run(train, family=family, seed=seed, **{family: cfg[family] | point})
        for stage in (blend, leak) if family == LEAKED else (blend,):
            run(stage)
        evaluate(request_of(cfg, read_titles(), read_genres()), Path(RESULTS))


def made_up(path: Path) -> dict[str, Any]:
    """Write a few ratings, users one after another; gives the group ``data`` that reads them."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(USERS * ITEMS, ROWS, replace=False)
    users, items = pairs // ITEMS, pairs % ITEMS
    times = 1_000_000 * users + rng.integers(0, 20_000_000, ROWS)  # some are cold
    ratings = {USER: users, ITEM: items, RATING: rng.integers(1, 6, ROWS), TIMESTAMP: times}
    pd.DataFrame(ratings).to_csv(path, index=False)
    text = (CONF / "data" / "csv.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text) | {"path": str(path), "scale": [1, 5], "relevance_threshold": 4}


def _few(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {
            key: min(value or FEW[key], FEW[key]) if key in FEW else _few(value)
            for key, value in tree.items()
        }
    return tree


def main() -> None:
    """Rehearse all families, as many at a time as there are cores."""
    cfg = plain(OmegaConf.to_container(OmegaConf.load(PARAMS)))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, logging.disable) as pool:
        for done in [pool.submit(rehearse, cfg, family) for family in families()]:
            done.result()


if __name__ == "__main__":
    main()
