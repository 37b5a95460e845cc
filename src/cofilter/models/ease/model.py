"""EASE: a linear item-to-item model in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from cofilter.core.errors import DataError, TooLargeError
from cofilter.core.matrix import Interactions, to_csr, transposed
from cofilter.core.memory import GIB, require_memory
from cofilter.models.ease.config import EASEConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import UserRows, UserState

BLOCK_ENTRIES = 1 << 22  # entries of a dense matrix worked on at once: 32 MiB of float64
# OpenBLAS's dpotrf on several threads (0.3.31, and at least since 0.3.9: its issue 2562) writes
# beyond its buffers for large matrices: two threads end in a segmentation fault at 16,384 rows, one
# does not. Half of that is kept as the limit, since what is safe depends on the machine.
THREADED_UP_TO = 8192  # rows
BYTES_AN_ENTRY = 8 + 4  # the inverse in float64 and the weights in float32, both there at the end


class EASE(Recommender):
    """Embarrassingly shallow autoencoder (Steck 2019, "Embarrassingly Shallow Autoencoders").

    Item weights B with a zero diagonal that minimise ‖X − X B‖² + λ m ‖B‖², X [users, items]
    being the histories and m the mean square of its stored entries:

        P = (XᵀX + λ m I)⁻¹,   B_ij = −P_ij / P_jj  (i ≠ j),   B_ii = 0,   scores = history · B

    A new user's history is used directly. Items similar to i are those that i's row of B speaks
    for: the ranking of somebody whose whole history is i. Ranks only.

    The sum is over all pairs of items that some user has both of: O(Σ_u n_u²) operations, in
    blocks; the inverse is a Cholesky factorization in place in float64, items³ operations.
    Memory: 12 items² bytes at the end of `fit`, refused before they are allocated when they are
    not free or above ``max_gib``; 4 items² afterwards, also on disk (ml_100k: 11 MB). Ranking
    costs a history's length × items operations a user.

    Fitted state: ``weights_``, B in float32[items, items]; ``by_user_``, X in CSR form.
    """

    family = "ease"
    predicts_ratings = False
    holds_histories = True
    may_be_silent = True
    engine_ = "lapack"
    config: EASEConfig
    config_class = EASEConfig

    def __init__(self, config: EASEConfig | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        self.needs_ratings = self.config.kind == "rating"  # clicks and counts have `binary`

    def require(self, n_users: int, n_items: int, n_ratings: int) -> None:
        """Memory for the dense matrices."""
        refuse_too_large(n_items, self.config.max_gib)

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        self.require(*data.shape, len(data))
        self.by_user_ = self._values(data.by_user)
        square = float(np.mean(self.by_user_.data.astype(np.float64) ** 2))
        # All ratings 0: any positive number does, there is nothing to learn and B is 0.
        added = self.config.l2 * (square or 1.0)
        with threadpool_limits(self.config.threads, user_api="blas"):
            self.weights_ = weights(inverse(gram(self.by_user_), added))

    def _values(self, histories: sparse.csr_array) -> sparse.csr_array:
        """X's rows of ratings in CSR form."""
        if self.config.kind == "rating":
            return histories
        ones = np.ones_like(histories.data)
        return sparse.csr_array((ones, histories.indices, histories.indptr), histories.shape)

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.by_user_[user]

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        shape = len(data.users), len(self.items_)
        return self._values(to_csr(data.user, item, data.rating, shape))

    def _score_items(self, users: UserRows) -> np.ndarray:
        scores = users.state @ self.weights_
        scores[scores == 0] = -np.inf  # no user links the item to one of the history
        return scores

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        similarity = self.weights_[item]
        similarity[similarity == 0] = -np.inf
        return similarity

    def _arrays(self) -> dict[str, np.ndarray]:
        x = self.by_user_
        return {"weights": self.weights_, "start": x.indptr, "index": x.indices, "value": x.data}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.weights_ = arrays["weights"]
        parts = arrays["value"], arrays["index"], arrays["start"]
        self.by_user_ = sparse.csr_array(parts, shape=(len(self.users_), len(self.items_)))
        self._take_seen(self.by_user_)


def refuse_too_large(n_items: int, max_gib: float) -> None:
    """Stop before anything is allocated when the dense matrices are too large.

    Raises `TooLargeError` with the memory that they need.
    """
    needed = BYTES_AN_ENTRY * n_items**2 + 4 * 8 * BLOCK_ENTRIES
    what = f"EASE's {n_items:,} × {n_items:,} matrices"
    advice = "keep fewer items (filter) or take another method"
    if needed > max_gib * GIB:
        raise TooLargeError(
            f"{what} need {needed / GIB:,.1f} GiB of memory, ease.max_gib allows {max_gib:g}; "
            f"raise it, {advice}"
        )
    require_memory(needed, what, advice)


def gram(x: sparse.csr_array) -> np.ndarray:
    """XᵀX as a dense float64[items, items] of CSR X [users, items].

    O(Σ_u n_u²) multiplications; beside the result, 32 bytes × BLOCK_ENTRIES at most.
    """
    n_items = x.shape[1]
    exact = x.astype(np.float64)
    columns = transposed(exact)
    result = np.empty((n_items, n_items))
    for block in _blocks(n_items):
        result[block] = (columns[block] @ exact).toarray()
    return result


def inverse(matrix: np.ndarray, added: float) -> np.ndarray:
    """(matrix + added · I)⁻¹ of a positive semi-definite matrix, in place.

    Only the upper triangle of the result is set; n³ operations, no further memory.

    Raises `DataError` when rounding leaves the sum not positive definite: ``added`` is too small.
    """
    matrix[np.diag_indices(len(matrix))] += added
    # LAPACK counts columns first, so our upper triangle is its lower one.
    with threadpool_limits(1 if len(matrix) > THREADED_UP_TO else None, user_api="blas"):
        factor, failed = lapack.dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    if not failed:
        result, failed = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise DataError("EASE: XᵀX + λI is not positive definite in float64; raise ease.l2")
    return result.T


def weights(upper: np.ndarray) -> np.ndarray:
    """B, float32[items, items], of an inverse P whose upper triangle is given in float64."""
    diagonal = np.diag(upper).copy()
    result = np.empty(upper.shape, np.float32)
    for block in _blocks(len(upper)):
        rows = upper[block].copy()
        rows[:, : block.start] = upper[: block.start, block].T
        square = rows[:, block]
        rows[:, block] = np.triu(square) + np.triu(square, 1).T
        rows /= -diagonal
        result[block] = rows
    np.fill_diagonal(result, 0.0)
    return result


def _blocks(n_items: int) -> list[slice]:
    """Slices of rows with at most `BLOCK_ENTRIES` entries each."""
    step = max(1, BLOCK_ENTRIES // n_items)
    return [slice(start, min(start + step, n_items)) for start in range(0, n_items, step)]


KINDS: dict[str, type[EASE]] = {"binary": EASE, "rating": EASE}
