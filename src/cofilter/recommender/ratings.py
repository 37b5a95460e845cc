"""Predicted ratings: what users call on a model that predicts them."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np

from cofilter.core.errors import CapabilityError
from cofilter.core.matrix import UNKNOWN, Ids
from cofilter.recommender.access import Access
from cofilter.recommender.inputs import Users, paired
from cofilter.recommender.people import People, distinct_users


class Ratings(Access):
    """Adds `predict` to a model."""

    @overload
    def predict(self, users: Users, item_ids: Ids) -> np.ndarray: ...

    @overload
    def predict(
        self, users: Users, item_ids: Ids, *, return_std: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def predict(
        self, users: Users, item_ids: Ids, *, return_fallback: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def predict(
        self,
        users: Users,
        item_ids: Ids,
        *,
        return_std: Literal[True],
        return_fallback: Literal[True],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def predict(
        self,
        users: Users,
        item_ids: Ids,
        *,
        return_std: bool = False,
        return_fallback: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        """Ratings of (user, item) pairs, float32[n], clipped to the scale.

        Parameters
        ----------
        users:
            User ids, or `People`, one for each of ``item_ids``; a single one is asked for all
            items.
        item_ids:
            Item ids; a single one is asked for all users. Unknown ids get the fallback.
        return_std:
            Also give float32[n], the standard deviation of each answer; NaN for the fallback's.
        return_fallback:
            Also give bool[n], last: True where the answer is the fallback's.

        Examples
        --------
        >>> import pandas as pd
        >>> from cofilter import BiasBaseline
        >>> ratings = pd.DataFrame(
        ...     {"user_id": [1, 1, 2], "item_id": [10, 20, 10], "rating": [5, 3, 4]}
        ... )
        >>> model = BiasBaseline(scale=(1, 5)).fit(ratings)
        >>> model.predict(1, [10, 99], return_fallback=True)[1].tolist()
        [False, True]

        Raises
        ------
        CapabilityError
            The model does not predict ratings, or does not know how sure it is.
        DataError
            Ids of another kind than the model's, or users and items that do not pair up.
        """
        if not self.predicts_ratings:
            raise CapabilityError(f"{type(self).__name__} does not predict ratings, only ranks")
        if return_std and not self.knows_std:
            raise CapabilityError(f"{type(self).__name__} does not know how sure it is")
        users, item = paired(users, self.items_.index(item_ids))
        people = users if isinstance(users, People) else self._known(users)
        user = self._index_of(users)
        scores = self._biases.predict(people.bias, item)
        std = np.full(len(item), np.nan, np.float32)
        own = people.answered & (item != UNKNOWN)
        if own.any():
            first, row = distinct_users(user[own], people.ids[own])
            at = np.flatnonzero(own)
            rows = self._rows(people, user, at[first])
            mine, answered = self._score_pairs(rows, row, item[at])
            scores[at[answered]] = mine[answered]
            if return_std:
                std[at[answered]] = self._pair_std(rows, row, item[at])[answered]
            own[at] = answered
        clipped = np.clip(self._learning.ratings(scores), *self.scale_).astype(np.float32)
        std *= np.float32(self._learning.unit)
        answers = [clipped] + [std] * return_std + [~own] * return_fallback
        return answers[0] if len(answers) == 1 else tuple(answers)
