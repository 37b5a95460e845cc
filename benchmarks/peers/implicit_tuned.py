"""The implicit library's ALS and BPR, each at the best of as many random trials as ours have.

``python -m benchmarks.peers.implicit_tuned PARTS.npz LISTS.npz TRIALS``, in the peers' environment:
every trial is fitted on train and judged by NDCG@10 on validation; the best is fitted again on
both, and its ten best unseen items of every user are written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase
from scipy import sparse

from benchmarks.dataset import Ratings
from benchmarks.measures import RELEVANT, ndcg
from benchmarks.row import THREADS

Values = dict[str, Any]
K = 10


def main(given: str, out: str, n_trials: int) -> None:
    """Tune both models and write their lists."""
    parts, rng, lists = np.load(given), np.random.default_rng(0), {}
    shape = tuple(parts["shape"])
    train, validation = (_matrix(parts[name], shape) for name in ("train", "validation"))
    user, item = parts["validation"]
    relevant = Ratings(user, item, np.full(len(user), RELEVANT, np.float32))
    known = np.flatnonzero(train.getnnz(axis=0))
    relevant = Ratings(*(each[np.isin(item, known)] for each in relevant))
    for name, (draw, make) in MODELS.items():
        trials = [draw(rng) for _ in range(n_trials)]
        found = [ndcg(_lists(make(values), train), relevant) for values in trials]
        best = int(np.argmax(found))
        print(f"implicit {name}: validation {found[best]:.4f} of {trials[best]}", flush=True)
        lists[name] = _lists(make(trials[best]), train + validation)
    np.savez(out, **lists)


def _matrix(pairs: np.ndarray, shape: tuple[int, ...]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(pairs.shape[1], np.float32), tuple(pairs)), shape=shape)


def _lists(model: MatrixFactorizationBase, clicks: sparse.csr_matrix) -> np.ndarray:
    model.fit(clicks, show_progress=False)
    return model.recommend(np.arange(clicks.shape[0]), clicks, N=K)[0]


def _draw_als(rng: np.random.Generator) -> Values:
    return {
        "factors": int(rng.choice([32, 64, 128, 256])),
        "regularization": float(10 ** rng.uniform(-2, 2.5)),
        "alpha": float(10 ** rng.uniform(0, 2.5)),
        "iterations": int(rng.choice([10, 15, 30])),
    }


def _draw_bpr(rng: np.random.Generator) -> Values:
    return {
        "factors": int(rng.choice([32, 64, 128, 256])),
        "learning_rate": float(10 ** rng.uniform(-2.5, -0.7)),
        "regularization": float(10 ** rng.uniform(-4, -1)),
        "iterations": int(rng.choice([50, 100, 200, 400])),
    }


MODELS: dict[str, tuple[Callable[..., Values], Callable[..., MatrixFactorizationBase]]] = {
    "als": (
        _draw_als,
        lambda v: AlternatingLeastSquares(**v, num_threads=THREADS, random_state=0),
    ),
    "bpr": (
        _draw_bpr,
        lambda v: BayesianPersonalizedRanking(**v, num_threads=THREADS, random_state=0),
    ),
}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
