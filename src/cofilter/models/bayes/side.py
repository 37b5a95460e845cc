"""One side of a Bayesian factorization in sampling: its vectors, features and hyper-parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse, special

from cofilter.models.bayes.kernels.gibbs import (
    LANES,
    PIECES,
    Gaussian,
    column_moments,
    draw_rows,
    feature_sums,
    residuals,
    sweep_features,
)
from cofilter.recommender.kernels.random import stream_key
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.learner import Arrays
from cofilter.recommender.sparse import Sparse, as_sparse

BATCH_WORK = 1 << 31  # multiply-adds between two ticks: some tenths of a second
SHARED_WORK = 1 << 25  # multiply-adds; below, a second thread is waited for longer than it helps
SPREADS = np.geomspace(1.0, 1000.0, 64)  # what ν may be; larger ones are as good as equal noise
ROWS, FEATURES, HYPER = range(3)  # what a stream of random numbers is for


class Stream(NamedTuple):
    """Names the random numbers of one side in one draw."""

    seed: int
    draw: int
    side: int

    def key(self, purpose: int) -> np.uint64:
        """For the kernels."""
        return stream_key(self.seed, self.draw, self.side, purpose)

    def generator(self) -> np.random.Generator:
        """For the hyper-parameters."""
        words = [word % (1 << 64) for word in (*self, HYPER)]
        return np.random.default_rng(words)


class Ratings(NamedTuple):
    """Centred ratings of one side's rows: the matrix; float32 roots of the entries' weights, or one
    1 where all count alike; and int64[rows], how many entries of each row have a weight above 0.
    """

    rows: Sparse
    root: np.ndarray
    told: np.ndarray

    @classmethod
    def of(cls, matrix: sparse.csr_array, weight: np.ndarray, mean: float) -> Ratings:
        """Of a CSR matrix of ratings and its entries' weights."""
        rows = as_sparse(matrix, matrix.data - mean)
        told = np.diff(rows.start)
        if len(weight) > 1:
            told = np.diff(np.concatenate([[0], np.cumsum(weight > 0)])[rows.start])
        return cls(rows, np.sqrt(weight), told)


