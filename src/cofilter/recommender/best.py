"""The best of scores, by compiled kernels, or for one user by NumPy where none is loaded.

Numba takes half a second to import and to load a first kernel, more than all else that a command
does for one user. Both ways give the same, to the bit.
"""

from __future__ import annotations

import sys

import numpy as np

_KERNELS = "cofilter.recommender.kernels.topk"


def loaded() -> bool:
    """Whether this process has imported Numba's kernels."""
    return _KERNELS in sys.modules


def start_threads() -> None:
    """As `cofilter.recommender.kernels.threads.start_threads`."""
    from cofilter.recommender.kernels import threads

    threads.start_threads()


def top_k(
    scores: np.ndarray, excluded_start: np.ndarray, excluded: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """As `cofilter.recommender.kernels.topk.top_k`."""
    if len(scores) == 1 and not loaded():
        return _top_of_row(scores[0], excluded[excluded_start[0] : excluded_start[1]], k)
    from cofilter.recommender.kernels import topk

    start_threads()
    return topk.top_k(scores, excluded_start, excluded, k)


def append_popular(
    items: np.ndarray,
    scores: np.ndarray,
    popularity: np.ndarray,
    order: np.ndarray,
    left_out: tuple[np.ndarray, np.ndarray],
) -> None:
    """As `cofilter.recommender.kernels.popular.append_popular`."""
    if len(items) == 1 and not loaded():
        start, item = left_out
        _append_to_row(items[0], scores[0], popularity, order, item[start[0] : start[1]])
        return
    from cofilter.recommender.kernels import popular

    start_threads()
    popular.append_popular(items, scores, popularity, order, left_out)


def load_kernels() -> None:
    """Load those that rank one user, which run in one thread."""
    from cofilter.recommender.kernels import popular, topk

    nothing = np.zeros(2, np.int64), np.empty(0, np.int32)
    items, scores = topk.top_k(np.zeros((1, 1), np.float32), *nothing, 2)
    popular.append_popular(items, scores, np.ones(1, np.int64), np.zeros(1, np.int64), nothing)


def _top_of_row(row: np.ndarray, left_out: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    row[left_out] = -np.inf
    some = np.flatnonzero(row > -np.inf)
    found = some[np.argsort(-row[some], kind="stable")[:k]]
    ids, best = np.full((1, k), -1, np.int32), np.full((1, k), -np.inf, np.float32)
    ids[0, : len(found)], best[0, : len(found)] = found, row[found]
    return ids, best


def _append_to_row(
    items: np.ndarray,
    scores: np.ndarray,
    popularity: np.ndarray,
    order: np.ndarray,
    left_out: np.ndarray,
) -> None:
    size = int((items >= 0).sum())
    further = order[~np.isin(order, np.concatenate([items[:size], left_out]))]
    further = further[: len(items) - size]
    count = popularity[further].astype(np.float64)
    if size:
        lowest = float(scores[size - 1])
        most = float(popularity[order[0]])
        count = min(lowest, 0.0) - (most + 1.0 - count) * max(1.0, -lowest)
    end = size + len(further)
    items[size:end], scores[size:end] = further, count
