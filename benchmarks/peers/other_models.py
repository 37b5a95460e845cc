"""sparse-dot-topn, cmfrec and Surprise."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.dataset import Dataset
from benchmarks.measures import rmse, scale_of
from benchmarks.peers.matrix import by_user
from benchmarks.row import THREADS, Measured


def item_cosine(data: Dataset, run: int, k: int) -> Measured:
    """Item cosine neighbours by sparse-dot-topn; the item itself counts as one."""
    from sparse_dot_topn import sp_matmul_topn

    matrix = by_user(data.train(run), data.shape(run)).T.tocsr()
    norm = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix.data /= np.repeat(norm, np.diff(matrix.indptr)).astype(np.float32)
    other = matrix.T.tocsr()
    started = time.perf_counter()
    sp_matmul_topn(matrix, other, top_n=k + 1, sort=True, n_threads=THREADS)
    return Measured([time.perf_counter() - started])


def cmfrec_als(data: Dataset, run: int, n_epochs: int, dim: int, regularization: float) -> Measured:
    """cmfrec's biased explicit ALS: time of the whole fit, divided by the iterations."""
    from cmfrec import CMF

    train, test = data.train(run), data.test(run)
    columns = {"UserId": train.user, "ItemId": train.item, "Rating": train.rating}
    table = pd.DataFrame(columns)
    model = CMF(
        k=dim,
        lambda_=regularization,
        scale_lam=True,
        niter=n_epochs,
        nthreads=THREADS,
        random_state=run,
        verbose=False,
        use_float=True,
        precompute_for_predictions=False,
    )
    started = time.perf_counter()
    model.fit(table)
    seconds = time.perf_counter() - started
    error = rmse(test.rating, model.predict(test.user, test.item), scale_of(train))
    return Measured([seconds / n_epochs], {"rmse": error, "training_seconds": seconds})


def surprise_knn(data: Dataset, run: int, k: int, shrinkage: float) -> Measured:
    """Item KNN on Pearson-baseline similarities, centred on the baseline."""
    from surprise import KNNBaseline

    similarity = {"name": "pearson_baseline", "user_based": False, "shrinkage": shrinkage}
    return _surprise(KNNBaseline(k=k, sim_options=similarity, verbose=False), data, run)


def surprise_svdpp(data: Dataset, run: int) -> Measured:
    """SVD++ as Surprise sets it: 20 factors, 20 epochs. The figure is the time of its fit."""
    from surprise import SVDpp

    measured = _surprise(SVDpp(random_state=run), data, run)
    seconds = measured.facts["fit_seconds"]
    return Measured([seconds], measured.facts | {"training_seconds": seconds})


def _surprise(model: Any, data: Dataset, run: int) -> Measured:
    """Fit and predict; the figure is the time of the predictions."""
    from surprise import Dataset as SurpriseData
    from surprise import Reader

    train, test = data.train(run), data.test(run)
    table = pd.DataFrame(train._asdict())
    reader = Reader(rating_scale=scale_of(train))
    trainset = SurpriseData.load_from_df(table, reader).build_full_trainset()
    rows = list(zip(*(column.tolist() for column in test), strict=True))
    started = time.perf_counter()
    model.fit(trainset)
    fit = time.perf_counter() - started
    started = time.perf_counter()
    answers = model.test(rows)
    seconds = time.perf_counter() - started
    predicted = np.array([answer.est for answer in answers])
    facts = {
        "fit_seconds": fit,
        "predictions": len(rows),
        "per_second": len(rows) / seconds,
        "rmse": rmse(test.rating, predicted, scale_of(train)),
    }
    return Measured([seconds], facts)
