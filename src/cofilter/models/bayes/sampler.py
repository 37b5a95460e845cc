"""Gibbs sampling of a Bayesian factorization: the chain, and the draws that are kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from cofilter.core.matrix import Interactions
from cofilter.core.memory import require_memory
from cofilter.models.bayes.config import LONGEST, BayesConfig
from cofilter.models.bayes.side import Ratings, Side, Stream
from cofilter.recommender.learner import Arrays

USERS, ITEMS, NOISE = range(3)  # sides, and the noise of all ratings, as streams name them
KEPT = "kept."  # begins the names of kept draws in a checkpoint


def kept_draws(config: BayesConfig) -> np.ndarray:
    """int64[n_kept], which draws are kept: evenly spaced after the burn-in, the last among them."""
    assert config.epochs is not None  # settled by what is fitted
    assert config.n_kept is not None
    after = config.epochs - config.burn_in
    return config.burn_in + np.arange(1, config.n_kept + 1) * after // config.n_kept


def require_room(config: BayesConfig, n_users: int, n_items: int, n_ratings: int) -> None:
    """Raise `TooLargeError` when the chain and its kept draws do not fit into memory."""
    width, sided = config.dim + 1, config.kind == "sided"
    n_kept = config.n_kept or LONGEST // 6  # not settled yet: the most that it can be
    a_draw = (n_users + n_items) * (width + 1) + (n_items * width if sided else 0)
    working = (n_users + n_items) * width * (6 if sided else 3)
    require_memory(
        4 * (2 * n_kept * a_draw + working) + 16 * n_ratings,
        f"{n_kept} draws of dim {config.dim} for {n_users:,} users and {n_items:,} items",
        "lower bayes.n_kept or bayes.dim",
    )


class GibbsSampler:
    """The chain; see `BayesianFactorization` for the model that it samples.

    A draw takes, in turn: all users' vectors (each one at once, exactly), the users' features one
    after the other given those vectors, the users' hyper-parameters; the same for the items; the
    noise. All its random numbers are named by seed and draw, so the state holds no generator.

    Drawing features given the whole vectors, not given the ratings, makes a sweep over them O(1)
    a stored entry and dimension, and independent between dimensions.

    Kept draws are written once and never again, so `parameters` and `state` give them uncopied.

    Memory: kept draws, n_kept · (users + items) · (dim + 2) floats (sided: and n_kept · items ·
    (dim + 1) for folding in), twice at the end; the ratings in both orders, 16 bytes each.
    """

    engine = "fused"
    device = "cpu"

    def __init__(self, config: BayesConfig, data: Interactions, mean: float) -> None:
        self.config = config
        width, sided, own = config.dim + 1, config.kind == "sided", config.noise == "own"
        self._schedule = kept_draws(config)
        rng = np.random.default_rng(config.seed % (1 << 64))
        starts = [np.zeros((n, width), np.float32) for n in data.shape]
        for start in starts:
            start[:, :-1] = rng.normal(0.0, config.init_std, (len(start), config.dim))
        by_user = Ratings.of(data.by_user, data.weight_by_user, mean)
        by_item = Ratings.of(data.by_item, data.weight_by_item, mean)
        self._users = Side(by_user, by_item.rows, starts[USERS], sided=sided, own_noise=own)
        self._items = Side(by_item, by_user.rows, starts[ITEMS], sided=sided, own_noise=own)
        self._n_ratings, self._n_told = len(data), int(by_user.told.sum())
        squares = np.square(by_user.root * by_user.rows.value.astype(np.float64)).sum()
        self._alpha = (1 + self._n_told) / (1 + squares)
        self._n_kept = 0
        self._kept = {
            name: np.empty((len(self._schedule), *array.shape), array.dtype)
            for name, array in self._current().items()
        }

    def identity(self) -> dict[str, Any]:
        """Engine and numba's version; the number of threads does not change a bit."""
        return {"engine": self.engine, "numba": numba.__version__}

    def learning_rate(self, epoch: int) -> float:
        """1: a draw replaces the one before."""
        return 1.0

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One draw of everything; gives the mean squared residual of it (each weighted)."""
        seed = self.config.seed
        for n_ratings in self._users.draw(self._items, self._alpha, Stream(seed, epoch, USERS)):
            tick(n_ratings)
        for n_ratings in self._items.draw(self._users, self._alpha, Stream(seed, epoch, ITEMS)):
            tick(n_ratings)
        error = float(self._items.error @ self._items.weight)
        rng = Stream(seed, epoch, NOISE).generator()
        self._alpha = rng.gamma((1 + self._n_told) / 2, 2 / (1 + error))
        self._keep(epoch)
        return error / self._n_ratings

    def _keep(self, epoch: int) -> None:
        if epoch in self._schedule:
            for name, array in self._current().items():
                self._kept[name][self._n_kept] = array
            self._n_kept += 1

    def _current(self) -> Arrays:
        """The draw as the model uses it; everything but ``noise`` is float32."""
        users, items = self._users, self._items
        return {
            "user": users.vector,
            "item": items.vector,
            "user_noise": (1.0 / (self._alpha * users.weight)).astype(np.float32),
            "item_noise": (1.0 / items.weight).astype(np.float32),
            "feature": users.features,
            "prior": np.concatenate([*users.prior, [self._alpha, users.spread]]),
        }

    def parameters(self) -> Arrays:
        """The kept draws so far, or before there is one, the draw in force.

        ``user`` and ``item``, float32[draws, n, dim + 1], the bias in the last column;
        ``user_noise`` and ``item_noise``, float32[draws, n], whose product is a rating's noise
        variance; for folding in, ``feature`` float32[draws, items, dim + 1] (no items when not
        sided) and ``prior`` float64[draws, 2 · dim + 4]: means, precisions, α and ν of the users;
        ``n_kept`` int64[1], 0 before there is a kept one.
        """
        n_kept = {"n_kept": np.array([self._n_kept])}
        if self._n_kept:
            return n_kept | {name: array[: self._n_kept] for name, array in self._kept.items()}
        return n_kept | {name: array[None].copy() for name, array in self._current().items()}

    def state(self) -> Arrays:
        """The chain's place and the kept draws."""
        arrays = {"alpha": np.array([self._alpha]), "n_kept": np.array([self._n_kept])}
        for side, name in ((self._users, "users."), (self._items, "items.")):
            arrays |= {name + key: array for key, array in side.state().items()}
        return arrays | {KEPT + name: kept[: self._n_kept] for name, kept in self._kept.items()}

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave."""
        self._alpha, self._n_kept = float(state["alpha"][0]), int(state["n_kept"][0])
        for side, name in ((self._users, "users."), (self._items, "items.")):
            own = {key.removeprefix(name): state[key] for key in state if key.startswith(name)}
            side.restore(own)
        for name, kept in self._kept.items():
            kept[: self._n_kept] = state[KEPT + name]
