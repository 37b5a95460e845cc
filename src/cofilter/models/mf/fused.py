"""The fused engine of matrix factorization: CPU kernels, the same bits for any threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cofilter.core.matrix import Interactions
from cofilter.models.mf.config import FIRST_SQUARES
from cofilter.models.mf.kernels.blocks import GROUPS, cut
from cofilter.models.mf.kernels.sgd import Rows, Side, Step, balanced, descend, sgd_diagonal
from cofilter.models.mf.weights import item_means, weighted
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.learner import Arrays
from cofilter.recommender.sparse import as_sparse

if TYPE_CHECKING:
    from cofilter.models.mf.config import MFConfig

LANES = 32  # rows are padded to a multiple of so many floats, so that SIMD loops have no rest
CALL = 1 << 26  # ratings × width of one kernel call: some tenths of a second
ALONE = 1 << 21  # ratings × width of a call below which a second thread costs more than it saves


class _Fused:
    """What both learners share."""

    engine = "fused"
    device = "cpu"

    def __init__(self, config: MFConfig, data: Interactions) -> None:
        self.config = config
        self._n = len(data)
        self._width = -(-config.dim // LANES) * LANES
        self._generator = np.random.default_rng(config.seed)

    def _start(self, rows: int) -> np.ndarray:
        """float32[rows, width]: normal factors, zero beyond dim."""
        factors = np.zeros((rows, self._width), np.float32)
        shape = rows, self.config.dim
        factors[:, : shape[1]] = self._generator.normal(0.0, self.config.init_std, shape)
        return factors

    def _calls(self, ratings: int) -> int:
        """Kernel calls that so many ratings are cut into."""
        return max(1, -(-ratings * self._width // CALL))

    def identity(self) -> dict[str, Any]:
        """Engine only: the bits do not depend on threads."""
        return {"engine": self.engine}

    def learning_rate(self, epoch: int) -> float:
        """By the configured schedule; epochs count from 1."""
        return self.config.learning_rate(epoch)


class FusedFactors(_Fused):
    """Factors in training by stochastic steps, one a rating; see `sgd_diagonal`.

    An epoch runs the diagonals of the grid in an order that seed and epoch set. Its loss is the
    class's, with each error taken before its own step and the penalty at the end of the epoch.

    Memory: 8 bytes a rating, 128 a user, and two tables of rows · (4 · width + 8) bytes.
    """

    def __init__(self, config: MFConfig, data: Interactions, mean: float) -> None:
        super().__init__(config, data)
        value = data.rating - np.float32(mean)
        weight = weighted(data, config.propensity).weight
        self._grid = cut(data.user, data.item, value, weight, data.shape, self._generator)
        self._users, self._items = (self._side(rows) for rows in data.shape)
        self._count = [
            np.bincount(data.user, minlength=data.shape[0])[self._grid.user_order],
            np.bincount(data.item, minlength=data.shape[1])[self._grid.item_order],
        ]

    def _side(self, rows: int) -> Side:
        squares = np.full(rows, FIRST_SQUARES, np.float32)
        return Side(self._start(rows), np.zeros(rows, np.float32), squares)

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One step for each rating; gives the mean loss."""
        config = self.config
        step = Step(
            np.float32(self.learning_rate(epoch)),
            np.float32(config.l2),
            np.float32(config.dim),
            config.optimizer == "adagrad",
            config.kind == "biased",
        )
        order = np.random.default_rng([config.seed, epoch]).permutation(GROUPS)
        with few_threads(self._n // GROUPS * self._width < ALONE):
            error = sum(self._diagonal(shift, step, tick) for shift in order)
        return (error + config.l2 * self._penalty()) / self._n

    def _diagonal(self, shift: int, step: Step, tick: Callable[[int], None]) -> float:
        """One step for each rating of a diagonal; gives Σ w e²."""
        parts, total = self._calls(self._n // GROUPS), 0.0
        sides = self._users, self._items
        for part in range(parts):
            errors, count = sgd_diagonal(self._grid, shift, part, parts, *sides, step)
            total += float(errors.sum())
            tick(int(count.sum()))
        return total

    def _penalty(self) -> float:
        """Σ over the ratings of |p_u|² + |q_i|² + b_u² + b_i²."""
        total = 0.0
        for side, count in zip((self._users, self._items), self._count, strict=True):
            squares = np.einsum("rf,rf->r", side.factors, side.factors) + side.bias**2
            total += float(squares.astype(np.float64) @ count)
        return total

    def parameters(self) -> Arrays:
        """``user`` and ``item``, float32[n, dim + 1]."""
        orders = {"user": self._grid.user_order, "item": self._grid.item_order}
        sides = {"user": self._users, "item": self._items}
        tables = {}
        for name, side in sides.items():
            table = np.empty((len(side.bias), self.config.dim + 1), np.float32)
            table[orders[name], :-1] = side.factors[:, : self.config.dim]
            table[orders[name], -1] = side.bias
            tables[name] = table
        return tables

    def state(self) -> Arrays:
        """Factors, biases and AdaGrad's sums, in the grid's order, which the seed sets."""
        sides = {"user": self._users, "item": self._items}
        return {
            f"{name}.{field}": array.copy()
            for name, side in sides.items()
            for field, array in side._asdict().items()
        }

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave."""
        for name, side in {"user": self._users, "item": self._items}.items():
            for field, array in side._asdict().items():
                array[...] = state[f"{name}.{field}"]


class FusedDescent(_Fused):
    """Factors in training by full-batch gradient descent; see `descend`.

    The loss of an epoch is that of its start. Memory: 24 bytes a rating, and each table twice.
    """

    def __init__(self, config: MFConfig, data: Interactions, mean: float) -> None:
        super().__init__(config, data)
        self._mean = (item_means(data) + mean).astype(np.float32)
        data = weighted(data, config.propensity)
        by_user, by_item = data.by_user, data.by_item
        user_values = by_user.data - self._mean[by_user.indices]
        item_values = by_item.data - np.repeat(self._mean, np.diff(by_item.indptr))
        self._sides = (
            Rows(*as_sparse(by_user, user_values), data.weight_by_user),
            Rows(*as_sparse(by_item, item_values), data.weight_by_item),
        )
        self._factors = [self._start(rows) for rows in data.shape]
        self._spare = [np.zeros_like(factors) for factors in self._factors]

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One step of both sides; gives the mean loss."""
        lr, l2 = np.float32(self.learning_rate(epoch)), np.float32(self.config.l2)
        squares = sum(float(np.sum(each.astype(np.float64) ** 2)) for each in self._factors)
        errors = 0.0
        with few_threads(self._n * self._width < ALONE):
            for side, rows in enumerate(self._sides):
                own, other = self._factors[side], self._factors[1 - side]
                for bound in balanced(rows.start, self._calls(self._n)):
                    found = descend(rows, bound, own, other, lr, l2, self._spare[side])
                    done = int(rows.start[bound[-1]] - rows.start[bound[0]])
                    # A rating is done, and its error counted, when its item has seen it too.
                    errors += float(found.sum()) if side else 0.0
                    tick(done if side else 0)
        self._factors, self._spare = self._spare, self._factors
        return 0.5 * (errors + self.config.l2 * squares) / self._n

    def parameters(self) -> Arrays:
        """``user`` and ``item``, float32[n, dim + 1]; the last columns hold 0 and the mean."""
        last = np.zeros(len(self._factors[0]), np.float32), self._mean
        user, item = (
            np.column_stack([factors[:, : self.config.dim], column])
            for factors, column in zip(self._factors, last, strict=True)
        )
        return {"user": user, "item": item}

    def state(self) -> Arrays:
        """The factors."""
        return {"user": self._factors[0].copy(), "item": self._factors[1].copy()}

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave."""
        self._factors = [state["user"].copy(), state["item"].copy()]
