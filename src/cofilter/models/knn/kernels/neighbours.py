"""The nearest rows of every row of a sparse matrix, exact, each pair of rows computed once.

Rows are renumbered by length, longest first, and every row meets only rows that are longer, so
that the sums of the many multiply-adds fall into a small, hot part of memory: on MovieLens' shape
two thirds of them hit the first 4,000 rows, 32 KB of float64.

Cost: Σ over columns of length² / 2 multiply-adds a sum, 8 bytes read each (7·10⁹ for the items of
MovieLens 20M), plus n² / 2 similarities looked at twice. Memory: 16 bytes an entry, SIMILARITIES
finished similarities at a time, SCRATCH bytes of sums a thread.

A similarity has the bits that `cofilter.models.knn.kernels.similarity` gives it, and the k best of
a set do not depend on the order in which they are offered: results equal `nearest`'s and do not
depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.models.knn.kernels.similarity import Measure, add_products, finish_row, n_sums
from cofilter.recommender.kernels.topk import CHUNK, drain, offer
from cofilter.recommender.sparse import Sparse

SIMILARITIES = 1 << 24  # finished at a time: 64 MiB of float32
SCRATCH = 1 << 26  # bytes of sums a thread
TILE = 64  # rows that share one reading of the columns; more help little and need more scratch
PIECES = 64  # of a block's tiles, and of the rows that it is offered to
_GOLDEN = (5**0.5 - 1) / 2
_LEAST = np.nextafter(np.float32(0), np.float32(1))


class Tiles(NamedTuple):
    """Which columns each tile of consecutive rows meets.

    Tile t has, in ascending order, columns ``column[start[t]:start[t + 1]]``; ``length`` is how
    far the column's entries reach up to and with the tile's last row.
    """

    start: np.ndarray
    column: np.ndarray
    length: np.ndarray


@compiled()
def _ranked_columns(rows: Sparse, order: np.ndarray, n_columns: int) -> Sparse:
    """The transpose, rows named by their place in ``order``, ascending within a column."""
    start = np.zeros(n_columns + 1, np.int64)
    for entry in range(len(rows.at)):
        start[rows.at[entry] + 1] += 1
    for column in range(n_columns):
        start[column + 1] += start[column]
    free = start[:-1].copy()
    at = np.empty(len(rows.at), np.int32)
    value = np.empty(len(rows.at), np.float32)
    for rank in range(len(order)):
        for entry in range(rows.start[order[rank]], rows.start[order[rank] + 1]):
            place = free[rows.at[entry]]
            at[place], value[place] = rank, rows.value[entry]
            free[rows.at[entry]] = place + 1
    return Sparse(start, at, value)


@compiled()
def _tiles(columns: Sparse, n_rows: int, height: int) -> Tiles:
    start = np.zeros((n_rows - 1) // height + 2, np.int64)
    for column in range(len(columns.start) - 1):
        last = -1
        for entry in range(columns.start[column], columns.start[column + 1]):
            tile = columns.at[entry] // height
            if tile != last:
                start[tile + 1] += 1
                last = tile
    for tile in range(len(start) - 1):
        start[tile + 1] += start[tile]
    free = start[:-1].copy()
    member, length = np.empty(start[-1], np.int32), np.empty(start[-1], np.int32)
    for column in range(len(columns.start) - 1):
        first, end = columns.start[column], columns.start[column + 1]
        for entry in range(first, end):
            tile = columns.at[entry] // height
            if entry + 1 == end or columns.at[entry + 1] // height != tile:
                member[free[tile]], length[free[tile]] = column, entry + 1 - first
                free[tile] += 1
    return Tiles(start, member, length)


@compiled(parallel=True)
def _block(
    chosen: np.ndarray,
    tiles: Tiles,
    height: int,
    columns: Sparse,
    norm: np.ndarray,
    measure: Measure,
    block_first: int,
    result: np.ndarray,
) -> None:
    """Fill result[row − block_first, b] for every row of the chosen tiles and every b < row."""
    n, width = len(chosen), n_sums(measure)
    n_rows = result.shape[1]
    for piece in numba.prange(PIECES):
        own = chosen[piece * n // PIECES : (piece + 1) * n // PIECES]
        sums = np.zeros(height * n_rows * width if len(own) else 0)
        for tile in own:
            first_row = tile * height
            last_row = min(first_row + height, n_rows)
            for group in range(tiles.start[tile], tiles.start[tile + 1]):
                first = columns.start[tiles.column[group]]
                entry = first + tiles.length[group] - 1
                while entry >= first and columns.at[entry] >= first_row:
                    origin = (columns.at[entry] - first_row) * last_row * width
                    x = np.float64(columns.value[entry])
                    add_products(measure.kind, width, x, columns, first, entry, sums, origin)
                    entry -= 1
            for row in range(first_row, last_row):
                origin = (row - first_row) * last_row * width
                found = result[row - block_first]
                finish_row(sums, origin, row, norm[row], norm, measure, found)


@numba.njit
def _enter(
    row: int,
    similarity: float,
    identity: int,
    neighbour: np.ndarray,
    value: np.ndarray,
    size: np.ndarray,
    worst: np.ndarray,
) -> None:
    size[row] = offer(value[row], neighbour[row], size[row], similarity, identity)
    if size[row] == value.shape[1]:
        worst[row] = value[row, 0]


@numba.njit
def _any_reaches(found: np.ndarray, first: int, worst: np.ndarray) -> bool:
    """Whether one of CHUNK similarities reaches its row's worst; ``worst`` may be one for all."""
    reached, each = np.int32(0), len(worst) > 1
    for n in range(first, first + CHUNK):
        reached |= np.int32(found[np.uint64(n)] >= worst[np.uint64(n) if each else np.uint64(0)])
    return reached != 0


