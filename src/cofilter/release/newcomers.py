"""People who are folded in with ratings that are given by item, without a table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cofilter.core.matrix import IdMap, Interactions
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People


def folded_in(model: Recommender, people: Sequence[Mapping[int | str, float]]) -> People:
    """Each with ratings, finite numbers, by item that the model knows; ids are 0, 1, 2, …"""
    count = [len(ratings) for ratings in people]
    items = [item for ratings in people for item in ratings]
    values = [rating for ratings in people for rating in ratings.values()]
    data = Interactions(
        IdMap(np.arange(len(people))),
        model.items_,
        np.repeat(np.arange(len(people), dtype=np.int32), count),
        np.array([model.items_.place(item) for item in items], np.int32),
        np.array(values, np.float32),
    )
    return model.fold_in_known(data)
