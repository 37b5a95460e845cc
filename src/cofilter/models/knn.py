"""Neighbourhood models: user-based and item-based, exact, without a similarity matrix in memory."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy import sparse
from tqdm import tqdm

from cofilter.kernels.similarity import (
    CORATED_COSINE,
    COSINE,
    MSD,
    PEARSON,
    Measure,
    Sparse,
    knn_deviations,
    nearest,
    similarity_rows,
)
from cofilter.matrix import UNKNOWN, Interactions, row_means, row_of, to_csr, transposed
from cofilter.models.base import Recommender
from cofilter.models.config import ModelConfig
from cofilter.models.people import UserRows, UserState

# Which kernel a similarity uses and what is taken off the ratings first ("other": the mean of the
# side that is not compared, so the item's for users and the user's for items).
SIMILARITIES = {
    "cosine": (COSINE, "nothing"),
    "adjusted_cosine": (CORATED_COSINE, "other"),
    "pearson": (PEARSON, "nothing"),
    "pearson_baseline": (CORATED_COSINE, "baseline"),
    "msd": (MSD, "nothing"),
}
BLOCK = 1024  # items whose neighbours are found at once, between two steps of the progress bar
AGGREGATIONS = {"plain": "nothing", "mean_centred": "own", "baseline_centred": "baseline"}


class KNNConfig(ModelConfig):
    """Hyper-parameters of `UserKNN` and `ItemKNN`.

    Attributes
    ----------
    similarity:
        ``cosine``: whole rows, an absent rating counts as 0. ``adjusted_cosine``: over co-rated
        entries, the other side's mean taken off (Sarwar et al. 2001). ``pearson``: over
        co-rated entries, each row's mean over them taken off. ``pearson_baseline``: over
        co-rated entries, the bias baseline taken off (Koren 2010). ``msd``: 1 / (1 + mean squared
        difference over co-rated entries) (Shardanand and Maes 1995), always positive.
    k:
        Neighbours that take part in a prediction; only positive similarities count.
    shrinkage:
        Similarity × n / (n + shrinkage), n co-ratings (Bell and Koren 2007).
    significance:
        Similarity × min(n, significance) / significance (Herlocker et al. 1999); 0: off.
    min_overlap:
        Similarity is 0 below so many co-ratings.
    aggregation:
        What neighbours average: ``plain`` ratings, deviations from the row's mean
        (``mean_centred``) or from the bias baseline (``baseline_centred``).
    ranking:
        Items are ranked by ``summed_similarity`` × rating over the k nearest neighbours, or by
        ``prediction``.
    """

    similarity: Literal["cosine", "adjusted_cosine", "pearson", "pearson_baseline", "msd"]
    k: int = Field(gt=0)
    shrinkage: float = Field(0.0, ge=0)
    significance: int = Field(0, ge=0)
    min_overlap: int = Field(1, ge=1)
    aggregation: Literal["plain", "mean_centred", "baseline_centred"]
    ranking: Literal["summed_similarity", "prediction"] = "summed_similarity"


class _KNN(Recommender):
    """What `UserKNN` and `ItemKNN` share: ratings, their centring, and how both predict.

    With N the k nearest candidates and e(u, i) what the aggregation expects (0, a mean or the
    baseline):  r̂_ui = e(u, i) + Σ_N s · (r − e) / Σ_N s.
    """

    family = "knn"
    engine_ = "numba"
    config: KNNConfig
    config_class = KNNConfig
    users_are_rows: bool
    by_user_: sparse.csr_array  # float32[users, items], ratings

    def __init__(self, config: KNNConfig) -> None:
        super().__init__(config)

    def _fit(self, data: Interactions, validation: Interactions | None, trainer: Any) -> None:
        self.by_user_ = data.by_user
        self._prepare()

    def _prepare(self) -> None:
        """Derive from the ratings what every prediction needs; cheap, so nothing of it is saved."""
        config = self.config
        kind, self._similarity_centre = SIMILARITIES[config.similarity]
        self._aggregation_centre = AGGREGATIONS[config.aggregation]
        self._measure = Measure(kind, config.shrinkage, config.significance, config.min_overlap)
        self._item_mean = row_means(transposed(self.by_user_))
        by_user = self._centred(self._everybody, self._similarity_centre)
        by_item = transposed(by_user)
        rows, columns = (by_user, by_item) if self.users_are_rows else (by_item, by_user)
        self._compared, self._columns = rows, as_sparse(columns)
        self._norm = np.sqrt(np.bincount(row_of(rows), rows.data.astype(float) ** 2, rows.shape[0]))

    @property
    def _everybody(self) -> UserRows:
        everybody = np.arange(len(self.users_), dtype=np.int32)
        return UserRows(self.by_user_, self.biases_.user, everybody)

    def _offsets(self, users: UserRows, centre: str) -> tuple[np.ndarray, np.ndarray]:
        """What a centring takes off: float64[users] and float64[items]."""
        histories = users.state
        no_users, no_items = np.zeros(histories.shape[0]), np.zeros(histories.shape[1])
        if centre == "nothing":
            return no_users, no_items
        if centre == "baseline":
            return self.biases_.mean + users.bias, self.biases_.item
        if (centre == "own") is self.users_are_rows:
            return row_means(histories), no_items
        return no_users, self._item_mean

    def _centred(self, users: UserRows, centre: str) -> sparse.csr_array:
        """The users' histories with a centring taken off."""
        histories = users.state
        user_offset, item_offset = self._offsets(users, centre)
        value = histories.data - user_offset[row_of(histories)] - item_offset[histories.indices]
        parts = value.astype(np.float32), histories.indices, histories.indptr
        return sparse.csr_array(parts, shape=histories.shape)

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.by_user_[user]

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
        given: tuple[sparse.csr_array, np.ndarray, np.ndarray],
        lists: tuple[sparse.csr_array, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict pairs, grouped by the row whose similarities they share.

        ``given``: rows to compare, each one's own index, and for each pair its place among them.
        ``lists``: candidates with their deviations, and for each pair its place among those.
        """
        rows, own, place = given
        start = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=rows.shape[0]))])
        deviation, used = knn_deviations(
            as_sparse(rows),
            self._columns,
            self._norm,
            own.astype(np.int32),
            self._measure,
            self.config.k,
            start.astype(np.int64),
            np.argsort(place, kind="stable"),
            lists[1].astype(np.int64),
            as_sparse(lists[0]),
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
        fallback = self.biases_.predict(users.bias[row], item)
        return np.where(answered, scores, fallback).astype(np.float32).reshape(-1, n_items)

    def _summed_similarity(self, users: UserRows) -> np.ndarray:
        raise NotImplementedError


class UserKNN(_KNN):
    """Users who rated alike predict each other (GroupLens; Resnick et al. 1994).

    A rating is predicted from the k users most similar to the user among those who rated the
    item. Similarities are computed for the users asked for, when they are asked for. A new
    user's history is compared directly.
    """

    users_are_rows = True

    def _prepare(self) -> None:
        super()._prepare()
        self._raters = transposed(self._centred(self._everybody, self._aggregation_centre))

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        compared = self._centred(users, self._similarity_centre)
        return self._combine(users, row, item, (compared, users.known, row), (self._raters, item))

    def _summed_similarity(self, users: UserRows) -> np.ndarray:
        compared = as_sparse(self._centred(users, self._similarity_centre))
        found = nearest(
            compared, self._columns, self._norm, users.known, self._measure, self.config.k
        )
        return (neighbour_matrix(*found, len(self.users_)) @ self.by_user_).toarray()


class ItemKNN(_KNN):
    """Items that were rated alike predict each other (Sarwar et al. 2001; Deshpande, Karypis 2004).

    A rating is predicted from the k items most similar to the item among those the user rated.
    Ranking uses each item's k nearest items, computed once in `fit`. A new user's history is
    used directly.
    """

    users_are_rows = False

    def _fit(self, data: Interactions, validation: Interactions | None, trainer: Any) -> None:
        super()._fit(data, validation, trainer)
        n_items = len(self.items_)
        blocks = [np.arange(at, min(at + BLOCK, n_items)) for at in range(0, n_items, BLOCK)]
        found = [
            nearest(
                as_sparse(self._compared[items]),
                self._columns,
                self._norm,
                items.astype(np.int32),
                self._measure,
                self.config.k,
            )
            for items in tqdm(blocks, "neighbours", unit="block", disable=None, delay=2)
        ]
        self.neighbour_, self.neighbour_similarity_ = map(np.concatenate, zip(*found, strict=True))
        self._set_neighbours()

    def _set_neighbours(self) -> None:
        matrix = neighbour_matrix(self.neighbour_, self.neighbour_similarity_, len(self.items_))
        self._scoring = transposed(matrix)

    def _arrays(self) -> dict[str, np.ndarray]:
        lists = {"neighbour": self.neighbour_, "neighbour_similarity": self.neighbour_similarity_}
        return super()._arrays() | lists

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        super()._restore(arrays)
        self.neighbour_ = arrays["neighbour"]
        self.neighbour_similarity_ = arrays["neighbour_similarity"]
        self._set_neighbours()

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        wanted, place = np.unique(item, return_inverse=True)
        given = self._compared[wanted], wanted, place
        lists = self._centred(users, self._aggregation_centre)
        return self._combine(users, row, item, given, (lists, row))

    def _summed_similarity(self, users: UserRows) -> np.ndarray:
        return (users.state @ self._scoring).toarray()

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        return similarity_rows(
            as_sparse(self._compared[item]), self._columns, self._norm, self._measure
        )


KNN_KINDS: dict[str, type[_KNN]] = {"user": UserKNN, "item": ItemKNN}


def as_sparse(matrix: sparse.csr_array) -> Sparse:
    """A CSR matrix with the dtypes that the kernels are compiled for."""
    return Sparse(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data.astype(np.float32, copy=False),
    )


def neighbour_matrix(neighbour: np.ndarray, similarity: np.ndarray, n: int) -> sparse.csr_array:
    """Neighbour lists (−1 is padding) as a CSR matrix float32[lists, n]."""
    some = neighbour != UNKNOWN
    start = np.concatenate([[0], np.cumsum(some.sum(axis=1))])
    return sparse.csr_array((similarity[some], neighbour[some], start), shape=(len(neighbour), n))
