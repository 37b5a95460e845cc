"""Factors for ranking in training: sampled triples, stepped on in conflict-free rounds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from cofilter.core.errors import DataError
from cofilter.core.matrix import Interactions
from cofilter.models.bpr.kernels.alias import Weighted, weighted
from cofilter.models.bpr.kernels.triples import (
    PIECES,
    deal,
    draw_triples,
    tournament,
    train_triples,
)
from cofilter.recommender.kernels.random import stream_key
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.learner import Arrays
from cofilter.recommender.sparse import ItemLists

if TYPE_CHECKING:
    from cofilter.models.bpr.config import BPRConfig

# Rows drawn and stepped on together, 16 bytes each. In a chunk an item meets one group of items
# after the other, so chunks must be short against the updates of an item that still show in its
# bias; longer ones lose NDCG in the first epochs, shorter ones gain nothing.
CHUNK = 500_000
ALONE = 100_000  # rows below which one thread does the work, for which many would wait too often
LINE = 16  # float32s in a cache line


def likes(data: Interactions, min_rating: float | None) -> tuple[ItemLists, ItemLists]:
    """(positives, known items) of each user, item indices ascending.

    Rows below ``min_rating`` are no positives, but stay known: that a user tried an item and did
    not like it much is no reason to rank it below all that the user never met.
    """
    matrix = data.by_user
    start, item = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False)
    known = ItemLists(start, item)
    if min_rating is None:
        return known, known
    positive = matrix.data >= min_rating
    before = np.concatenate(([0], np.cumsum(positive)))
    return ItemLists(before[start], item[positive]), known


def negatives(config: BPRConfig, popularity: np.ndarray) -> Weighted:
    """The distribution of negatives before those that the user knows are rejected."""
    power = config.power if config.negatives == "popularity" else 0.0
    return weighted(popularity.astype(np.float64) ** power)


class TripleFactors:
    """Factors in training; see `BPR` for the loss and the draws.

    An epoch takes the users in a random order, `CHUNK` rows of them at a time. Order and
    draws are functions of (seed, epoch) alone, so the parameters are the whole state, and the
    bits do not depend on the number of threads.

    Memory: 4 · (users + items) · (dim and a bias, rounded up to 16) bytes of parameters, 4 bytes a
    row for the users' lists (8 with ``min_rating``), and about 8 MB for a chunk.
    """

    engine = "fused"
    device = "cpu"

    def __init__(self, config: BPRConfig, data: Interactions) -> None:
        self.config = config
        self._liked, self._known = likes(data, config.min_rating)
        if not len(self._liked.item):
            raise DataError(
                f"bpr.min_rating: {config.min_rating} leaves no positives, "
                f"the highest rating is {data.rating.max():g}"
            )
        n_users, n_items = data.shape
        self._count = np.diff(self._liked.start)
        popularity = np.bincount(data.item, minlength=n_items)
        self._table = negatives(config, popularity)
        self._group, self._cell_of = deal(popularity), tournament()
        generator = np.random.default_rng(stream_key(config.seed, 0))
        self._user = aligned(n_users, config.dim)
        self._item = aligned(n_items, config.dim + 1)
        for factors in (self._user, self._item):
            shape = len(factors), config.dim
            factors[:, : config.dim] = config.init_std * generator.standard_normal(
                shape, np.float32
            )
        self._user[self._count == 0] = 0

    def identity(self) -> dict[str, Any]:
        """Engine and the versions that compile the kernels and order the users."""
        return {"engine": self.engine, "numba": numba.__version__, "numpy": np.__version__}

    def learning_rate(self, epoch: int) -> float:
        """The same in every epoch."""
        return self.config.lr

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One triple a positive; gives the mean loss, 0 when no user has an unknown item."""
        key = stream_key(self.config.seed, epoch)
        users = np.random.default_rng(key).permutation(len(self._count)).astype(np.int32)
        before = np.concatenate(([0], np.cumsum(self._count[users])))
        n_chunks = -(-int(before[-1]) // CHUNK)
        chunks = cuts(before, n_chunks)
        loss, n_triples = 0.0, 0
        with few_threads(int(before[-1]) // n_chunks < ALONE):
            for first, last in pairwise(chunks):
                offset = before[first : last + 1] - before[first]
                triples, cells = draw_triples(
                    users[first:last], cuts(offset, PIECES), offset, self._liked, self._known,
                    self._table, self._group, self._cell_of, key, self.config.tries,
                )  # fmt: skip
                loss += train_triples(
                    self._user, self._item, self.config.dim, triples, cells,
                    np.float32(self.config.lr), np.float32(self.config.l2),
                )  # fmt: skip
                n_triples += len(triples)
                tick(int(offset[-1]))
        return loss / max(n_triples, 1)

    def parameters(self) -> Arrays:
        """``user`` float32[users, dim] and ``item`` float32[items, dim + 1], the bias last."""
        dim = self.config.dim
        return {"user": self._user[:, :dim].copy(), "item": self._item[:, : dim + 1].copy()}

    def state(self) -> Arrays:
        """The parameters; all else follows from the seed and the epoch."""
        return self.parameters()

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave."""
        dim = self.config.dim
        self._user[:, :dim], self._item[:, : dim + 1] = state["user"], state["item"]


def cuts(before: np.ndarray, n: int) -> np.ndarray:
    """Bounds int64[n + 1] that cut users, with so many rows before each, into n nearly equal parts.

    ``before`` is int64[users + 1]; a user is never cut, so a part may be empty.
    """
    bounds = np.searchsorted(before, np.arange(n + 1) * (before[-1] / n))
    bounds[0], bounds[-1] = 0, len(before) - 1
    return bounds


def aligned(n: int, width: int) -> np.ndarray:
    """Zeros float32[n, ≥ width] whose rows begin on cache lines, so that workers share none."""
    stride = -(-width // LINE) * LINE
    raw = np.zeros(n * stride + LINE, np.float32)
    skip = -(raw.ctypes.data // raw.itemsize) % LINE
    return raw[skip : skip + n * stride].reshape(n, stride)
