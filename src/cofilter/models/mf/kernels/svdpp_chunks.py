"""Ratings cut into chunks of users, sorted by user and, within each chunk, by item."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.recommender.kernels.random import random64
from cofilter.recommender.sparse import Sparse


class Columns(NamedTuple):
    """The same ratings by chunk and, within it, by item.

    ``first``: int64[chunks + 1], first user of each chunk. ``segment``: int64[chunks + 1], first
    segment of each chunk; a segment is what one item has in one chunk: ``item`` int32[segments],
    ``start`` int64[segments + 1]. For each rating ``user``, int32, counted from the chunk's
    first, and ``rating``, float32.
    """

    first: np.ndarray
    segment: np.ndarray
    item: np.ndarray
    start: np.ndarray
    user: np.ndarray
    rating: np.ndarray


@compiled(parallel=True)
def shuffled_rows(rows: Sparse, order: np.ndarray, key: np.uint64) -> Sparse:
    """The rows of users in another order, each row's ratings shuffled; O(n), 16 bytes a rating."""
    n_users = len(order)
    start = np.zeros(n_users + 1, np.int64)
    for row in range(n_users):
        start[row + 1] = start[row] + rows.start[order[row] + 1] - rows.start[order[row]]
    item, rating = np.empty_like(rows.at), np.empty_like(rows.value)
    for row in numba.prange(n_users):
        first, last = start[row], start[row + 1]
        old = rows.start[order[row]]
        item[first:last] = rows.at[old : old + last - first]
        rating[first:last] = rows.value[old : old + last - first]
        for at in range(last - 1, first, -1):
            number = random64(key, np.uint64(at))
            other = first + np.int64(number % np.uint64(at - first + 1))
            item[at], item[other] = item[other], item[at]
            rating[at], rating[other] = rating[other], rating[at]
    return Sparse(start, item, rating)


@compiled()
def chunks_of(start: np.ndarray, size: int) -> np.ndarray:
    """First users int64[chunks + 1] of chunks of whole users with ``size`` ratings or more.

    The last chunk may be smaller; no chunk holds a user beyond the one that fills it.
    """
    n_users = len(start) - 1
    first = np.zeros(n_users + 1, np.int64)
    n_chunks = 0
    for user in range(n_users):
        if start[user + 1] - start[first[n_chunks]] >= size or user + 1 == n_users:
            n_chunks += 1
            first[n_chunks] = user + 1
    return first[: n_chunks + 1].copy()


@compiled(parallel=True)
def columns_of(rows: Sparse, first: np.ndarray) -> Columns:
    """Sort each chunk's ratings by item, then by user.

    O(n log(ratings of a chunk)); 12 bytes a rating beside the result while it runs, and 12 a
    rating of one chunk for each thread.
    """
    n, n_chunks = len(rows.at), len(first) - 1
    item, user = np.empty(n, np.int32), np.empty(n, np.int32)
    rating = np.empty(n, np.float32)
    count = np.zeros(n_chunks, np.int64)
    for chunk in numba.prange(n_chunks):
        base, size = rows.start[first[chunk]], 0
        length = rows.start[first[chunk + 1]] - base
        keys, owner = np.empty(length, np.int64), np.empty(length, np.int32)
        for of in range(first[chunk], first[chunk + 1]):
            for at in range(rows.start[of], rows.start[of + 1]):
                keys[size] = (np.int64(rows.at[at]) << 32) | size
                owner[size] = of - first[chunk]
                size += 1
        keys.sort()
        for at in range(length):
            place = keys[at] & 0xFFFFFFFF
            item[base + at], user[base + at] = keys[at] >> 32, owner[place]
            rating[base + at] = rows.value[base + place]
            if at == 0 or item[base + at] != item[base + at - 1]:
                count[chunk] += 1
    segment = np.zeros(n_chunks + 1, np.int64)
    for chunk in range(n_chunks):
        segment[chunk + 1] = segment[chunk] + count[chunk]
    n_segments = segment[n_chunks]
    segment_item, start = np.empty(n_segments, np.int32), np.empty(n_segments + 1, np.int64)
    start[n_segments] = n
    for chunk in numba.prange(n_chunks):
        base, last = rows.start[first[chunk]], rows.start[first[chunk + 1]]
        to = segment[chunk]
        for at in range(base, last):
            if at == base or item[at] != item[at - 1]:
                segment_item[to], start[to] = item[at], at
                to += 1
    return Columns(first, segment, segment_item, start, user, rating)
