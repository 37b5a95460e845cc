"""Collaborative filtering by filters on the graph of users and items, in closed form."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.polynomial import chebyshev
from pydantic import Field
from scipy import sparse
from scipy.linalg import eigh
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from cofilter.core.matrix import Interactions, row_of, to_csr, transposed
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import UserRows, UserState

MOST_VECTORS = 256  # of the default rank: both papers' number, on large data
DENSE = 64  # the smaller side of a matrix up to which its singular vectors are found densely
TRIMMED = 1e-9  # coefficients of the polynomial that are rounding
SILENT = 1e-6  # scores below this share of a user's largest are rounding, not an answer


class GraphConfig(ModelConfig):
    """Hyper-parameters of `GraphFilter`.

    Attributes
    ----------
    kind:
        ``gfcf`` (Shen et al. 2021) or ``chebyshev`` (Kim et al. 2025).
    rank:
        q, singular vectors of the ideal low-pass filter; None: `default_rank`.
    low_pass:
        α, weight of the ideal low-pass filter.
    degree:
        K of ``chebyshev``: how far along the graph an answer may come, in pairs of steps.
    flatness:
        φ of ``chebyshev``: the larger, the longer the polynomial's plateau of equal weights.
    item_power:
        β of ``chebyshev``: the larger, the more popular items gain.
    preference:
        w in [0, 1]: how much more a user's higher ratings count, by their percentile among that
        user's own; 0: all alike. It is the same on every scale; clicks count 1 whatever it is.
    """

    kind: Literal["gfcf", "chebyshev"] = "chebyshev"
    rank: int | None = Field(None, gt=0)
    low_pass: float = Field(0.3, ge=0)
    degree: int = Field(8, gt=0)
    flatness: float = Field(10.0, gt=0)
    item_power: float = Field(0.2, ge=0)
    preference: float = Field(0.7, ge=0, le=1)


class GraphFilter(Recommender):
    """Scores a history by a filter on the graph of items that users share.

    X [users, items] holds what a rating counts: 1 − w + 2 w p, p its percentile among the user's
    own (ties share their middle). With D_u and D_i its row and column sums,

        R̃ = D_u^−½ X D_i^−½,   P = R̃ᵀ R̃,   V the q first right singular vectors of R̃,

    and x a history's row of X:

    ``gfcf`` (Shen et al. 2021, "How Powerful is Graph Convolution for Recommendation?"):

        x (P + α D_i^−½ V Vᵀ D_i^½)

    ``chebyshev`` (Kim et al. 2025, "Graph Spectral Filtering with Chebyshev Interpolation for
    Recommendation"):

        x D_i^−β (h(I − 2P) − h(I) + α V Vᵀ) D_i^β

    h being the polynomial of degree K that interpolates ½ − ½ sign(t) |t|^φ at Chebyshev's points:
    equal weights for most of the spectrum, which flattens popularity, more for its smooth end.
    h(I) takes off what an item would say of itself.

    No items × items matrix is built: products go through R̃, 2 · ratings · K multiply-adds a user
    (once for ``gfcf``). Fitting is the truncated SVD (ARPACK, from a fixed vector, one BLAS
    thread). Memory: 12 bytes a rating three times, 4 · items · q for V, and while ranking three
    float32[items + users] a user of the block. Folding in is the same formula on the new row. A
    history on its own, or an item that the filter does not reach, has no score; popularity answers.
    A part of the users (`of_users`) has the whole R̃ beside the own histories: 8 bytes a rating in
    its folder, 16 in memory.
    Shares of `explain` are exact, x_uj F_ji of the filter F, and sum to the score.

    Fitted state: ``by_user_``, X in CSR form; ``vectors_``, V in float32[items, q].
    """

    family = "graph"
    shares_are_exact = True
    predicts_ratings = False
    holds_histories = True
    may_be_silent = True
    engine_ = "arpack"
    config: GraphConfig
    config_class = GraphConfig

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        self.by_user_ = preferences(data.by_user, self.config.preference)
        self._derive()
        rank = self.config.rank or default_rank(*data.shape, len(data))
        with threadpool_limits(1, user_api="blas"):
            self.vectors_ = right_vectors(self._normalized, min(rank, *data.shape))

    def _derive(self) -> None:
        """R̃, the items' degrees and what follows from them, from X."""
        x = self.by_user_.astype(np.float64)
        user, item = x.sum(axis=1), x.sum(axis=0)
        scaled = x.data / np.sqrt(user[row_of(x)] * item[x.indices])
        parts = scaled.astype(np.float32), x.indices, x.indptr
        self._take_graph(sparse.csr_array(parts, shape=x.shape), item.astype(np.float32))

    def _take_graph(self, normalized: sparse.csr_array, degrees: np.ndarray) -> None:
        """R̃, kept both ways, and the items' degrees; derives h's coefficients."""
        self._normalized, self._to_items = normalized, transposed(normalized)
        self._degree = degrees
        flat, degree = self.config.flatness, self.config.degree
        points = chebyshev.chebpts1(degree + 1)
        heights = 0.5 - 0.5 * np.sign(points) * np.abs(points) ** flat
        self._coefficients = chebyshev.chebfit(points, heights, degree)
        self._coefficients[0] -= chebyshev.chebval(1.0, self._coefficients)
        # h less its middle is odd, so that the last coefficient of an even degree is 0.
        self._coefficients = chebyshev.chebtrim(self._coefficients, TRIMMED)

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.by_user_[user]

    def _take_users(self, state: UserState, new: Interactions) -> None:
        self.by_user_ = state
        if not self._is_part:
            self._derive()

    def folding_work(self, n_ratings: int) -> float:
        """Both ways through R̃, once or as often as the polynomial has powers."""
        ways = self.config.degree if self.config.kind == "chebyshev" else 1
        return float(2 * ways * self._normalized.nnz)

    def _keep_users(self, rows: np.ndarray) -> None:
        self.by_user_ = self.by_user_[rows]

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        histories = to_csr(data.user, item, data.rating, (len(data.users), len(self.items_)))
        return preferences(histories, self.config.preference)

    def _score_items(self, users: UserRows) -> np.ndarray:
        return self._filtered(users.state)

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        """The scores of somebody whose whole history is the item."""
        alone = np.ones(len(item), np.float32), item, np.arange(len(item) + 1)
        return self._filtered(sparse.csr_array(alone, shape=(len(item), len(self.items_))))

    def _shares(
        self, users: UserRows, row: np.ndarray, item: np.ndarray, history: Interactions
    ) -> sparse.csr_array:
        """x_uj F_ji of the filter F; they sum to the score.

        F = D^−b M D^b (+ P) with M and P symmetric, so that F's columns at the wanted items are
        had from M's at the same items: one pass of the filter over these, whatever the histories.
        One over the users says which items it does not reach.
        """
        wanted, place = np.unique(item, return_inverse=True)
        units = np.zeros((len(self.items_), len(wanted)), np.float32)
        units[wanted, np.arange(len(wanted))] = 1.0
        before = self._before
        weights = self._smoothed(units) * before[:, None] / before[wanted]
        if self.config.kind == "gfcf":
            weights += self._propagated(units)
        x = users.state[row]
        pair = row_of(x)
        reached = np.isfinite(self._filtered(users.state)[row, item])[pair]
        share = np.where(reached, x.data * weights[x.indices, place[pair]], 0.0)
        return sparse.csr_array((share, x.indices, x.indptr), shape=x.shape)

    def _filtered(self, histories: sparse.csr_array) -> np.ndarray:
        """Scores float32[histories, items]; −inf where the filter has nothing to say."""
        columns = histories.toarray().T.astype(np.float32)  # a history a column
        scores = self._smoothed(columns * self._before[:, None])
        scores /= self._before[:, None]
        if self.config.kind == "gfcf":
            scores += self._propagated(columns)
        largest = np.abs(scores).max(axis=0, initial=0.0)
        scores[np.abs(scores) <= SILENT * largest] = -np.inf
        return np.ascontiguousarray(scores.T)

    @property
    def _before(self) -> np.ndarray:
        """D_i^−β or D_i^−½, float32[items]: what a history is multiplied by."""
        return self._degree ** -(self.config.item_power if self.config.kind == "chebyshev" else 0.5)

    def _smoothed(self, columns: np.ndarray) -> np.ndarray:
        """α V Vᵀ, and of ``chebyshev`` + h(I − 2P) − h(I), times float32[items, n]; symmetric."""
        low: np.ndarray = self.config.low_pass * (self.vectors_ @ (self.vectors_.T @ columns))
        return low + self._polynomial(columns) if self.config.kind == "chebyshev" else low

    def _propagated(self, columns: np.ndarray) -> np.ndarray:
        """P times float32[items, n]."""
        return self._to_items @ (self._normalized @ columns)

    def _polynomial(self, columns: np.ndarray) -> np.ndarray:
        """(h(I − 2P) − h(I)) times float32[items, n], by Chebyshev's recurrence."""
        c = self._coefficients.astype(np.float32)
        last, current = columns, columns - 2 * self._propagated(columns)
        total = c[0] * last + c[1] * current
        for coefficient in c[2:]:
            last, current = current, 2 * (current - 2 * self._propagated(current)) - last
            total += coefficient * current
        return total

    def _arrays(self) -> dict[str, np.ndarray]:
        x, graph = self.by_user_, self._normalized
        of_everybody = {
            "graph_start": graph.indptr,
            "graph_index": graph.indices,
            "graph_value": graph.data,
            "degree": self._degree,
        }
        own = {"vectors": self.vectors_, "start": x.indptr, "index": x.indices, "value": x.data}
        return own | (of_everybody if self._is_part else {})

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._is_part = "degree" in arrays
        self.vectors_ = arrays["vectors"]
        parts = arrays["value"], arrays["index"], arrays["start"]
        self.by_user_ = sparse.csr_array(parts, shape=(len(self.users_), len(self.items_)))
        if not self._is_part:
            self._derive()
            return
        parts = arrays["graph_value"], arrays["graph_index"], arrays["graph_start"]
        shape = len(arrays["graph_start"]) - 1, len(self.items_)
        self._take_graph(sparse.csr_array(parts, shape=shape), arrays["degree"])


def preferences(histories: sparse.csr_array, strength: float) -> sparse.csr_array:
    """What each rating counts, 1 − w + 2 w p, in float32; p is its percentile in its row.

    Equal ratings have the middle of their places, so that a row of equal ones counts 1 each.
    """
    row = row_of(histories)
    order = np.lexsort((histories.data, row))
    value, of = histories.data[order], row[order]
    first = np.ones(len(order), bool)
    first[1:] = (value[1:] != value[:-1]) | (of[1:] != of[:-1])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(order))
    run = np.cumsum(first) - 1
    middle = (starts + ends)[run] / 2 - histories.indptr[of]
    counts = np.empty(len(order), np.float32)
    counts[order] = 1 - strength + 2 * strength * middle / np.diff(histories.indptr)[of]
    return sparse.csr_array((counts, histories.indices, histories.indptr), shape=histories.shape)


