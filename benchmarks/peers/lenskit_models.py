"""LensKit."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from lenskit.als import BiasedMFScorer
from lenskit.data import Dataset as LensKitData
from lenskit.data import from_interactions_df
from lenskit.knn import EASEScorer, ItemKNNScorer
from lenskit.training import TrainingOptions

from benchmarks.dataset import Dataset, Ratings
from benchmarks.measures import RANKED_USERS, dot, ndcg, rmse, scale_of
from benchmarks.peers.matrix import by_user
from benchmarks.row import Measured


def converted(ratings: Ratings) -> LensKitData:
    """Its own form of a data set; ids are the indices, which it keeps in order."""
    columns = {"user_id": ratings.user, "item_id": ratings.item, "rating": ratings.rating}
    return from_interactions_df(pd.DataFrame(columns))


def item_knn(data: Dataset, run: int, k: int) -> Measured:
    """Item neighbours; it always centres explicit ratings, so this is for orientation."""
    model = ItemKNNScorer(max_nbrs=k, save_nbrs=k, feedback="explicit")
    train = converted(data.train(run))
    started = time.perf_counter()
    model.train(train)
    return Measured([time.perf_counter() - started])


def explicit_als(
    data: Dataset, run: int, n_epochs: int, dim: int, regularization: float
) -> Measured:
    """Biased ALS; ``training_seconds`` holds set-up and all epochs, but not the conversion."""
    train, test = data.train(run), data.test(run)
    scale = scale_of(train)
    lenskit_data = converted(train)
    started = time.perf_counter()
    model = BiasedMFScorer(embedding_size=dim, epochs=n_epochs, regularization=regularization)
    trainer = model.create_trainer(lenskit_data, TrainingOptions(rng=run))
    seconds = time.perf_counter() - started
    epochs, curve = [], []
    for _ in range(n_epochs):
        started = time.perf_counter()
        trainer.train_epoch()
        epochs.append(time.perf_counter() - started)
        seconds += epochs[-1]
        curve.append([seconds, rmse(test.rating, predicted(model, test), scale)])
    return Measured(epochs, {"curve": curve, "rmse": curve[-1][1], "training_seconds": seconds})


def predicted(model: BiasedMFScorer, rows: Ratings) -> np.ndarray:
    """What its pipeline would predict, all rows at once."""
    assert model.user_embeddings is not None
    bias = model.bias
    assert bias.user_biases is not None
    assert bias.item_biases is not None
    offset = bias.global_bias + bias.user_biases[rows.user] + bias.item_biases[rows.item]
    return offset + dot(model.user_embeddings, model.item_embeddings, rows)


def rankings(data: Dataset, run: int, regularization: float) -> Measured:
    """NDCG@10 of EASE without the training items."""
    train, test = data.train(run), data.test(run)
    model = EASEScorer(regularization=regularization)
    started = time.perf_counter()
    model.train(converted(train))
    seconds = time.perf_counter() - started
    seen = by_user(train, data.shape(run), np.ones(len(train.user)))[:RANKED_USERS]
    scores = np.asarray(seen @ model.weights)
    scores[seen.nonzero()] = -np.inf
    lists = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    return Measured([seconds], {"ease": ndcg(lists, test)})
