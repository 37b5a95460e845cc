"""Figures that both sides compute with the same code; NumPy only."""

from __future__ import annotations

import numpy as np

from benchmarks.dataset import Ratings

CHUNK = 1 << 20
RANKED_USERS = 10_000  # whose lists are judged
RELEVANT = 4.0  # lowest rating of a test item that should be in the list


def rmse(truth: np.ndarray, predicted: np.ndarray, scale: tuple[float, float]) -> float:
    """Root mean squared error of predictions clipped to the scale."""
    error = np.clip(predicted, *scale).astype(np.float64) - truth
    return float(np.sqrt(np.mean(error**2)))


def scale_of(train: Ratings) -> tuple[float, float]:
    """Lowest and highest rating."""
    return float(train.rating.min()), float(train.rating.max())


def ndcg(ranked: np.ndarray, test: Ratings, k: int = 10) -> float:
    """Mean NDCG@k, binary gain, over the ranked users with a relevant item in test.

    ``ranked`` int[users, ≥ k], best first, −1 where there is nothing; its rows are the first
    users. The ideal is cut at min(k, relevant items).
    """
    ranked = ranked[:, :k]
    rows = (test.user < len(ranked)) & (test.rating >= RELEVANT)
    user, item = test.user[rows].astype(np.int64), test.item[rows]
    width = max(int(test.item.max()), int(ranked.max())) + 2
    key = np.arange(len(ranked))[:, None] * width + ranked
    hit = np.isin(key, user * width + item) & (ranked >= 0)
    gain = 1 / np.log2(np.arange(2, k + 2))
    relevant = np.bincount(user, minlength=len(ranked))
    ideal = np.concatenate([[0.0], np.cumsum(gain)])[np.minimum(relevant, k)]
    some = relevant > 0
    return float((hit[some] @ gain[: ranked.shape[1]] / ideal[some]).mean())


def implicit_loss(
    x: np.ndarray, y: np.ndarray, ratings: Ratings, confidence: np.ndarray, regularization: float
) -> float:
    """Σ over all cells c (p − x·y)² + λ (|X|² + |Y|²), divided by all cells' confidence.

    Observed cells have p = 1 and the given confidence, all others p = 0 and c = 1 (Hu, Koren and
    Volinsky 2008).
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    total = float(np.sum((x.T @ x) * (y.T @ y)))  # every cell as if p were 0 and c were 1
    weight = float(len(x)) * len(y)
    for start in range(0, len(ratings.user), CHUNK):
        rows = slice(start, start + CHUNK)
        score = np.einsum("nd,nd->n", x[ratings.user[rows]], y[ratings.item[rows]])
        c = confidence[rows].astype(np.float64)
        total += float(np.sum(c * (1 - score) ** 2 - score**2))
        weight += float(np.sum(c - 1))
    penalty = regularization * float(np.sum(x**2) + np.sum(y**2))
    return (total + penalty) / weight


def dot(p: np.ndarray, q: np.ndarray, rows: Ratings) -> np.ndarray:
    """p_u·q_i of each row, in chunks."""
    out = np.empty(len(rows.user), np.float32)
    for start in range(0, len(out), CHUNK):
        at = slice(start, start + CHUNK)
        out[at] = np.einsum("nd,nd->n", p[rows.user[at]], q[rows.item[at]])
    return out


def factors(rows: int, dim: int, name: str, seed: int) -> np.ndarray:
    """Normal float32[rows, dim], the same on both sides of a row."""
    rng = np.random.default_rng([seed, *name.encode()])
    return rng.standard_normal((rows, dim), dtype=np.float32)
