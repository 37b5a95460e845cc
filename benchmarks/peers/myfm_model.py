"""myfm: a Bayesian factorization machine by Gibbs sampling."""

from __future__ import annotations

import time

import numpy as np
from myfm import MyFMRegressor, RelationBlock
from scipy import sparse

from benchmarks.dataset import Dataset, Ratings
from benchmarks.measures import rmse, scale_of
from benchmarks.peers.matrix import by_user
from benchmarks.row import THREADS, Measured


def gibbs(data: Dataset, run: int, draws: int, kept: int, dim: int, sided: bool) -> Measured:
    """A whole fit and its predictions of the test part.

    ``sided`` gives each user the items that the user rated, and each item the users who rated
    it, each weighted 1/√n (Rendle, Zhang and Koren 2019), once a user and item as relation
    blocks.
    """
    train, test = data.train(run), data.test(run)
    users, items = data.shape(run)
    groups = [users, items, items, users] if sided else [users, items]
    model = MyFMRegressor(rank=dim, random_seed=run)
    started = time.perf_counter()
    blocks = sided_blocks(train, (users, items)) if sided else []
    (x, related), (x_test, related_test) = (
        (None, relations(rows, blocks)) if sided else (one_hot(rows, (users, items)), [])
        for rows in (train, test)
    )
    model.fit(
        x,
        train.rating.astype(np.float64),
        X_rel=related,
        n_iter=draws,
        n_kept_samples=kept,
        group_shapes=groups,
    )
    predicted = model.predict(x_test, related_test, n_workers=THREADS)
    seconds = time.perf_counter() - started
    return Measured([seconds], {"rmse": rmse(test.rating, predicted, scale_of(train))})


def one_hot(rows: Ratings, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A column for each user, then one for each item."""
    n = len(rows.user)
    columns = np.stack([rows.user, rows.item + shape[0]], axis=1).ravel()
    parts = np.ones(2 * n), columns, np.arange(0, 2 * n + 1, 2)
    return sparse.csr_matrix(parts, shape=(n, sum(shape)))


def sided_blocks(train: Ratings, shape: tuple[int, int]) -> list[sparse.csr_matrix]:
    """What each user and each item is: itself, and its weighted counterparts in train."""
    seen = by_user(train, shape, np.ones(len(train.user)))
    sides = (seen, seen.T.tocsr())
    return [
        sparse.hstack([sparse.identity(side.shape[0]), weighted(side)], format="csr")
        for side in sides
    ]


def relations(rows: Ratings, blocks: list[sparse.csr_matrix]) -> list[RelationBlock]:
    """Which row of each block belongs to each rating."""
    indices = (rows.user.astype(np.int64), rows.item.astype(np.int64))
    return [RelationBlock(*pair) for pair in zip(indices, blocks, strict=True)]


def weighted(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by the root of the number of its entries."""
    count = np.maximum(np.diff(matrix.indptr), 1)
    return sparse.diags(1 / np.sqrt(count)) @ matrix