@compiled(parallel=True)
def _offer(
    result: np.ndarray,
    block_first: int,
    block_last: int,
    order: np.ndarray,
    neighbour: np.ndarray,
    value: np.ndarray,
    size: np.ndarray,
    worst: np.ndarray,
) -> None:
    """Offer each pair of a block first to its shorter row, then to its longer one."""
    for row in numba.prange(block_first, block_last):
        found = result[row - block_first]
        # Rows of about its own length are the likelier neighbours: offered first, they keep most
        # others out.
        for last in range(row, 0, -CHUNK):
            first = max(last - CHUNK, 0)
            if last - first == CHUNK and not _any_reaches(found, first, worst[row : row + 1]):
                continue
            for b in range(first, last):
                if found[b] >= worst[row]:
                    _enter(row, found[b], order[b], neighbour, value, size, worst)
    for piece in numba.prange(PIECES):
        begin, end = piece * block_last // PIECES, (piece + 1) * block_last // PIECES
        for row in range(block_first, block_last):
            found = result[row - block_first]
            for first in range(begin, min(end, row), CHUNK):
                last = min(first + CHUNK, end, row)
                if last - first == CHUNK and not _any_reaches(found, first, worst):
                    continue
                for b in range(first, last):
                    if found[b] >= worst[b]:
                        _enter(b, found[b], order[row], neighbour, value, size, worst)


@compiled(parallel=True)
def _sort(neighbour: np.ndarray, value: np.ndarray, size: np.ndarray) -> None:
    for row in numba.prange(len(size)):
        drain(value[row], neighbour[row], size[row])


class _Ranked(NamedTuple):
    """A matrix with its rows in order of length, ready for `_block`."""

    order: np.ndarray
    columns: Sparse
    norm: np.ndarray
    tiles: Tiles
    height: int
    measure: Measure

    def fill(self, block: range, result: np.ndarray) -> None:
        """Similarities of a run of tiles with all longer rows; see `_block`."""
        # Threads take consecutive entries; in this order any such run is a fair sample.
        chosen = np.argsort(np.arange(len(block)) * _GOLDEN % 1.0) + block.start
        first = block.start * self.height
        _block(
            chosen, self.tiles, self.height, self.columns, self.norm, self.measure, first, result
        )


