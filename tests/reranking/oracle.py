"""Re-ranking as its formulas read, candidate by candidate, without a shortcut."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Objective = Callable[[list[int], int], float]
TIE = 1e-9  # objectives that differ by less are equal: sums are ordered differently here


def unit(values: Sequence[float]) -> list[float]:
    """Mapped to 0 … 1; all 0 when all are equal."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]


def greedy(n: int, k: int, objective: Objective) -> list[int]:
    """Places of the k candidates that are best one after the other, of equals the first."""
    chosen: list[int] = []
    while len(chosen) < min(n, k):
        left = [at for at in range(n) if at not in chosen]
        best = max(objective(chosen, at) for at in left)
        chosen.append(next(at for at in left if objective(chosen, at) > best - TIE))
    return chosen


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    length = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / length if length else 0.0


def mmr(
    items: Sequence[int], scores: Sequence[float], strength: float, vectors: np.ndarray, k: int
) -> list[int]:
    relevance, rows = unit(scores), vectors.astype(np.float64)

    def objective(chosen: list[int], at: int) -> float:
        alike = [cosine(rows[items[at]], rows[items[other]]) for other in chosen]
        return (1 - strength) * relevance[at] - strength * max(alike, default=0.0)

    return greedy(len(items), k, objective)


def popularity(
    items: Sequence[int], scores: Sequence[float], strength: float, counts: np.ndarray, k: int
) -> list[int]:
    relevance = unit(scores)
    popular = unit([math.log(1 + counts[item]) for item in items])

    def objective(chosen: list[int], at: int) -> float:
        return (1 - strength) * relevance[at] - strength * popular[at]

    return greedy(len(items), k, objective)


def shares(items: Sequence[int], genres: Sequence[Sequence[str]]) -> dict[str, float]:
    """Mean genre shares of the items that have genres."""
    known = [item for item in items if genres[item]]
    found: dict[str, float] = {}
    for item in known:
        for name in genres[item]:
            found[name] = found.get(name, 0.0) + 1 / len(genres[item]) / len(known)
    return found


def divergence(p: dict[str, float], q: dict[str, float], alpha: float = 0.01) -> float:
    return sum(
        share * math.log(share / ((1 - alpha) * q.get(name, 0.0) + alpha * share))
        for name, share in p.items()
    )


def genres(
    items: Sequence[int],
    scores: Sequence[float],
    strength: float,
    history: Sequence[int],
    of: Sequence[Sequence[str]],
    k: int,
) -> list[int]:
    relevance, p = unit(scores), shares(history, of)
    if not p:
        return list(range(min(k, len(items))))

    def objective(chosen: list[int], at: int) -> float:
        places = [*chosen, at]
        total = sum(relevance[place] for place in places)
        far = divergence(p, shares([items[place] for place in places], of))
        return (1 - strength) * total - strength * far

    return greedy(len(items), k, objective)
