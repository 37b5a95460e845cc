"""Default and tuned models on clicks, beside implicit's ALS and BPR at their best.

``python -m benchmarks.implicit_tuned CHECKOUT`` takes the parts of a checkout where ``make tune``
has run (its data/split and conf/tuned.json). Every model is fitted again on train + validation as
validation chose it, and judged by NDCG@10 on test: relevant items that these rows know, lists
without the items that the user has there. The peer runs in the environment of ``make bench``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.dataset import Ratings
from benchmarks.measures import RELEVANT, ndcg
from benchmarks.runner import ROOT, python
from cofilter.core.columns import ITEM, USER
from cofilter.core.io import read_table
from cofilter.core.parts import PARTS, Parts
from cofilter.evaluation.tuning import TUNED, TuningRecord, read_tuned
from cofilter.recommender.base import Recommender
from cofilter.training.families import kinds_of

K = 10
TRIALS = 24  # as `make tune` gives each of ours
AXES = ("kind", "dim")  # of a default model beside the tuned one


def main(checkout: Path) -> None:
    """Print NDCG@10 on test of each model by default and tuned, and of the peer's."""
    parts = Parts(*(read_table(checkout / f"data/split/{name}.parquet") for name in PARTS))
    known = pd.concat([parts.train, parts.validation], ignore_index=True)
    users, items = pd.Index(known[USER].unique()), pd.Index(known[ITEM].unique())

    def codes(table: pd.DataFrame) -> np.ndarray:
        found = np.stack([users.get_indexer(table[USER]), items.get_indexer(table[ITEM])])
        return found[:, (found >= 0).all(axis=0)].astype(np.int32)

    user, item = codes(parts.test)
    relevant = Ratings(user, item, np.full(len(user), RELEVANT, np.float32))
    (tuned,) = read_tuned(checkout / TUNED).values()
    for method, record in tuned.methods.items():
        for how, model in _models(method, record).items():
            model.fit(parts.train, parts.validation)
            lists, _ = model.for_refit().fit(known).recommend(users.to_numpy(), K)
            ranked = items.get_indexer(lists.ravel()).reshape(lists.shape)
            print(f"{record.method} {how}: test {ndcg(ranked, relevant):.4f}", flush=True)
    shape = np.array([len(users), len(items)])
    for name, ranked in _peer(shape, codes(parts.train), codes(parts.validation)).items():
        print(f"implicit {name}: test {ndcg(ranked, relevant):.4f}")


def _models(method: str, record: TuningRecord) -> Mapping[str, Recommender]:
    family, _, kind = method.partition("/")
    kinds = kinds_of(family)
    cls = kinds[kind] if kind else next(iter(kinds.values()))
    axes = {name: record.config[name] for name in AXES if name in record.config}
    return {"default": cls(**axes), "tuned": cls(**record.config)}


def _peer(shape: np.ndarray, train: np.ndarray, validation: np.ndarray) -> dict[str, np.ndarray]:
    with TemporaryDirectory() as scratch:
        given, out = Path(scratch, "parts.npz"), Path(scratch, "lists.npz")
        np.savez(given, shape=shape, train=train, validation=validation)
        module = ["-m", "benchmarks.peers.implicit_tuned", str(given), str(out), str(TRIALS)]
        variables = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        subprocess.run([python(peer=True), *module], check=True, env=os.environ | variables)
        with np.load(out) as lists:
            return dict(lists)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