def default_rank(n_users: int, n_items: int, n_ratings: int) -> int:
    """The users or items, whichever are fewer, over 2.5 √d, from 4 up to 16; at most 256.

    d is the number of ratings of one of the other side, which are more: the sparser they are, the
    more vectors tell them apart. Chosen on MovieLens 100K, latest-small and Last.fm
    (``python -m benchmarks.graph_quality`` measures the first).
    """
    fewer, more = sorted((n_users, n_items))
    share = min(max(2.5 * math.sqrt(n_ratings / more), 4.0), 16.0)
    return min(MOST_VECTORS, max(1, round(fewer / share)))


def right_vectors(matrix: sparse.csr_array, rank: int) -> np.ndarray:
    """The first right singular vectors of a sparse matrix, float32[columns, rank].

    ARPACK's Lanczos iteration from a fixed vector, or densely where a side is short; a vector
    whose singular value is 0 is 0.
    """
    exact = matrix.astype(np.float64)
    if min(exact.shape) <= max(DENSE, rank):
        short = exact if exact.shape[0] <= exact.shape[1] else exact.T.tocsr()
        squares, left = eigh((short @ short.T).toarray())
        squares, left = squares[::-1][:rank], left[:, ::-1][:, :rank]
        if short is not exact:
            return np.where(squares > SILENT, left, 0).astype(np.float32)
        values = np.sqrt(np.maximum(squares, SILENT))
        return (np.where(squares > SILENT, exact.T @ left, 0) / values).astype(np.float32)
    # Not a vector of ones: where all rows weigh alike that is a singular vector itself, and ARPACK
    # would go on from a random one of its own.
    start = np.random.default_rng(0).normal(size=min(matrix.shape)).astype(np.float32)
    _, _, right = svds(matrix, k=rank, v0=start)  # in float32: half the time, 2e-5 from orthonormal
    return np.ascontiguousarray(right[::-1].T.astype(np.float32))


KINDS: dict[str, type[GraphFilter]] = {"gfcf": GraphFilter, "chebyshev": GraphFilter}
