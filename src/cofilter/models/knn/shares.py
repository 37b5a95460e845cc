"""What each rating of a history adds to a neighbourhood model's score."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from cofilter.core.matrix import row_of
from cofilter.models.knn.kernels.similarity import Measure, similarity_rows
from cofilter.recommender.sparse import Sparse, as_sparse


def similarities(
    rows: sparse.csr_array,
    own: np.ndarray,
    columns: Sparse,
    norm: np.ndarray,
    measure: Measure,
    own_similarity: np.float32,
) -> np.ndarray:
    """Similarities float32[rows, all rows]; ``own`` is each one's index among all, −1: new."""
    found = similarity_rows(as_sparse(rows), columns, norm, measure)
    known = np.flatnonzero(own >= 0)
    found[known, own[known]] = own_similarity
    return found


def mean_parts(candidates: sparse.csr_array, similarity: np.ndarray, k: int) -> sparse.csr_array:
    """What each candidate adds to Σ s · d / Σ s over the k nearest: CSR float64, same shape.

    ``candidates``: deviations d by pair; ``similarity``: of each stored entry. As the kernels do,
    only positive similarities count, and of equal ones the first. The others' entries are 0.
    """
    pair = row_of(candidates)
    order = np.lexsort((candidates.indices, -similarity, pair))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - candidates.indptr[pair[order]]
    weight = np.where((place < k) & (similarity > 0), similarity, 0.0).astype(np.float64)
    total = np.bincount(pair, weight, candidates.shape[0])[pair]
    part = np.divide(weight * candidates.data, total, out=np.zeros(len(pair)), where=total > 0)
    return sparse.csr_array((part, candidates.indices, candidates.indptr), candidates.shape)


def through_neighbours(
    parts: sparse.csr_array, given: sparse.csr_array, compared: sparse.csr_array
) -> sparse.csr_array:
    """What neighbours add, by the co-rated columns that make them neighbours.

    A similarity that is a sum of products, s = c · Σ_j x_j y_j, is shared as its terms are:

        share_j = Σ_v part_v · x_j y_vj / Σ_l x_l y_vl

    Parameters
    ----------
    parts:
        CSR [pairs, rows]: what each neighbour adds to a pair's score.
    given:
        CSR [pairs, columns], x of each pair.
    compared:
        CSR [rows, columns], y.

    Returns
    -------
    CSR float64[pairs, columns]; a row sums to that of ``parts``. Cost and memory: the co-rated
    columns of each pair and each of its neighbours.
    """
    some = parts.data != 0
    pair = row_of(parts)[some]
    products = given[pair].multiply(compared[parts.indices[some]]).astype(np.float64).tocsr()
    scale = parts.data[some] / products.sum(axis=1)
    start = np.searchsorted(pair, np.arange(parts.shape[0] + 1))
    gather = sparse.csr_array(
        (scale, np.arange(len(pair)), start), shape=(parts.shape[0], len(pair))
    )
    return (gather @ products).tocsr()
