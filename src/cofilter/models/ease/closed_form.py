"""The item weights of EASE, over items or over users, whichever takes less work."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from cofilter.core.errors import DataError, TooLargeError
from cofilter.core.matrix import transposed
from cofilter.core.memory import GIB, require_memory

BLOCK_ENTRIES = 1 << 22  # entries of a dense matrix worked on at once: 32 MiB of float64
# OpenBLAS's dpotrf on several threads (0.3.31, and at least since 0.3.9: its issue 2562) writes
# beyond its buffers for large matrices: two threads end in a segmentation fault at 16,384 rows, one
# does not. Half of that is kept as the limit, since what is safe depends on the machine.
THREADED_UP_TO = 8192  # rows
# A multiplication of scipy's sparse products takes as long as about so many of a dense inverse: 0.6
# against 36 a nanosecond on one core (python -m benchmarks.ease_ways).
SPARSE_COST = 50

Over = Literal["items", "users"]


class Way(NamedTuple):
    """How a fit is done.

    Attributes
    ----------
    over:
        Whether the matrix that is inverted has a row an item or a row a user.
    dtype:
        Of that matrix.
    bytes:
        Memory at the most, X aside.
    """

    over: Over
    dtype: type[np.floating]
    bytes: int


def way(n_users: int, n_items: int, n_ratings: int, precision: str, max_gib: float) -> Way:
    """The way with the least work among those that ``max_gib`` allows.

    Multiplications: items³ over items; users³ + 2 · items · ratings · `SPARSE_COST` over users,
    which is always done in double precision.

    Raises
    ------
    TooLargeError
        None fits, or the memory is not free; the line names what is needed.
    """
    blocks = 4 * 8 * BLOCK_ENTRIES
    result = 4 * n_items**2
    over_users = Way("users", np.float64, 8 * n_users**2 + result + blocks)
    double = Way("items", np.float64, 8 * n_items**2 + result + blocks)
    single = Way("items", np.float32, result + blocks)
    found = double
    if precision == "single" or (precision == "auto" and double.bytes > max_gib * GIB):
        found = single
    less_work = n_users**3 + 2 * n_items * n_ratings * SPARSE_COST < n_items**3
    if less_work and precision != "single" and over_users.bytes <= max_gib * GIB:
        found = over_users
    _refuse_too_large(found, n_items, max_gib)
    return found


def weights(x: sparse.csr_array, added: float, how: Way) -> np.ndarray:
    """B, float32[items, items], of CSR X [users, items]; ``added`` is λ m of `EASE`.

    Raises
    ------
    DataError
        Rounding leaves XᵀX + λ m I not positive definite: ``added`` is too small.
    """
    return _over_users(x, added) if how.over == "users" else _over_items(x, added, how.dtype)


def _over_items(x: sparse.csr_array, added: float, dtype: type[np.floating]) -> np.ndarray:
    """P = (XᵀX + λ m I)⁻¹, then B_ij = −P_ij / P_jj, all in one matrix."""
    p = inverse(gram(x, dtype), added)
    return _normalised(p, -np.diag(p).copy())


def _over_users(x: sparse.csr_array, added: float) -> np.ndarray:
    """The same by Woodbury's identity, without P.

    With M = (X Xᵀ + λ m I)⁻¹ [users, users] and C = Xᵀ M X: λ m P = I − C, so that
    B_ij = C_ij / (1 − C_jj).
    """
    exact = x.astype(np.float64)
    columns = transposed(exact)
    m = inverse(gram(columns, np.float64), added)
    n_items = x.shape[1]
    c, diagonal = np.empty((n_items, n_items), np.float32), np.empty(n_items)
    # A block of items' rows of Xᵀ M is as wide as there are users, its product as there are items.
    for block in _blocks(n_items, max(x.shape)):
        product = columns @ (columns[block] @ m).T  # [items, block], C's columns
        diagonal[block] = product[block].diagonal()
        c[block] = product.T
    return _normalised(c, 1.0 - diagonal)


def gram(x: sparse.csr_array, dtype: type[np.floating]) -> np.ndarray:
    """XᵀX as a dense matrix [columns, columns] of CSR X [rows, columns].

    O(Σ n²) multiplications over the entries n of a row; beside the result, 32 bytes ×
    BLOCK_ENTRIES at most.
    """
    n_columns = x.shape[1]
    exact = x.astype(np.float64)
    columns = transposed(exact)
    result = np.empty((n_columns, n_columns), dtype)
    for block in _blocks(n_columns):
        result[block] = (columns[block] @ exact).toarray()
    return result


def inverse(matrix: np.ndarray, added: float) -> np.ndarray:
    """(matrix + added · I)⁻¹ of a positive semi-definite matrix, in place: n³ operations.

    Raises `DataError` when rounding leaves the sum not positive definite: ``added`` is too small.
    """
    matrix[np.diag_indices(len(matrix))] += added
    single = matrix.dtype == np.float32
    potrf = lapack.spotrf if single else lapack.dpotrf
    potri = lapack.spotri if single else lapack.dpotri
    # LAPACK counts columns first, so our upper triangle is its lower one.
    with threadpool_limits(1 if len(matrix) > THREADED_UP_TO else None, user_api="blas"):
        factor, failed = potrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    if not failed:
        result, failed = potri(factor, lower=1, overwrite_c=1)
    if failed:
        raise DataError(f"EASE: XᵀX + λI is not positive definite in {matrix.dtype}; raise ease.l2")
    whole: np.ndarray = result.T
    for block in _blocks(len(whole)):  # LAPACK has set one triangle
        square = whole[block, block]
        square[:] = np.triu(square) + np.triu(square, 1).T
        whole[block.stop :, block] = whole[block, block.stop :].T
    return whole


def _normalised(matrix: np.ndarray, divisors: np.ndarray) -> np.ndarray:
    """Columns divided in place, the diagonal 0, as float32."""
    for block in _blocks(len(matrix)):
        matrix[block] /= divisors
    np.fill_diagonal(matrix, 0.0)
    return matrix.astype(np.float32, copy=False)


def _blocks(n_rows: int, width: int | None = None) -> list[slice]:
    """Slices of rows with at most `BLOCK_ENTRIES` entries each; None: as wide as long."""
    step = max(1, BLOCK_ENTRIES // (width or n_rows))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def _refuse_too_large(how: Way, n_items: int, max_gib: float) -> None:
    what = f"EASE's weights of {n_items:,} × {n_items:,} items"
    advice = "take ease.precision=single, keep fewer items (filter) or take another method"
    if how.dtype is np.float32:
        advice = advice.partition(", ")[2]
    if how.bytes > max_gib * GIB:
        raise TooLargeError(
            f"{what} need {how.bytes / GIB:,.1f} GiB of memory, ease.max_gib allows {max_gib:g}; "
            f"raise it, {advice}"
        )
    require_memory(how.bytes, what, advice)
