"""The fused engine of SVD++: compiled passes over chunks of users on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cofilter.core.matrix import Interactions
from cofilter.models.mf.kernels.svdpp import Scratch, Step, Tables, implicit_sums, step_chunks
from cofilter.models.mf.kernels.svdpp_chunks import chunks_of, columns_of, shuffled_rows
from cofilter.models.mf.weights import item_weights
from cofilter.recommender.kernels.random import stream_key
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.learner import Arrays
from cofilter.recommender.sparse import as_sparse

if TYPE_CHECKING:
    from cofilter.models.mf.config import MFConfig

CALL_RATINGS = 1 << 19  # ratings between two ticks, at least; well under a second of work
# An epoch of fewer ratings × width is run by one thread: it takes some milliseconds, and on a
# busy machine waiting for the others after each pass takes ten times more than they save.
SHORT = 1 << 25
# At most so many chunks an epoch. Threads wait for each other twice a chunk, and at 20 M ratings
# chunks of 280,000 learn as fast an epoch as ones of 65,000.
CHUNKS = 64
LANES = 8  # rows are padded to whole vectors of so many float32


class FusedSVDPlusPlus:
    """SVD++ in training; see `SVDPlusPlus` for the loss and `step_chunks` for the steps.

    Users are dealt once, by seed, into chunks of ``batch_size`` ratings or a little more (of a
    `CHUNKS`-th of all, if that is more). Each epoch takes the chunks in an order, and each user's
    ratings from a place on, that follow from (seed, epoch), so that the tables are all that a
    later epoch depends on. The bits are the same for any number of threads.

    Memory: 16 bytes a rating, 12 more for each (item, chunk) that meet, and 4 · dim for each
    user and twice for each item.
    """

    engine = "fused"
    device = "cpu"

    def __init__(self, config: MFConfig, data: Interactions, mean: float) -> None:
        self.config = config
        n_users, n_items = data.shape
        self._order = np.random.default_rng(config.seed).permutation(n_users)
        self._n_of_item = np.bincount(data.item, minlength=n_items)
        self._weight = item_weights(self._n_of_item, config.propensity).astype(np.float32)
        self._tables = self._start(n_users, n_items)
        width = self._tables.user.shape[1]
        self._short = len(data) * width < SHORT
        by_user = data.by_user
        rated = as_sparse(by_user, by_user.data - np.float32(mean))
        with few_threads(self._short):
            self._rows = shuffled_rows(rated, self._order, stream_key(config.seed))
            least = max(config.batch_size or len(data), len(data) // CHUNKS)
            first = chunks_of(self._rows.start, least)
            self._columns = columns_of(self._rows, first)
        most = int(np.diff(first).max())
        x, implicit = np.zeros((2, most, width), np.float32)
        self._scratch = Scratch(x, implicit, np.zeros(most, np.float32), np.zeros(most))

    def _start(self, n_users: int, n_items: int) -> Tables:
        """Normal factors, implicit ones and biases 0; padding is 0 and stays so."""
        width = -(-self.config.dim // LANES) * LANES
        rng = np.random.default_rng((self.config.seed, 0))
        user, item, implicit = (
            np.zeros((rows, width), np.float32) for rows in (n_users, n_items, n_items)
        )
        for table in (user, item):
            start = rng.standard_normal((len(table), self.config.dim), np.float32)
            table[:, : self.config.dim] = np.float32(self.config.init_std) * start
        return Tables(
            user, item, implicit, np.zeros(n_users, np.float32), np.zeros(n_items, np.float32)
        )

    def identity(self) -> dict[str, Any]:
        """Engine only: the bits do not depend on threads."""
        return {"engine": self.engine}

    def learning_rate(self, epoch: int) -> float:
        """By the configured schedule; epochs count from 1."""
        return self.config.learning_rate(epoch)

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One pass over all chunks; gives the mean of e² + λ (…), the penalty as of its end."""
        step = Step(np.float32(self.learning_rate(epoch)), np.float32(self.config.l2))
        turn = stream_key(self.config.seed, epoch)
        first, start = self._columns.first, self._rows.start
        order = np.random.default_rng((self.config.seed, epoch)).permutation(len(first) - 1)
        size = start[first[order + 1]] - start[first[order]]
        total = 0.0
        with few_threads(self._short):
            for part in np.split(order, _cuts(size, CALL_RATINGS)):
                total += step_chunks(
                    part, self._rows, self._columns, self._weight, self._tables, step, turn,
                    self._scratch,
                )  # fmt: skip
                tick(int((start[first[part + 1]] - start[first[part]]).sum()))
        return (total + self._penalty()) / int(start[-1])

    def _penalty(self) -> float:
        """λ times the squared parameters of each rating, summed."""
        tables = self._tables
        n_of_user = np.diff(self._rows.start)
        with np.errstate(over="ignore", invalid="ignore"):  # the loss shows a divergence
            user = _squares(tables.user) + tables.user_bias**2
            item = _squares(tables.item) + tables.item_bias**2 + _squares(tables.implicit)
            return self.config.l2 * float(
                user.astype(np.float64) @ n_of_user + item.astype(np.float64) @ self._n_of_item
            )

    def parameters(self) -> Arrays:
        """``user``, ``item``, float32[n, dim + 1] with effective user factors p + z, ``implicit``.

        z is summed anew from the present y: O(n · dim).
        """
        tables, dim = self._tables, self.config.dim
        with few_threads(self._short):
            sums = implicit_sums(self._rows.start, self._rows.at, tables.implicit)
        user = np.empty((len(tables.user), dim + 1), np.float32)
        user[self._order, :-1] = tables.user[:, :dim] + sums[:, :dim]
        user[self._order, -1] = tables.user_bias
        item = np.concatenate([tables.item[:, :dim], tables.item_bias[:, None]], axis=1)
        return {"user": user, "item": item, "implicit": tables.implicit[:, :dim].copy()}

    def state(self) -> Arrays:
        """The tables, which is all."""
        return {name: table.copy() for name, table in self._tables._asdict().items()}

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave."""
        for name, table in self._tables._asdict().items():
            table[...] = state[name]


def _squares(table: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", table, table)


def _cuts(size: np.ndarray, least: int) -> np.ndarray:
    """Where to cut a sequence into parts of ``least`` or little more each."""
    part = np.cumsum(size) // least
    return np.flatnonzero(np.diff(part)) + 1
