"""Normal equations of one row of an alternating least squares step, and their solution.

The system A x = b of one row lies in one array ``normal``, float32[width + 1, width + LANES]:

    columns 0 … width − 1      A, of which only the upper triangle is filled
    column width               A's last column, for the bias (its diagonal element in row width)
    column width + 1           b

so that a Cholesky factorization of A carries b along and does the forward substitution on the
way. ``width`` is a multiple of LANES; without biases the last row and column are not used.
Sums over many ratings are made in float32 by pieces of at most `CHUNK`.
"""

from __future__ import annotations

import numba
import numpy as np

from cofilter.models.als.kernels.tile import LANES, ROWS, add_strip, add_tile

# Sums may be made in any order, which is the compiler's and the same in every run; NaN and
# infinity stay what they are.
FAST = {"reassoc", "contract"}
CHUNK = 128  # rows gathered at once: with `normal` they stay in the first-level cache at dim 64


@numba.njit
def add_gram(table: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
    """Add Σ_k table[k] table[k]ᵀ, first ≤ k < last, to the upper triangle of ``out``.

    Cost: about width² / 2 multiply-adds a row of ``table``. Blocks on the diagonal are filled
    whole.
    """
    width = table.shape[1]
    for i in range(0, width, ROWS):
        for j in range(i - i % LANES, width, LANES):
            add_tile(out, i, j, table, table, first, last, np.float32(1.0))


@numba.njit(fastmath=FAST, error_model="numpy")
def mirror(normal: np.ndarray, width: int) -> None:
    """Copy the upper triangle of A to the lower one."""
    for i in range(width):
        for j in range(i + 1, width):
            normal[j, i] = normal[i, j]


@numba.njit(fastmath=FAST, error_model="numpy")
def factorize(normal: np.ndarray, width: int) -> None:
    """A = UᵀU in place, with U⁻ᵀ applied to the bias column and to b; left-looking by blocks.

    Cost: width³ / 6 multiply-adds. Where A is not positive definite the result is NaN.
    """
    end = normal.shape[1]
    for block in range(0, width, ROWS):
        left = block - block % LANES
        for j in range(left, end, LANES):
            add_tile(normal, block, j, normal, normal, 0, block, np.float32(-1.0))
        for i in range(block, block + ROWS):
            for j in range(left, end, LANES):
                add_strip(normal, i, j, normal, normal, block, i, np.float32(-1.0))
            scale = np.float32(1.0) / np.sqrt(normal[i, i])
            for j in range(i, width + 2):
                normal[i, j] *= scale


@numba.njit(fastmath=FAST, error_model="numpy")
def substitute(normal: np.ndarray, width: int, biased: bool, x: np.ndarray) -> float:
    """Solve the factorized system into x, float32[width + 1]; gives xᵀ A x."""
    right = width + 1
    quadratic, bias = 0.0, np.float32(0.0)
    if biased:
        corner, rest = np.float64(normal[width, width]), np.float64(normal[width, right])
        for i in range(width):
            corner -= np.float64(normal[i, width]) ** 2
            rest -= np.float64(normal[i, width]) * normal[i, right]
        bias = np.float32(rest / corner)
        quadratic = corner * np.float64(bias) ** 2
    x[width] = bias
    for i in range(width - 1, -1, -1):
        known = normal[i, width] * bias
        for j in range(i + 1, width):
            known += normal[i, j] * x[j]
        x[i] = (normal[i, right] - known) / normal[i, i]
        quadratic += np.float64(normal[i, i] * x[i] + known) ** 2
    return quadratic


@numba.njit(fastmath=FAST, error_model="numpy")
def cholesky(normal: np.ndarray, width: int, biased: bool, x: np.ndarray) -> float:
    """Solve A x = b exactly; gives xᵀ A x − 2 xᵀ b."""
    product = 0.0
    b = np.empty(width + 1, np.float32)
    for i in range(width + 1):
        b[i] = normal[i, width + 1]
    factorize(normal, width)
    quadratic = substitute(normal, width, biased, x)
    for i in range(width + 1):
        product += np.float64(b[i]) * x[i]
    return quadratic - 2.0 * product


@numba.njit(fastmath=FAST, error_model="numpy")
def _multiply(normal: np.ndarray, width: int, p: np.ndarray, out: np.ndarray) -> None:
    """out = A p; A mirrored."""
    last = normal[width, width] * p[width]
    for i in range(width):
        total = normal[i, width] * p[width]
        for j in range(width):
            total += normal[i, j] * p[j]
        out[i] = total
        last += normal[i, width] * p[i]
    out[width] = last


@numba.njit(fastmath=FAST, error_model="numpy")
def _dot(a: np.ndarray, b: np.ndarray) -> np.float32:
    total = np.float32(0.0)
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@numba.njit(fastmath=FAST, error_model="numpy")
def conjugate_gradient(
    normal: np.ndarray, width: int, steps: int, x: np.ndarray, scratch: np.ndarray
) -> float:
    """Improve x towards the solution of A x = b in ``steps`` steps; gives xᵀ A x − 2 xᵀ b.

    Preconditioned by A's diagonal. ``scratch``: float32[4, width + 1]. Cost: width² / 2 moves,
    and width² multiply-adds a step and one more time.
    """
    residual, direction, product, weighted = scratch[0], scratch[1], scratch[2], scratch[3]
    mirror(normal, width)
    _multiply(normal, width, x, product)
    for i in range(width + 1):
        residual[i] = normal[i, width + 1] - product[i]
        weighted[i] = residual[i] / normal[i, i]
        direction[i] = weighted[i]
    length = _dot(residual, weighted)
    for _ in range(steps):
        _multiply(normal, width, direction, product)
        curvature = _dot(direction, product)
        if not curvature > 0.0:  # the residual has vanished, or is NaN and shows in the loss
            break
        step = length / curvature
        for i in range(width + 1):
            x[i] += step * direction[i]
            residual[i] -= step * product[i]
            weighted[i] = residual[i] / normal[i, i]
        before = length
        length = _dot(residual, weighted)
        turn = length / before
        for i in range(width + 1):
            direction[i] = weighted[i] + turn * direction[i]
    value = 0.0
    for i in range(width + 1):
        value -= np.float64(x[i]) * (np.float64(normal[i, width + 1]) + residual[i])
    return value
