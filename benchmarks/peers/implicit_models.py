"""The implicit library."""

from __future__ import annotations

import time

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase
from implicit.nearest_neighbours import CosineRecommender

from benchmarks.dataset import Dataset
from benchmarks.measures import RANKED_USERS, factors, implicit_loss, ndcg
from benchmarks.peers.matrix import by_user
from benchmarks.row import THREADS, Measured


class Laps:
    """A callback of implicit that keeps the time between epochs."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, *_: object) -> None:
        """An epoch has ended."""
        self.times.append(time.perf_counter())

    def seconds(self) -> list[float]:
        """From the first epoch's end on, so that set-up is not counted."""
        return np.diff(self.times).tolist()


def item_cosine(data: Dataset, run: int, k: int) -> Measured:
    """Cosine item neighbours; the item itself, which implicit counts as one, is asked for too."""
    matrix = by_user(data.train(run), data.shape(run))
    model = CosineRecommender(K=k + 1, num_threads=THREADS)
    started = time.perf_counter()
    model.fit(matrix, show_progress=False)
    seconds = time.perf_counter() - started
    similarity = model.similarity
    neighbour = np.full((data.shape(run)[1], k), -1, np.int32)
    value = np.zeros(neighbour.shape, np.float32)
    for item in range(len(neighbour)):
        row = slice(similarity.indptr[item], similarity.indptr[item + 1])
        others = similarity.indices[row] != item
        ids, values = similarity.indices[row][others], similarity.data[row][others]
        order = np.argsort(-values, kind="stable")[:k]
        neighbour[item, : len(order)], value[item, : len(order)] = ids[order], values[order]
    return Measured([seconds], {}, {"neighbour": neighbour, "similarity": value})


def implicit_als(
    data: Dataset, run: int, n_epochs: int, dim: int, alpha: float, regularization: float
) -> Measured:
    """Conjugate gradient ALS; its stored values are the confidences 1 + α r themselves."""
    train = data.train(run)
    confidence = 1 + alpha * train.rating
    matrix = by_user(train, data.shape(run), confidence)
    model = AlternatingLeastSquares(
        factors=dim,
        regularization=regularization,
        iterations=n_epochs,
        num_threads=THREADS,
        random_state=run,
    )
    laps: list[float] = []
    model.fit(matrix, show_progress=False, callback=lambda _, elapsed, __: laps.append(elapsed))
    loss = implicit_loss(model.user_factors, model.item_factors, train, confidence, regularization)
    return Measured(laps, {"loss": loss})


def bpr(  # noqa: PLR0913 - by keyword, the settings of one row of the table
    data: Dataset, run: int, n_epochs: int, ranked: bool, dim: int, lr: float, l2: float
) -> Measured:
    """BPR; ``dim`` factors and an item bias. One epoch more is run, and timing starts after it."""
    matrix = by_user(data.train(run), data.shape(run))
    model = BayesianPersonalizedRanking(
        factors=dim,
        learning_rate=lr,
        regularization=l2,
        iterations=n_epochs if ranked else n_epochs + 1,
        num_threads=THREADS,
        random_state=run,
    )
    laps = Laps()
    model.fit(matrix, show_progress=False, callback=laps)
    return Measured(laps.seconds(), {"ndcg": ranking(model, data, run)} if ranked else {})


def ranking(model: MatrixFactorizationBase, data: Dataset, run: int) -> float:
    """NDCG@10 of the first users without their training items."""
    matrix = by_user(data.train(run), data.shape(run))
    users = np.arange(min(matrix.shape[0], RANKED_USERS))
    lists, _ = model.recommend(users, matrix[users], N=10)
    return ndcg(lists, data.test(run))


def top_10(data: Dataset, run: int, dim: int) -> Measured:
    """Ten best unseen items of every user, from given factors."""
    matrix = by_user(data.train(run), data.shape(run))
    model = AlternatingLeastSquares(factors=dim, num_threads=THREADS)
    users, items = matrix.shape
    model.user_factors = factors(users, dim, "user", run)
    model.item_factors = factors(items, dim, "item", run)
    started = time.perf_counter()
    ids, scores = model.recommend(np.arange(users), matrix, N=10)
    seconds = time.perf_counter() - started
    return Measured([seconds], {"users": users}, {"items": ids, "scores": scores})


def rankings(data: Dataset, run: int, als: dict[str, float], bpr: dict[str, float]) -> Measured:
    """NDCG@10 of both models at the settings that cofilter's run with."""
    train = data.train(run)
    started = time.perf_counter()
    alpha, settings = als["alpha"], {name: als[name] for name in als if name != "alpha"}
    model = AlternatingLeastSquares(**settings, num_threads=THREADS, random_state=run)
    model.fit(by_user(train, data.shape(run), 1 + alpha * train.rating), show_progress=False)
    pairs = BayesianPersonalizedRanking(**bpr, num_threads=THREADS, random_state=run)
    pairs.fit(by_user(train, data.shape(run)), show_progress=False)
    facts = {"als": ranking(model, data, run), "bpr": ranking(pairs, data, run)}
    return Measured([time.perf_counter() - started], facts)
