"""Similarity-weighted means over the nearest candidates of many pairs.

A pair is a given row and a list of candidate rows, ascending, with a deviation each. The k
candidates with the largest positive similarity count (of equal ones the first), and they are
summed best first. So an answer has the same bits whichever way they were found, and for any number
of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from cofilter.core.compiled import compiled
from cofilter.models.knn.kernels.similarity import PIECES, Measure, scratch, similarity_row
from cofilter.recommender.kernels.topk import drain, offer
from cofilter.recommender.sparse import Sparse

WALK = 32  # nearest rows that are looked at before the k found are counted


class Pairs(NamedTuple):
    """What is asked, grouped by given row.

    Attributes
    ----------
    own:
        int32[given rows], index of each among all rows (−1: new).
    own_similarity:
        Of a given row to itself, as in `Known`; 0: it is never its own neighbour.
    start, pair:
        int64, CSR index: the pairs of each given row.
    list_of_pair:
        int32[pairs], which of the candidate lists a pair has.
    """

    own: np.ndarray
    own_similarity: np.float32
    start: np.ndarray
    pair: np.ndarray
    list_of_pair: np.ndarray


@compiled()
def grouped(key: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """CSR index (start int64[n + 1], entry int64[keys]) of entries by key; counting sort, O(n)."""
    start = np.zeros(n + 1, np.int64)
    for entry in range(len(key)):
        start[key[entry] + 1] += 1
    for at in range(n):
        start[at + 1] += start[at]
    free, entries = start[:-1].copy(), np.empty(len(key), np.int64)
    for entry in range(len(key)):
        entries[free[key[entry]]] = entry
        free[key[entry]] += 1
    return start, entries


@numba.njit
def _deviation(
    similarity: np.ndarray,
    lists: Sparse,
    first: int,
    last: int,
    best: np.ndarray,
    place: np.ndarray,
) -> tuple[float, int]:
    """Σ s · d / Σ s over the len(best) nearest candidates, and how many took part."""
    size, worst = 0, np.float32(0.0)
    for at in range(first, last):
        weight = similarity[np.uint32(lists.at[at])]
        # One comparison that nearly always says no; others would cost more than the reading.
        if weight > worst:
            size = offer(best, place, size, weight, at)
            if size == len(best):
                worst = best[0]
    drain(best, place, size)
    above, below = 0.0, 0.0
    for n in range(size):
        weight = np.float64(best[n])
        above += weight * lists.value[place[n]]
        below += weight
    return (above / below if size > 0 else 0.0), size


@compiled(parallel=True)
def deviations_on_demand(
    rows: Sparse,
    columns: Sparse,
    norm: np.ndarray,
    measure: Measure,
    k: int,
    pairs: Pairs,
    lists: Sparse,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean deviation of the nearest candidates of each pair, similarities computed as needed.

    Returns
    -------
    (float64[pairs], int32[pairs] neighbours used; 0 where there was none and the value is 0).

    Cost: one similarity row a given row, plus O(candidates + entries · log k) a pair. Memory: one
    row of similarities a thread.
    """
    n_given, n_rows = len(rows.start) - 1, len(norm)
    deviation, used = np.zeros(len(pairs.pair)), np.zeros(len(pairs.pair), np.int32)
    for piece in numba.prange(PIECES):
        sums = scratch(n_rows, measure)
        found = np.zeros(n_rows, np.float32)
        best, place = np.empty(k, np.float32), np.empty(k, np.int64)
        for row in range(piece * n_given // PIECES, (piece + 1) * n_given // PIECES):
            similarity_row(rows, row, columns, norm, measure, sums, found)
            if pairs.own[row] >= 0:
                found[pairs.own[row]] = pairs.own_similarity
            for at in range(pairs.start[row], pairs.start[row + 1]):
                p = pairs.pair[at]
                given = pairs.list_of_pair[p]
                first, last = lists.start[given], lists.start[given + 1]
                deviation[p], used[p] = _deviation(found, lists, first, last, best, place)
    return deviation, used


class Known(NamedTuple):
    """Similarities of all rows with each other.

    Attributes
    ----------
    similarity:
        float32[rows, rows]; the diagonal is what a row's vote for itself weighs, 0 for none.
    near, weight:
        int32[rows, m] and float32[rows, m]: the most similar rows of each, best first, ties by
        ascending index, with their similarities.
    positive:
        int64[rows], how many of a row's ``near`` are similar at all (weight > 0).
    """

    similarity: np.ndarray
    near: np.ndarray
    weight: np.ndarray
    positive: np.ndarray


class Table(NamedTuple):
    """Candidate lists as rows to look things up in; no rows where that would not pay.

    Attributes
    ----------
    member:
        uint64[lists, rows / 64]: bit ``row % 64`` of word ``row // 64`` is set for a candidate.
    deviation:
        float32[lists, rows] of the candidates; anything elsewhere.
    """

    member: np.ndarray
    deviation: np.ndarray


@compiled(parallel=True)
def lookup_table(lists: Sparse, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The arrays of a `Table`: a bit an entry, and 4 bytes of which only candidates are written."""
    n_lists = len(lists.start) - 1
    member = np.zeros((n_lists, (n_rows + 63) // 64), np.uint64)
    deviation = np.empty((n_lists, n_rows), np.float32)
    for given in numba.prange(n_lists):
        for at in range(lists.start[given], lists.start[given + 1]):
            row = np.uint64(lists.at[at])
            member[given, row >> np.uint64(6)] |= np.uint64(1) << (row & np.uint64(63))
            deviation[given, row] = lists.value[at]
    return member, deviation


@numba.njit
def _walk(
    near: np.ndarray,
    weights: np.ndarray,
    member: np.ndarray,
    deviation: np.ndarray,
    k: int,
    found: np.ndarray,
) -> tuple[float, int]:
    """As `_deviation`, going through the nearest rows, all with positive weights.

    Candidates are noted without a branch, since nobody could foresee it: 1 bit read a row, from a
    few cache lines, and 4 bytes of ``deviation`` for those that count. ``found`` has room for
    k + WALK.
    """
    size, at = 0, 0
    while at < len(near) and size < k:
        stop = min(at + WALK, len(near))
        for n in range(at, stop):
            row = np.uint64(near[n])
            bit = (member[row >> np.uint64(6)] >> (row & np.uint64(63))) & np.uint64(1)
            found[size] = n
            size += int(bit)
        at = stop
    size = min(size, k)
    above, below = 0.0, 0.0
    for entry in range(size):
        n = found[entry]
        weight = np.float64(weights[n])
        above += weight * deviation[near[n]]
        below += weight
    return (above / below if size > 0 else 0.0), size


@compiled(parallel=True)
def deviations(
    known: Known, k: int, pairs: Pairs, lists: Sparse, table: Table
) -> tuple[np.ndarray, np.ndarray]:
    """As `deviations_on_demand`, from similarities at hand; all given rows are known ones.

    With a table, and where a list has more than k candidates and so many that k of them are likely
    among the nearest rows, these are gone through: about k · rows / candidates of them, with no
    selection. Elsewhere the candidates are, O(candidates + entries · log k).
    """
    n_given, n_rows, n_near = len(pairs.own), len(known.similarity), known.near.shape[1]
    deviation, used = np.zeros(len(pairs.pair)), np.zeros(len(pairs.pair), np.int32)
    for piece in numba.prange(PIECES):
        best, place = np.empty(k, np.float32), np.empty(k + WALK, np.int64)
        for given in range(piece * n_given // PIECES, (piece + 1) * n_given // PIECES):
            row = pairs.own[given]
            positive = known.positive[row]
            # Nearest rows that were cut off, or are no neighbours, may leave some to be found.
            all_near = positive < n_near or n_near == n_rows
            for at in range(pairs.start[given], pairs.start[given + 1]):
                p = pairs.pair[at]
                asked = pairs.list_of_pair[p]
                first, last = lists.start[asked], lists.start[asked + 1]
                value, size, proven = 0.0, 0, False
                likely = all_near or (last - first) * n_near >= 2 * k * n_rows
                if len(table.member) and last - first > k and likely:
                    near, weight = known.near[row, :positive], known.weight[row, :positive]
                    member, own_values = table.member[asked], table.deviation[asked]
                    value, size = _walk(near, weight, member, own_values, k, place)
                    proven = all_near or size == k
                if not proven:
                    similarity = known.similarity[row]
                    value, size = _deviation(similarity, lists, first, last, best, place)
                deviation[p], used[p] = value, size
    return deviation, used


@compiled(parallel=True)
def weighted_sums(weights: Sparse, lists: Sparse, n: int) -> np.ndarray:
    """Dense float32[rows, n] product of two CSR matrices, rows × lists and lists × n.

    −inf where nothing is summed: a stored 0 or a sum of 0 is not the same as none.

    Cost: one multiply-add and 8 bytes read for each entry of each list that a row names.
    """
    n_rows = len(weights.start) - 1
    nothing = np.float32(-np.inf)
    result = np.full((n_rows, n), nothing)
    for row in numba.prange(n_rows):
        for at in range(weights.start[row], weights.start[row + 1]):
            weight, named = weights.value[at], weights.at[at]
            for entry in range(lists.start[named], lists.start[named + 1]):
                column = np.uint32(lists.at[entry])
                before = result[row, column]
                part = weight * lists.value[entry]
                result[row, column] = part if before == nothing else before + part
    return result
