"""What a model is to predict: held-out rows, what is warm among them, what was seen before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import ConfigError
from cofilter.core.feedback import feedback_of
from cofilter.core.matrix import UNKNOWN, IdMap, as_ids
from cofilter.core.weights import weights_of
from cofilter.metrics.ranking import RelevantWeights
from cofilter.recommender.sparse import ItemLists

UNWEIGHTED = (
    "evaluate.weighted: true, but the rows have no weights; with data=csv name their column in "
    "data.columns.weight"
)


@dataclass(frozen=True)
class Target:
    """Held-out rows in the index space of the train part; made once, used for every model.

    A user or item is **warm** when it occurs in the *train* part. That holds for refitted models
    too, although they have seen validation rows: all models are judged on the same rows.

    Attributes
    ----------
    users:
        The target's users; every per-user array follows their order.
    items:
        The train part's items: the candidates.
    user_ids, item_ids, rating:
        The target's rows as they stand, rating as float32[rows].
    user, item:
        int32[rows], indices in ``users`` and ``items``; `UNKNOWN` for an item not in train.
    relevant:
        bool[rows].
    user_is_warm:
        bool[users].
    seen:
        bool CSR [users, items], pairs that may not be recommended.
    weight:
        float64[rows], how much each row counts in the metrics; None where all count alike.
    rated:
        Whether the numbers are ratings, so that there is an error to measure.
    """

    users: IdMap
    items: IdMap
    user_ids: np.ndarray
    item_ids: np.ndarray
    rating: np.ndarray
    user: np.ndarray
    item: np.ndarray
    relevant: np.ndarray
    user_is_warm: np.ndarray
    seen: sparse.csr_array
    rated: bool = True
    weight: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        train: pd.DataFrame,
        seen: pd.DataFrame | None,
        target: pd.DataFrame,
        threshold: float | None,
        scale: Sequence[float] | None = None,
        *,
        weighted: bool = False,
    ) -> Target:
        """Index ``target`` against ``train``.

        Parameters
        ----------
        train:
            The train part: defines warm users and items, and the candidates.
        seen:
            Rows beside train that users had before the target: the validation part when the
            target is test, None when the target is validation.
        target:
            Columns user_id, item_id, rating; may be empty.
        threshold:
            Rows rated at least this are relevant; None: every row.
        scale:
            That of the ratings, when it is named; see `cofilter.core.feedback.feedback_of`.
        weighted:
            Rows count with their column weight, and one of weight 0 is not relevant.

        Raises
        ------
        ConfigError
            ``weighted``, and the target has no weights.
        """
        users, items = IdMap.of(target[USER].unique()), IdMap.of(train[ITEM].unique())
        user_ids, item_ids = as_ids(target[USER]), as_ids(target[ITEM])
        rating = target[RATING].to_numpy(np.float32)
        # Compared in the table's own precision: 3.3 as float32 is above 3.3.
        stated = target[RATING].to_numpy()
        relevant = np.ones(len(target), bool) if threshold is None else stated >= threshold
        weight = _weights(target) if weighted else None
        if weight is not None:
            relevant &= weight > 0
        shape = len(users), len(items)
        histories = _matrix(train, users, items)
        if seen is not None:
            histories = histories + _matrix(seen, users, items)
        return cls(
            users,
            items,
            user_ids,
            item_ids,
            rating,
            users.index(user_ids),
            items.index(item_ids),
            relevant,
            _warm(train, users),
            sparse.csr_array(histories, shape=shape),
            feedback_of(train[RATING].to_numpy(), scale) == "ratings",
            weight,
        )

    def __len__(self) -> int:
        return len(self.rating)

    @property
    def warm_rows(self) -> np.ndarray:
        """bool[rows], user and item in train."""
        return self.user_is_warm[self.user] & (self.item != UNKNOWN)

    def seen_by(self, user: np.ndarray) -> ItemLists:
        """What users, int[n] of the target's, had before it."""
        return ItemLists.of(self.seen[user], len(user))

    def n_relevant(self, *, warm: bool) -> np.ndarray:
        """int64[users], relevant items of each user; ``warm``: only those in train."""
        counted = self.relevant & (self.item != UNKNOWN) if warm else self.relevant
        return np.bincount(self.user[counted], minlength=len(self.users))

    def relevant_weights(self, k: int, *, warm: bool) -> RelevantWeights:
        """Weights of each user's relevant items, of a target that has weights."""
        assert self.weight is not None
        counted = self.relevant & (self.item != UNKNOWN) if warm else self.relevant
        return RelevantWeights.of(self.user[counted], self.weight[counted], len(self.users), k)

    def weights_of(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Weight of each (user, item) pair, float64[users, length]; 0 where the target has no row.

        ``user``: int[users]; ``item``: int[users, length], `UNKNOWN` as padding.
        """
        assert self.weight is not None
        known = self.item != UNKNOWN
        shape = len(self.users), len(self.items)
        rows = self.user[known], self.item[known]
        table = sparse.csr_array((self.weight[known], rows), shape=shape)
        pairs = np.repeat(user, item.shape[1]), np.maximum(item, 0).ravel()
        found = np.asarray(table[pairs]).reshape(item.shape)
        return np.where(item == UNKNOWN, 0.0, found)

    @property
    def evaluable_warm_users(self) -> int:
        """Users in train with at least one relevant item in train."""
        return int((self.user_is_warm & (self.n_relevant(warm=True) > 0)).sum())


def _weights(target: pd.DataFrame) -> np.ndarray:
    weight = weights_of(target)
    if weight is None:
        raise ConfigError(UNWEIGHTED)
    return weight.astype(np.float64)


def _warm(train: pd.DataFrame, users: IdMap) -> np.ndarray:
    warm = np.zeros(len(users), bool)
    known = users.index(train[USER].unique())
    warm[known[known != UNKNOWN]] = True
    return warm


def _matrix(rows: pd.DataFrame, users: IdMap, items: IdMap) -> sparse.csr_array:
    """bool CSR [users, items] of the pairs among ``rows`` whose user and item are known."""
    rows = rows[rows[USER].isin(users.ids)]  # first, since few users may be in the target
    user, item = users.index(rows[USER]), items.index(rows[ITEM])
    known = item != UNKNOWN
    pairs = (user[known], item[known])
    return sparse.coo_array(
        (np.ones(int(known.sum()), bool), pairs), shape=(len(users), len(items))
    ).tocsr()
