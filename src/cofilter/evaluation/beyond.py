"""What a model's lists give beyond accuracy: coverage, Gini, novelty, popularity, diversity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from cofilter.core.columns import ITEM, USER
from cofilter.core.matrix import IdMap, to_csr
from cofilter.evaluation.config import EvaluateConfig
from cofilter.metrics import beyond
from cofilter.metrics.beyond import CONSUMED
from cofilter.scoring.scores import SCOPES, Scores
from cofilter.scoring.target import Target

GRID = 2.0**-20  # of factors: far above the noise of the last bits, so that equal runs agree
_SEED = 0  # of the vector that the decomposition starts from; the result does not depend on it


def beyond_names(config: EvaluateConfig) -> tuple[str, ...]:
    """Metrics beyond accuracy, in the order of files: coverage@5, …, diversity@20, consumed_…"""
    return (*(f"{name}@{k}" for name in beyond.DEFINITIONS for k in config.k), CONSUMED)


def has_interval(metric: str) -> bool:
    """Whether users can be resampled: coverage and Gini would be biased by it."""
    return metric.partition("@")[0] not in beyond.TOTALS


@dataclass(frozen=True)
class Catalogue:
    """What all models' lists are described with; made once.

    Attributes
    ----------
    share:
        float64[items], share of the train users who rated each of the target's items.
    factors:
        float64[items, d], from `item_factors`: one representation for all models, since not every
        model has factors and each one's own would call its own lists alike.
    consumed:
        float64[users], mean share of what each of the target's users rated before; NaN for
        nothing.
    """

    share: np.ndarray
    factors: np.ndarray
    consumed: np.ndarray

    @classmethod
    def of(cls, train: pd.DataFrame, target: Target, config: EvaluateConfig) -> Catalogue:
        """From the train part that ``target`` was indexed against."""
        users = IdMap.of(train[USER].unique())
        ones = np.ones(len(train), np.float64)
        pairs = users.index(train[USER]), target.items.index(train[ITEM])
        matrix = to_csr(*pairs, ones, (len(users), len(target.items)))
        share = np.bincount(matrix.indices, minlength=len(target.items)) / max(len(users), 1)
        seen = target.seen
        consumed = beyond.consumed_popularity(seen.indptr, seen.indices, share)
        return cls(share, item_factors(matrix, config.diversity_dim), consumed)


@dataclass(frozen=True)
class BeyondScores:
    """Of one model and scope: means over users as values, and what belongs to all lists together.

    Attributes
    ----------
    values:
        float64[n] a metric, for the users of `Ranked.user`; NaN where a user has none.
    totals:
        Coverage and Gini; None without lists.
    """

    values: dict[str, np.ndarray]
    totals: dict[str, float | None]

    def metrics(self, config: EvaluateConfig) -> dict[str, float | None]:
        """Every metric of `beyond_names`; means over the users who have a value, None if nobody."""
        means = {name: _mean(each) for name, each in self.values.items()}
        return {name: (means | self.totals)[name] for name in beyond_names(config)}


def beyond_accuracy(
    scores: Scores, catalogue: Catalogue, config: EvaluateConfig
) -> dict[str, BeyondScores]:
    """Both scopes of a model; empty when it does not rank.

    Lists are those of the ranking metrics: of users with a relevant item. Cost: linear in
    users · k · d; memory: two arrays of users · d.
    """
    lists = scores.lists
    if lists is None:
        return {}
    found = {}
    diverse = beyond.diversity(lists.item, catalogue.factors, config.k)
    for name in SCOPES:
        ranked = scores.scope(name).ranked
        assert ranked is not None  # it ranks
        rows = np.searchsorted(lists.user, ranked.user)
        values, totals = {}, {}
        for k in config.k:
            items = lists.item[rows, :k]
            counts = beyond.item_counts(items, len(catalogue.share))
            totals[f"coverage@{k}"] = beyond.coverage(counts)
            totals[f"gini@{k}"] = beyond.gini(counts)
            values[f"novelty@{k}"] = beyond.novelty(items, catalogue.share)
            values[f"popularity@{k}"] = beyond.popularity(items, catalogue.share)
            values[f"diversity@{k}"] = diverse[k][rows]
        values[CONSUMED] = catalogue.consumed[ranked.user]
        found[name] = BeyondScores(values, totals)
    return found


def item_factors(matrix: sparse.csr_array, dim: int) -> np.ndarray:
    """Item factors V Σ of the truncated singular value decomposition of users × items.

    Their inner products are the best approximation of rank ``dim`` to the items' co-rating counts
    (Eckart and Young 1936); cosines are exact when ``dim`` reaches the rank.

    Parameters
    ----------
    matrix:
        float64[users, items], 1 where a user rated an item.

    Returns
    -------
    float64[items, min(dim, users, items)], rounded to multiples of GRID · the largest.

    Cost: a few hundred products of the matrix with a vector (Lanczos, scipy's ARPACK).
    """
    with threadpool_limits(1, "blas"):  # its vectors are short: more threads only wait
        length, right = _decomposed(matrix, min(dim, *matrix.shape))
    factors = right.T * length
    step = GRID * np.abs(factors).max(initial=0.0)
    return np.round(factors / step) * step if step else factors


def _decomposed(matrix: sparse.csr_array, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Singular values float64[rank] and right vectors float64[rank, items]."""
    if rank == min(matrix.shape):  # small on one side, so that the dense matrix is small
        _, length, right = np.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        start = np.random.default_rng(_SEED).random(min(matrix.shape))
        _, length, right = svds(matrix, rank, v0=start)
    return length, right


def _mean(values: np.ndarray) -> float | None:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None