def pieces_of(work: np.ndarray) -> list[np.ndarray]:
    """Bounds int64[PIECES + 1] of equal work, for one batch of at most BATCH_WORK after another."""
    total = np.concatenate([[0], np.cumsum(work)])
    n_batches = int(-(-total[-1] // BATCH_WORK))
    cuts = np.linspace(0, total[-1], n_batches * PIECES + 1)
    bounds = np.searchsorted(total, cuts).astype(np.int64)
    bounds[-1] = len(work)
    return [bounds[at : at + PIECES + 1] for at in range(0, len(bounds) - 1, PIECES)]


def row_work(rows: Sparse, width: int) -> np.ndarray:
    """Multiply-adds, int64[rows], that `draw_rows` spends on each row."""
    return np.diff(rows.start) * ((width + 1) ** 2 // 2 + 4 * width) + width**3 // 6 + 64 * width


def precision_and_mean(values: np.ndarray, rng: np.random.Generator) -> Gaussian:
    """Each dimension's normal, drawn given float32[n, width] values that came from it.

    Prior: precision λ ~ Gamma(1/2, rate 1/2), mean ~ N(0, 1 / λ).
    """
    n = len(values)
    mean, scatter = column_moments(values)
    rate = (1.0 + scatter + mean**2 * (n / (n + 1))) / 2
    precision = rng.gamma((1 + n) / 2, 1 / rate)
    drawn = rng.normal(n * mean / (n + 1), 1 / np.sqrt(precision * (n + 1)))
    return Gaussian(drawn, precision)


def spread(weight: np.ndarray, rng: np.random.Generator) -> float:
    """ν given weights that came from Gamma(ν / 2, rate ν / 2); prior ∝ 1 / ν on `SPREADS`."""
    half = SPREADS / 2
    log = len(weight) * (half * np.log(half) - special.gammaln(half))
    log += (half - 1) * np.log(weight).sum() - half * weight.sum() - np.log(SPREADS)
    below = np.cumsum(np.exp(log - log.max()))
    at = np.searchsorted(below, rng.random() * below[-1])
    return float(SPREADS[min(at, len(SPREADS) - 1)])  # the last also where nothing is finite


class Side:
    """Users or items.

    Row r has vector v_r ~ N(m + x_r Σ_{j ∈ F(r)} y_j, Λ⁻¹), x_r = |F(r)|^(−1/2), where the
    features F(r) are the other side's rows that it has a rating with (none when not ``sided``)
    and y_j ~ N(m_y, Λ_y⁻¹). Its ratings have precision α ω_r (times the other row's ω), with
    ω_r ~ Gamma(ν / 2, rate ν / 2), or ω_r = 1 when not ``own_noise``. A rating's own weight
    multiplies its precision; one of weight 0 says nothing but that there is a rating.
    """

    def __init__(
        self,
        ratings: Ratings,
        columns: Sparse,
        start: np.ndarray,
        *,
        sided: bool,
        own_noise: bool,
    ) -> None:
        rows = self.rows = ratings.rows
        self.vector, self._own_root, self._told = start, ratings.root, ratings.told
        self._columns, self._sided, self._own_noise = columns, sided, own_noise
        n_rows, width = start.shape
        work = row_work(rows, width)
        self._pieces, self._work = pieces_of(work), int(work.sum())
        self.prior = Gaussian(np.zeros(width), np.ones(width))
        self.weight, self.spread = np.ones(n_rows), float(SPREADS[-1])
        self.error = np.zeros(n_rows)
        self._sums = np.zeros_like(start)
        if sided:
            self._start_features(n_rows, len(columns.start) - 1, width)

    def _start_features(self, n_rows: int, n_features: int, width: int) -> None:
        groups = -(-width // LANES)
        self._x = (1.0 / np.sqrt(np.diff(self.rows.start))).astype(np.float32)
        self._square = self._x**2
        squares = self._square[self._columns.at].astype(np.float64)
        self._mass = np.add.reduceat(squares, self._columns.start[:-1])
        self._grouped = np.zeros((groups, n_features, LANES), np.float32)
        self._left = np.zeros((groups, n_rows, LANES), np.float32)
        self._feature_prior = Gaussian(np.zeros(width), np.ones(width))
        entries = np.diff(self._columns.start) * (4 * groups * LANES)
        self._sweeps = pieces_of(entries + 64 * width)

    @property
    def features(self) -> np.ndarray:
        """y, float32[features, width]; none when not sided."""
        width = self.vector.shape[1]
        if not self._sided:
            return np.zeros((0, width), np.float32)
        flat = self._grouped.transpose(1, 0, 2).reshape(self._grouped.shape[1], -1)
        return np.ascontiguousarray(flat[:, :width])

    def draw(self, other: Side, alpha: float, stream: Stream) -> Iterator[int]:
        """Draw everything of this side given the other; gives how many ratings each batch had."""
        centre = (self._sums + self.prior.mean).astype(np.float32)
        precision, root = alpha * self.weight, np.sqrt(other.weight).astype(np.float32)
        key = stream.key(ROWS)
        for pieces in self._pieces:
            with few_threads(self._work < SHARED_WORK):
                draw_rows(
                    self.rows, pieces, other.vector, root, self._own_root, centre,
                    self.prior.precision, precision, key, 1, self.vector, self.error,
                )  # fmt: skip
            yield int(self.rows.start[pieces[-1]] - self.rows.start[pieces[0]])
        if self._sided:
            yield from self._draw_features(centre, stream)
        self._draw_hyper_parameters(alpha, stream.generator())

    def _draw_features(self, centre: np.ndarray, stream: Stream) -> Iterator[int]:
        key, start = stream.key(FEATURES), self._columns.start
        with few_threads(self._work < SHARED_WORK):
            residuals(self.vector, centre, self._x, self._left)
        for pieces in self._sweeps:
            first, last = int(pieces[0]), int(pieces[-1])
            with few_threads(self._work < SHARED_WORK):
                sweep_features(
                    self._columns, first, last, self._square, self._mass, self.prior.precision,
                    self._feature_prior, key, self._left, self._grouped,
                )  # fmt: skip
            yield int(start[last] - start[first])
        self._sum_features()

    def _sum_features(self) -> None:
        # From the features themselves, so that rounding does not add up over the draws.
        with few_threads(self._work < SHARED_WORK):
            feature_sums(self.rows, self._x, self._grouped, self._sums)

    def _draw_hyper_parameters(self, alpha: float, rng: np.random.Generator) -> None:
        self.prior = precision_and_mean(self.vector - self._sums, rng)
        if self._sided:
            self._feature_prior = precision_and_mean(self.features, rng)
        if self._own_noise:
            rate = (self.spread + alpha * self.error) / 2
            self.weight = rng.gamma((self.spread + self._told) / 2, 1 / rate)
            self.spread = spread(self.weight, rng)

    def state(self) -> Arrays:
        """Copies of all that the next draw depends on."""
        arrays = {
            "vector": self.vector.copy(),
            "weight": self.weight.copy(),
            "spread": np.array([self.spread]),
            "prior": np.stack(self.prior),
        }
        if self._sided:
            arrays["feature"] = self._grouped.copy()
            arrays["feature_prior"] = np.stack(self._feature_prior)
        return arrays

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        self.vector = state["vector"].copy()
        self.weight, self.spread = state["weight"].copy(), float(state["spread"][0])
        self.prior = Gaussian(*state["prior"].copy())
        if self._sided:
            self._grouped = state["feature"].copy()
            self._feature_prior = Gaussian(*state["feature_prior"].copy())
            self._sum_features()
