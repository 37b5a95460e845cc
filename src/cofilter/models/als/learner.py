"""Alternating least squares in training: both sides' tables and what a half iteration needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numba
import numpy as np
from scipy import sparse

from cofilter.core.errors import DataError
from cofilter.core.matrix import Interactions
from cofilter.models.als.config import ALSConfig, amounts
from cofilter.models.als.kernels.dual import NO_ROW, Few, few_of, most_pairs
from cofilter.models.als.kernels.rows import Objective, Table, gram, solve_rows
from cofilter.models.als.kernels.tile import padded
from cofilter.recommender.learner import Arrays
from cofilter.recommender.sparse import as_sparse

BATCH_WORK = 1 << 32  # multiply-adds between two ticks: a tenth of a second to one second


def objective_of(config: ALSConfig, mean: float) -> Objective:
    """The configured objective as the kernels take it; ``mean`` is that of all ratings."""
    slope, shift = 1.0, -mean
    if config.kind == "implicit":
        slope, shift = extra_confidence(config)
    numbers = (slope, shift, config.regularization)
    return Objective(config.kind == "implicit", *(np.float32(number) for number in numbers))


def extra_confidence(config: ALSConfig) -> tuple[float, float]:
    """(slope, shift): an observed pair counts 1 + slope · amount + shift times."""
    alpha = config.alpha
    assert alpha is not None  # settled by what is fitted
    forms = {
        "rating": (alpha, 0.0),
        "constant": (0.0, alpha),
        "log": (alpha, 0.0),
        "scaled": (alpha, -1.0),
    }
    return forms[config.confidence]


def taken(config: ALSConfig, rating: np.ndarray) -> np.ndarray:
    """bool[n]: which ratings the objective is about.

    Raises
    ------
    DataError
        A rating would make a confidence lower than that of a pair that was never observed.
    """
    keep = np.ones(len(rating), bool)
    if config.kind == "explicit":
        return keep
    if config.min_rating is not None:
        keep = rating >= config.min_rating
    slope, shift = extra_confidence(config)
    lowest = float(rating[keep].min()) if keep.any() else np.inf
    if slope * lowest + shift < 0:  # a logarithm has the sign of its rating
        raise DataError(
            f"als: with confidence {config.confidence} and alpha {config.alpha:g} a rating of "
            f"{lowest:g} would count less than none; set als.confidence to constant, or "
            f"als.min_rating to {0.0 - shift / slope:g} or more"
        )
    return keep


def to_table(array: np.ndarray) -> Table:
    """The kernels' form of float32[n, dim + 1], the bias in the last column."""
    dim = array.shape[1] - 1
    factor = np.zeros((len(array), padded(dim)), np.float32)
    factor[:, :dim] = array[:, :dim]
    return Table(factor, array[:, dim].astype(np.float32))


def from_table(table: Table, dim: int) -> np.ndarray:
    """float32[n, dim + 1] again, always a copy."""
    return np.column_stack([table.factor[:, :dim], table.bias])


