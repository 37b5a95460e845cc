"""Reciprocal rank fusion: several ranked lists become one set of scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cofilter.core.matrix import UNKNOWN


def fuse(
    lists: Sequence[np.ndarray], weights: Sequence[float], constant: float, n_columns: int
) -> np.ndarray:
    """Score columns by where lists have them (Cormack, Clarke and Büttcher 2009, weighted).

        score(row, c) = Σ_lists weight / (η + rank of c in the list),   ranks from 1

    A column in nobody's list scores 0. No scores of the lists' makers are read, so that they need
    no common scale.

    Parameters
    ----------
    lists:
        int[rows, length] each, best first, distinct columns in a row, `UNKNOWN` as padding.
    weights:
        One a list.
    constant:
        η: the larger, the less the first ranks outweigh later ones.

    Returns
    -------
    float32[rows, n_columns], the same for equal lists in equal order. O(entries of the lists).
    """
    scores = np.zeros((len(lists[0]), n_columns), np.float32)
    for ranked, weight in zip(lists, weights, strict=True):
        add(scores, *entries(ranked, constant, n_columns), weight)
    return scores


def entries(ranked: np.ndarray, constant: float, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """A list's entries in the flattened scores, int64[n], and 1 / (η + rank), float32[n]."""
    row, place = np.nonzero(ranked != UNKNOWN)
    values = 1.0 / (constant + 1 + np.arange(ranked.shape[1]))
    return row * n_columns + ranked[row, place], values[place].astype(np.float32)


def add(scores: np.ndarray, at: np.ndarray, values: np.ndarray, weight: float = 1.0) -> None:
    """Add one list's `entries` to scores, in place."""
    scores.reshape(-1)[at] += np.float32(weight) * values
