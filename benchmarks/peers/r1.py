"""The published procedure "memory-based against model-based on MovieLens 20M" (R1).

Written as its description says: similarity tables and one pandas look-up a pair; two embeddings,
N(0, 1), the model compiled, trained by Adam over ten shuffled chunks an epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch

from benchmarks.dataset import Dataset
from benchmarks.measures import rmse, scale_of
from benchmarks.row import THREADS, Measured

NEIGHBOURS = 10
CHUNKS = 10
LR = 0.005


def cosine(table: pd.DataFrame) -> pd.DataFrame:
    """Cosine similarity of all pairs of rows."""
    values = table.to_numpy()
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return pd.DataFrame(unit @ unit.T, index=table.index, columns=table.index)


def memory_based(data: Dataset, run: int, kind: str, n_predicted: int) -> Measured:
    """Predict test pairs one by one; the pivot and the similarities are the fit."""
    train, test = data.train(run), data.test(run)
    pairs = list(zip(test.user.tolist(), test.item.tolist(), strict=True))[:n_predicted]
    started = time.perf_counter()
    pivot = pd.DataFrame(train._asdict()).pivot(index="user", columns="item", values="rating")
    pivot = pivot.fillna(0)
    similarity = cosine(pivot if kind == "user" else pivot.T)
    fit = time.perf_counter() - started
    predict = user_based(pivot, similarity) if kind == "user" else item_based(pivot, similarity)
    started = time.perf_counter()
    predicted = np.array([predict(user, item) for user, item in pairs])
    seconds = time.perf_counter() - started
    facts = {
        "fit_seconds": fit,
        "predictions": len(pairs),
        "per_second": len(pairs) / seconds,
        "rmse": rmse(test.rating[: len(pairs)], predicted, scale_of(train)),
    }
    return Measured([seconds], facts, {"predicted": predicted})


def user_based(ratings: pd.DataFrame, similarity: pd.DataFrame) -> Callable[[int, int], float]:
    """Weighted mean over the most similar users who rated the item; NaN without any."""

    def predict(user: int, item: int) -> float:
        column = ratings[item]
        raters = column[column > 0].index
        nearest = similarity.loc[user, raters].nlargest(NEIGHBOURS)
        weight = nearest / nearest.abs().sum()
        return float((weight * column[nearest.index]).sum()) if len(nearest) else float("nan")

    return predict


def item_based(ratings: pd.DataFrame, similarity: pd.DataFrame) -> Callable[[int, int], float]:
    """Weighted mean over the most similar items that the user rated; NaN without any."""

    def predict(user: int, item: int) -> float:
        row = ratings.loc[user]
        rated = row[row > 0].index
        nearest = similarity.loc[item, rated].nlargest(NEIGHBOURS)
        weight = nearest / nearest.abs().sum()
        return float((weight * row[nearest.index]).sum()) if len(nearest) else float("nan")

    return predict


class Dot(torch.nn.Module):
    """The product of two embeddings, N(0, 1) at the start."""

    def __init__(self, users: int, items: int, dim: int) -> None:
        super().__init__()
        self.users = torch.nn.Embedding(users, dim)
        self.items = torch.nn.Embedding(items, dim)

    def forward(self, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
        """Predicted ratings of pairs."""
        return (self.users(user) * self.items(item)).sum(1)


def trained(data: Dataset, run: int, dim: int) -> Iterator[tuple[float, Dot]]:
    """Epochs without end: the seconds each took, and the model. Compiling is not in them."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(run)
    train = data.train(run)
    user, item = (torch.tensor(column, dtype=torch.int64) for column in train[:2])
    rating = torch.tensor(train.rating)
    model = Dot(*data.shape(run), dim)
    predict = torch.compile(model, dynamic=True)
    optimizer = torch.optim.Adam(model.parameters(), LR)

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.mse_loss(predict(user[rows], item[rows]), rating[rows])

    for rows in torch.arange(len(rating)).chunk(CHUNKS)[:: CHUNKS - 1]:
        loss_of(rows).backward()  # both sizes of a chunk; nothing is learned without a step
    while True:
        started = time.perf_counter()
        for rows in torch.randperm(len(rating)).chunk(CHUNKS):
            optimizer.zero_grad()
            loss_of(rows).backward()
            optimizer.step()
        yield time.perf_counter() - started, model


def epochs(data: Dataset, run: int, dim: int, n_epochs: int) -> Measured:
    """Seconds of each epoch."""
    each = zip(range(n_epochs), trained(data, run, dim), strict=False)
    return Measured([seconds for _, (seconds, _) in each])


def curve(data: Dataset, run: int, dim: int, n_epochs: int) -> Measured:
    """Test RMSE after each epoch, beside the time of training until then."""
    test, scale = data.test(run), scale_of(data.train(run))
    user, item = (torch.tensor(column, dtype=torch.int64) for column in test[:2])
    times, points = [], []
    for _, (seconds, model) in zip(range(n_epochs), trained(data, run, dim), strict=False):
        times.append(seconds)
        with torch.no_grad():
            predicted = model(user, item).numpy()
        points.append([sum(times), rmse(test.rating, predicted, scale)])
    return Measured(times, {"curve": points, "rmse": points[-1][1]})