class HalfIteration:
    """All rows of one side, cut into batches of bounded work, heaviest rows first.

    ``weight``: of the stored entries, as `solve_rows` takes it. ``n_ratings``: int64[rows].
    ``by_pairs``: solve short rows by `cofilter.models.als.kernels.dual`, which pays where the
    fixed side changes from call to call less often than there are rows.
    """

    def __init__(
        self,
        matrix: sparse.csr_array,
        weight: np.ndarray,
        objective: Objective,
        steps: int,
        *,
        by_pairs: bool = False,
    ) -> None:
        self._rows, self._weight = as_sparse(matrix), weight
        self._objective = objective
        self._steps = steps
        self._by_pairs = by_pairs and objective.implicit and steps == 0
        self.n_ratings = np.diff(self._rows.start)
        self._order = np.argsort(-self.n_ratings, kind="stable")

    def solve(
        self, fixed: Table, own: Table, base: np.ndarray | None = None
    ) -> Iterator[tuple[int, float]]:
        """Solve every row into ``own``; gives (ratings, their loss and penalty) of each batch.

        Loss as `solve_rows` defines it. ``base``: `base_of` the fixed side, where it is at hand.
        Scratch: 64 Gram matrices.
        """
        width = fixed.factor.shape[1]
        if base is None:
            base = base_of(fixed, self._objective)
        few = self._few(fixed, base)
        loss = np.zeros(len(self._order))
        for batch in self._batches(width):
            solve_rows(
                self._rows, self._weight, batch, fixed, base, few, self._objective, self._steps,
                own.factor, own.bias, loss, np.zeros(1, np.int64),
            )  # fmt: skip
            yield int(self.n_ratings[batch].sum()), float(loss[batch].sum())

    def _few(self, fixed: Table, base: np.ndarray) -> Few:
        most = most_pairs(fixed.factor.shape[1]) if self._by_pairs else 0
        if not (self.n_ratings <= most).any() or not np.isfinite(base).all():
            return NO_ROW
        return few_of(fixed.factor, base, float(self._objective.regularization))

    def _batches(self, width: int) -> list[np.ndarray]:
        work = self.n_ratings[self._order] * (width**2 // 2) + width**3 // 6 + 4 * width**2
        batch = np.cumsum(work) // BATCH_WORK
        return np.split(self._order, np.flatnonzero(np.diff(batch)) + 1)


class AlternatingFactors:
    """Tables of both sides in training; see `cofilter.models.als.model` for the objective.

    An epoch solves all users against the items, then all items against the users. The item side
    starts as N(0, init_std²), the user side as 0; nothing else is random, so that the tables are
    all the state there is.

    Memory: the ratings in both orders (16 bytes each), (users + items) · (dim + 1) floats.
    """

    engine = "fused"
    device = "cpu"

    def __init__(self, config: ALSConfig, data: Interactions, mean: float) -> None:
        config = config.settled(data)
        self._dim = config.length
        self._regularization = config.regularization
        self._implicit = config.kind == "implicit"
        data = _some_observed(config, data)
        steps = config.cg_steps if config.solver == "cg" else 0
        objective = objective_of(config, mean)
        self._users = HalfIteration(
            data.by_user, data.weight_by_user, objective, steps, by_pairs=True
        )
        self._items = HalfIteration(
            data.by_item, data.weight_by_item, objective, steps, by_pairs=True
        )
        start = np.zeros((len(data.items), config.length + 1), np.float32)
        rng = np.random.default_rng(config.seed)
        start[:, :-1] = rng.normal(0.0, config.init_std, (len(data.items), config.length))
        self._item = to_table(start)
        self._user = to_table(np.zeros((len(data.users), config.length + 1), np.float32))

    def identity(self) -> dict[str, Any]:
        """Engine and numba's version; the number of threads does not change a bit."""
        return {"engine": self.engine, "numba": numba.__version__}

    def learning_rate(self, epoch: int) -> float:
        """1: every step goes all the way to the minimum of its side."""
        return 1.0

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One iteration; gives the objective after it, divided by the number of ratings.

        The item side's solution brings the loss with it, so it costs nothing beyond a pass over
        the user table.
        """
        for n_ratings, _ in self._users.solve(self._item, self._user):
            tick(n_ratings)
        total = self._user_penalty()
        for n_ratings, loss in self._items.solve(self._user, self._item):
            total += loss
            tick(n_ratings)
        return total / int(self._users.n_ratings.sum())

    def _user_penalty(self) -> float:
        factor, bias = self._user
        squares = np.einsum("nd,nd->n", factor, factor, dtype=np.float64)
        squares += bias.astype(np.float64) ** 2
        weight = np.ones(len(bias)) if self._implicit else self._users.n_ratings
        return float(self._regularization * (squares @ weight))

    def parameters(self) -> Arrays:
        """``user`` and ``item``, float32[n, dim + 1], the bias in the last column."""
        return {
            "user": from_table(self._user, self._dim),
            "item": from_table(self._item, self._dim),
        }

    def state(self) -> Arrays:
        """The same as `parameters`: nothing else is carried from epoch to epoch."""
        return self.parameters()

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave."""
        self._user, self._item = to_table(state["user"]), to_table(state["item"])


def base_of(fixed: Table, objective: Objective) -> np.ndarray:
    """float32[width, width], the part of all rows' normal equations that they share."""
    width = fixed.factor.shape[1]
    return gram(fixed.factor) if objective.implicit else np.zeros((width, width), np.float32)


def observed(config: ALSConfig, data: Interactions) -> Interactions:
    """The rows that the objective is about, with what it takes of each rating in its place."""
    keep = taken(config, data.rating)
    if data.weight is not None and config.kind == "implicit":
        keep &= data.weight > 0
    if keep.all() and config.confidence != "log":
        return data
    return replace(
        data,
        user=data.user[keep],
        item=data.item[keep],
        rating=amounts(config.confidence, data.rating[keep]),
        weight=None if data.weight is None else data.weight[keep],
    )


def _some_observed(config: ALSConfig, data: Interactions) -> Interactions:
    rows = observed(config, data)
    if len(rows):
        return rows
    if config.min_rating is None or data.rating.max() >= config.min_rating:
        raise DataError("als: all rows that count as observed have weight 0")
    raise DataError(
        f"als.min_rating: no rating reaches {config.min_rating:g}, "
        f"the highest is {data.rating.max():g}"
    )