def _ranked(rows: Sparse, n_columns: int, norm: np.ndarray, measure: Measure) -> _Ranked:
    order = np.argsort(-np.diff(rows.start), kind="stable").astype(np.int32)
    columns = _ranked_columns(rows, order, n_columns)
    height = max(1, min(TILE, SCRATCH // (8 * n_sums.py_func(measure) * len(norm))))
    tiles = _tiles(columns, len(norm), height)
    return _Ranked(order, columns, norm[order], tiles, height, measure)


def nearest_of_all(
    rows: Sparse,
    n_columns: int,
    norm: np.ndarray,
    measure: Measure,
    k: int,
    progress: Callable[[list[range]], Iterable[range]] = iter,
) -> tuple[np.ndarray, np.ndarray]:
    """The k most similar other rows (similarity > 0) of every row.

    Parameters
    ----------
    rows:
        The matrix, row → columns, columns ascending; one row at least.
    norm:
        float64[rows], Euclidean lengths.
    progress:
        Wraps the list of blocks that are gone through.

    Returns
    -------
    (int32[rows, min(k, rows)] with −1 as padding, float32 of the same shape), best first, ties by
    ascending index.
    """
    n_rows = len(norm)
    k = min(k, n_rows)
    ranked = _ranked(rows, n_columns, norm, measure)
    neighbour, value = np.full((n_rows, k), -1, np.int32), np.zeros((n_rows, k), np.float32)
    size, worst = np.zeros(n_rows, np.int32), np.full(n_rows, _LEAST)
    blocks = _blocks(n_rows, ranked.height)
    space = np.empty(max(_area(block, ranked.height, n_rows) for block in blocks), np.float32)
    for block in progress(blocks):
        first, last = block.start * ranked.height, min(block.stop * ranked.height, n_rows)
        result = space[: (last - first) * last].reshape(last - first, last)
        ranked.fill(block, result)
        _offer(result, first, last, ranked.order, neighbour, value, size, worst)
    _sort(neighbour, value, size)
    by_rank = np.argsort(ranked.order)
    return neighbour[by_rank], value[by_rank]


def similarity_matrix(
    rows: Sparse, n_columns: int, norm: np.ndarray, measure: Measure
) -> np.ndarray:
    """Similarities float32[rows, rows] of all rows, 0 on the diagonal; 8 bytes a pair in all.

    For small matrices: the caller bounds their number.
    """
    n_rows = len(norm)
    ranked = _ranked(rows, n_columns, norm, measure)
    lower = np.empty((n_rows, n_rows), np.float32)
    ranked.fill(range(-(-n_rows // ranked.height)), lower)
    return _mirrored(lower, np.argsort(ranked.order))


@compiled(parallel=True)
def _mirrored(lower: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Both triangles, rows named as before they were ranked."""
    n_rows = len(lower)
    result = np.empty((n_rows, n_rows), np.float32)
    for row in numba.prange(n_rows):
        for b in range(n_rows):
            long, short = min(rank[row], rank[b]), max(rank[row], rank[b])
            result[row, b] = lower[short, long] if row != b else np.float32(0.0)
    return result


def _area(block: range, height: int, n_rows: int) -> int:
    """Similarities held for a block, the unused upper triangle of its last rows included."""
    last = min(block.stop * height, n_rows)
    return (last - block.start * height) * last


def _blocks(n_rows: int, height: int) -> list[range]:
    """Runs of tiles whose similarities fit into SIMILARITIES, one tile at least."""
    n_tiles, blocks, first = -(-n_rows // height), [], 0
    while first < n_tiles:
        last = first + 1
        while last < n_tiles and _area(range(first, last + 1), height, n_rows) <= SIMILARITIES:
            last += 1
        blocks.append(range(first, last))
        first = last
    return blocks
