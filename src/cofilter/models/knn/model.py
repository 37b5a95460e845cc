"""Neighbourhood models: user-based and item-based, exact.

All similarities are held in memory only where they take at most MATRIX_BYTES.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from tqdm import tqdm

from cofilter.core.matrix import UNKNOWN, Interactions, row_means, row_of, to_csr, transposed
from cofilter.models.knn.config import KNNConfig as KNNConfig
from cofilter.models.knn.kernels.neighbours import nearest_of_all, similarity_matrix
from cofilter.models.knn.kernels.predict import (
    Known,
    Pairs,
    Table,
    deviations,
    deviations_on_demand,
    grouped,
    lookup_table,
    weighted_sums,
)
from cofilter.models.knn.kernels.similarity import (
    CORATED_COSINE,
    COSINE,
    MSD,
    PEARSON,
    Measure,
    lengths,
    nearest,
    similarity_rows,
)
from cofilter.models.knn.lists import neighbour_matrix
from cofilter.models.knn.shares import mean_parts, similarities, through_neighbours
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.kernels.topk import top_k
from cofilter.recommender.people import UserRows, UserState
from cofilter.recommender.sparse import Sparse, as_sparse

# Which kernel a similarity uses and what is taken off the ratings first ("other": the mean of the
# side that is not compared, so the item's for users and the user's for items).
SIMILARITIES = {
    "cosine": (COSINE, "nothing"),
    "adjusted_cosine": (CORATED_COSINE, "other"),
    "pearson": (PEARSON, "nothing"),
    "pearson_baseline": (CORATED_COSINE, "baseline"),
    "msd": (MSD, "nothing"),
}
PRODUCT_SUMS = {"cosine", "adjusted_cosine", "pearson_baseline"}  # sums over what two have rated
MATRIX_BYTES = 1 << 28  # 256 MiB, twice that for a moment: some 7,000 rows have all at hand
NEAR = 48  # × k nearest rows of each are kept sorted there
FEW_ROWS = 32  # given rows for which the matrix is used, but not made
ALONE = 50_000  # pairs below which one thread predicts, about half a microsecond each
NO_LISTS = Sparse(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
AGGREGATIONS = {"plain": "nothing", "mean_centred": "own", "baseline_centred": "baseline"}


class _KNN(Recommender):
    """What `UserKNN` and `ItemKNN` share: ratings, their centring, and how both predict.

    With N the k nearest candidates and e(u, i) what the aggregation expects (0, a mean or the
    baseline):  r̂_ui = e(u, i) + Σ_N s · (r − e) / Σ_N s.
    """

    family = "knn"
    engine_ = "numba"
    config: KNNConfig
    config_class = KNNConfig
    holds_histories = True
    may_be_silent = True
    users_are_rows: bool
    by_user_: sparse.csr_array  # float32[users, items], ratings

    @property
    def _ranks_by_ratings(self) -> bool:
        return self.config.ranking == "prediction"

    def _fit(self, data: Interactions, validation: Interactions | None, trainer: Any) -> None:
        self.by_user_ = data.by_user
        self._prepare()
        self._similarities_at_hand()  # paid here, so that the first prediction is not the slow one

    def settled_config(self, data: Interactions) -> KNNConfig:
        return self.config.settled(data, of_users=self.users_are_rows)

    @property
    def _k(self) -> int:
        assert self.config.k is not None  # settled by what is fitted
        return self.config.k

    def _prepare(self) -> None:
        """Derive from the ratings what every prediction needs; cheap, so nothing of it is saved."""
        self._settle()
        means = {"own", "other"} & {self._similarity_centre, self._aggregation_centre}
        self._item_mean = row_means(transposed(self.by_user_)) if means else np.empty(0)
        by_user = self._centred(self._everybody, self._similarity_centre)
        by_item = transposed(by_user)
        self._compare(*((by_user, by_item) if self.users_are_rows else (by_item, by_user)))

    def _settle(self) -> None:
        """What the configuration says of similarities."""
        config = self.config
        kind, self._similarity_centre = SIMILARITIES[config.similarity]
        self._aggregation_centre = AGGREGATIONS[config.aggregation]
        assert config.shrinkage is not None  # settled by what is fitted
        self._measure = Measure(kind, config.shrinkage, config.significance, config.min_overlap)
        self._own_similarity = np.float32(config.self_votes)

    def _compare(self, rows: sparse.csr_array, columns: sparse.csr_array) -> None:
        """Take the rows whose similarities predict, and the same ratings by column."""
        self._compared, self._columns = rows, as_sparse(columns)
        self._norm = lengths(as_sparse(rows))
        self._at_hand: Known | None = None

    def _similarities_at_hand(self) -> Known | None:
        """All similarities, or None where they take more than MATRIX_BYTES.

        Derived by `fit` and `derive`, or by a loaded model's first prediction from many rows.
        """
        n_rows, n_columns = self._compared.shape
        n_near = min(NEAR * self._k, n_rows)
        if self._at_hand is None and 4 * n_rows**2 + 8 * n_rows * n_near <= MATRIX_BYTES:
            rows = as_sparse(self._compared)
            matrix = similarity_matrix(rows, n_columns, self._norm, self._measure)
            np.fill_diagonal(matrix, self._own_similarity)
            nobody = np.zeros(n_rows + 1, np.int64), np.empty(0, np.int32)
            near, weight = top_k(matrix, *nobody, n_near)
            self._at_hand = Known(matrix, near, weight, (weight > 0).sum(axis=1))
        return self._at_hand

    def derive(self) -> None:
        """All similarities, where they are to be at hand."""
        super().derive()
        self._similarities_at_hand()

    @property
    def _everybody(self) -> UserRows:
        everybody = np.arange(len(self.users_), dtype=np.int32)
        return UserRows(self.by_user_, self._biases.user, everybody)

    def _offsets(self, users: UserRows, centre: str) -> tuple[np.ndarray, np.ndarray]:
        """What a centring takes off: float64[users] and float64[items]."""
        histories = users.state
        no_users, no_items = np.zeros(histories.shape[0]), np.zeros(histories.shape[1])
        if centre == "nothing":
            return no_users, no_items
        if centre == "baseline":
            return self._biases.mean + users.bias, self._biases.item
        if (centre == "own") is self.users_are_rows:
            return row_means(histories), no_items
        return no_users, self._item_mean

    def _centred(self, users: UserRows, centre: str) -> sparse.csr_array:
        """The users' histories with a centring taken off."""
        histories = users.state
        if centre == "nothing":
            return histories
        user_offset, item_offset = self._offsets(users, centre)
        value = histories.data - user_offset[row_of(histories)] - item_offset[histories.indices]
        parts = value.astype(np.float32), histories.indices, histories.indptr
        return sparse.csr_array(parts, shape=histories.shape)

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.by_user_[user]

    def _take_users(self, state: UserState, new: Interactions) -> None:
        self.by_user_ = state
        self._prepare()

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        return to_csr(data.user, item, data.rating, (len(data.users), len(self.items_)))

    def _arrays(self) -> dict[str, np.ndarray]:
        ratings = self.by_user_
        return {"start": ratings.indptr, "index": ratings.indices, "rating": ratings.data}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        parts = arrays["rating"], arrays["index"], arrays["start"]
        self.by_user_ = sparse.csr_array(parts, shape=(len(self.users_), len(self.items_)))
        self._prepare()

    def _combine(
        self,
        users: UserRows,
        row: np.ndarray,
        item: np.ndarray,
        given: tuple[np.ndarray, np.ndarray],
        lists: tuple[sparse.csr_array, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict pairs, grouped by the row whose similarities they share.

        ``given``: int32 index of each row to compare, and for each pair its place among them.
        ``lists``: candidates with their deviations, and for each pair its place among those.
        """
        own, place = given
        groups = grouped(place, len(own))
        pairs = Pairs(own, self._own_similarity, *groups, lists[1].astype(np.int32))
        candidates, k = as_sparse(lists[0]), min(self._k, len(self._norm))
        known = None
        if (own != UNKNOWN).all():  # new users are no rows of the matrix
            known = self._at_hand if len(own) <= FEW_ROWS else self._similarities_at_hand()
        if known is not None:
            with few_threads(len(row) < ALONE):
                table = self._table(candidates, lists[1])
                deviation, used = deviations(known, k, pairs, candidates, table)
        else:
            rows = as_sparse(self._given_rows(users, own))
            deviation, used = deviations_on_demand(
                rows, self._columns, self._norm, self._measure, k, pairs, candidates
            )
        user_offset, item_offset = self._offsets(users, self._aggregation_centre)
        return user_offset[row] + item_offset[item] + deviation, used > 0

    def _score_items(self, users: UserRows) -> np.ndarray:
        if self.config.ranking == "summed_similarity":
            return self._summed_similarity(users)
        n_users, n_items = len(users.bias), len(self.items_)
        row = np.repeat(np.arange(n_users, dtype=np.int32), n_items)
        item = np.tile(np.arange(n_items, dtype=np.int32), n_users)
        scores, answered = self._score_pairs(users, row, item)
        fallback = self._biases.predict(users.bias[row], item)
        scores = np.where(answered, scores, fallback).astype(np.float32).reshape(-1, n_items)
        scores[~answered.reshape(-1, n_items).any(axis=1)] = -np.inf
        return scores

    def _table(self, lists: Sparse, list_of_pair: np.ndarray) -> Table:
        """The lists as a `Table` where that is small and pays, else one without rows."""
        n_rows, size = len(self._norm), (len(lists.start) - 1) * len(self._norm)
        candidates = np.diff(lists.start)[list_of_pair].sum()
        pays = 4 * size <= MATRIX_BYTES and size <= candidates
        return Table(*lookup_table(lists if pays else NO_LISTS, n_rows))

    @abstractmethod
    def _given_rows(self, users: UserRows, own: np.ndarray) -> sparse.csr_array:
        """The rows to compare, centred."""

    @abstractmethod
    def _summed_similarity(self, users: UserRows) -> np.ndarray:
        """Ranking scores float32[users, items]: Σ similarity of the items' raters or neighbours.

        −inf for an item that no neighbour speaks for.
        """


class UserKNN(_KNN):
    """Users who rated alike predict each other (GroupLens; Resnick et al. 1994).

    A rating is predicted from the k users most similar to the user among those who rated the
    item. Similarities are computed for the users asked for, when they are asked for. A new
    user's history is compared directly. It is not cut by user: whoever is asked for is compared
    with everybody, so that no server could do without anybody's ratings.

    Shares of `explain` are exact for ``cosine``, ``adjusted_cosine`` and ``pearson_baseline``,
    whose similarities are sums over co-rated items: what a neighbour adds, s (r − e) / Σ s or
    s · r, is shared as the terms of s are. They sum to the score, of ``prediction`` less e. For the
    other two they are by removal, where a known user is a new one beside the row of their own.
    """

    users_are_rows = True

    def _prepare(self) -> None:
        super()._prepare()
        self.shares_are_exact = self.config.similarity in PRODUCT_SUMS
        self._raters = transposed(self._centred(self._everybody, self._aggregation_centre))
        self._rated = as_sparse(self.by_user_)

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return self._combine(users, row, item, (users.known, row), (self._raters, item))

    def _given_rows(self, users: UserRows, own: np.ndarray) -> sparse.csr_array:
        return self._centred(users, self._similarity_centre)

    def _summed_similarity(self, users: UserRows) -> np.ndarray:
        lists = as_sparse(self._neighbours(users))
        return weighted_sums(lists, self._rated, len(self.items_))

    def _neighbours(self, users: UserRows) -> sparse.csr_array:
        """Similarities of the k nearest users: CSR float32[users, training users]."""
        compared = as_sparse(self._centred(users, self._similarity_centre))
        n_users = len(self.users_)
        k = min(self._k, n_users)
        found = nearest(compared, self._columns, self._norm, users.known, self._measure, k)
        return neighbour_matrix(*found, n_users)

    def _shares(
        self, users: UserRows, row: np.ndarray, item: np.ndarray, history: Interactions
    ) -> sparse.csr_array:
        if not self.shares_are_exact:
            return super()._shares(users, row, item, history)
        given = self._centred(users, self._similarity_centre)
        if self.config.ranking == "summed_similarity":
            parts = self._neighbours(users)[row].multiply(transposed(self.by_user_)[item]).tocsr()
        else:
            near = similarities(
                given, users.known, self._columns, self._norm, self._measure, self._own_similarity
            )
            raters = self._raters[item]
            parts = mean_parts(raters, near[row[row_of(raters)], raters.indices], self._k)
        return through_neighbours(parts, given[row], self._compared)


class ItemKNN(_KNN):
    """Items that were rated alike predict each other (Sarwar et al. 2001; Deshpande, Karypis 2004).

    A rating is predicted from the k items most similar to the item among those the user rated.
    Ranking uses each item's k nearest items, computed once in `fit`. A new user's history is
    used directly. A part of the users (`of_users`) has all ratings by item, centred, beside the
    own histories: 8 bytes a rating in its folder, 16 in memory.

    Shares of `explain` are exact: s · r of the rated neighbours, which sum to the score, or, for
    ``ranking: prediction``, s (r − e) / Σ s, which sum to the score less e.
    """

    users_are_rows = False
    shares_are_exact = True

    def _fit(self, data: Interactions, validation: Interactions | None, trainer: Any) -> None:
        super()._fit(data, validation, trainer)
        rows, n_users = as_sparse(self._compared), len(self.users_)
        bar = partial(tqdm, desc="neighbours", unit="block", disable=None, delay=2)
        self.neighbour_, self.neighbour_similarity_ = nearest_of_all(
            rows, n_users, self._norm, self._measure, self._k, bar
        )
        self._set_neighbours()

    def _set_neighbours(self) -> None:
        matrix = neighbour_matrix(self.neighbour_, self.neighbour_similarity_, len(self.items_))
        self._scoring = as_sparse(transposed(matrix))

    def _take_users(self, state: UserState, new: Interactions) -> None:
        if self._is_part:
            self.by_user_ = state
        else:
            super()._take_users(state, new)

    def _keep_users(self, rows: np.ndarray) -> None:
        self.by_user_ = self.by_user_[rows]

    def _arrays(self) -> dict[str, np.ndarray]:
        lists = {"neighbour": self.neighbour_, "neighbour_similarity": self.neighbour_similarity_}
        rows = self._compared
        of_everybody = {
            "compared_start": rows.indptr,
            "compared_index": rows.indices,
            "compared_value": rows.data,
            "compared_shape": np.array(rows.shape),
            "item_mean": self._item_mean,
        }
        return super()._arrays() | lists | (of_everybody if self._is_part else {})

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._is_part = "compared_value" in arrays
        super()._restore(arrays)
        if self._is_part:
            self._item_mean = arrays["item_mean"]
            parts = (arrays[f"compared_{name}"] for name in ("value", "index", "start"))
            by_item = sparse.csr_array(tuple(parts), shape=tuple(arrays["compared_shape"].tolist()))
            self._compare(by_item, transposed(by_item))
        self.neighbour_ = arrays["neighbour"]
        self.neighbour_similarity_ = arrays["neighbour_similarity"]
        self._set_neighbours()

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        groups = np.bincount(item, minlength=len(self.items_)) > 0
        wanted = np.flatnonzero(groups).astype(np.int32)
        place = (np.cumsum(groups, dtype=np.int32) - 1)[item]
        lists = self._centred(users, self._aggregation_centre)
        return self._combine(users, row, item, (wanted, place), (lists, row))

    def _given_rows(self, users: UserRows, own: np.ndarray) -> sparse.csr_array:
        return self._compared[own]

    def _summed_similarity(self, users: UserRows) -> np.ndarray:
        return weighted_sums(as_sparse(users.state), self._scoring, len(self.items_))

    def _shares(
        self, users: UserRows, row: np.ndarray, item: np.ndarray, history: Interactions
    ) -> sparse.csr_array:
        if self.config.ranking == "summed_similarity":
            chosen = self.neighbour_[item], self.neighbour_similarity_[item]
            return users.state[row].multiply(neighbour_matrix(*chosen, len(self.items_))).tocsr()
        wanted, place = np.unique(item, return_inverse=True)
        near = similarities(
            self._compared[wanted], wanted, self._columns, self._norm, self._measure,
            self._own_similarity,
        )  # fmt: skip
        rated = self._centred(users, self._aggregation_centre)[row]
        return mean_parts(rated, near[place[row_of(rated)], rated.indices], self._k)

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        compared = as_sparse(self._compared[item])
        similarity = similarity_rows(compared, self._columns, self._norm, self._measure)
        similarity[similarity == 0] = -np.inf  # not defined: nobody's ratings compare the two
        return similarity


KINDS: dict[str, type[_KNN]] = {"user": UserKNN, "item": ItemKNN}
