"""Hyper-parameters of the neighbourhood models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from cofilter.core.feedback import feedback_of
from cofilter.core.matrix import Interactions
from cofilter.recommender.config import ModelConfig

Similarity = Literal["auto", "cosine", "adjusted_cosine", "pearson", "pearson_baseline", "msd"]

# What is left to the data. A cosine of clicks says something from a few of them on, where a
# correlation needs many ratings (python -m benchmarks.knn_on_clicks). Of short histories more
# neighbours are needed to speak for as many items.
FOR_RATINGS: Mapping[str, Any] = {"similarity": "pearson_baseline", "k": 40, "shrinkage": 100.0}
FOR_CLICKS: Mapping[str, Any] = {"similarity": "cosine", "k": 120, "shrinkage": 3.0}
PAIRS = 3_500  # that the neighbouring users of a median history have together
LEAST_K, MOST_K = 40, 1_000


class KNNConfig(ModelConfig):
    """Hyper-parameters of `UserKNN` and `ItemKNN`.

    Attributes
    ----------
    similarity:
        ``cosine``: whole rows, an absent rating counts as 0. ``adjusted_cosine``: over co-rated
        entries, the other side's mean taken off (Sarwar et al. 2001). ``pearson``: over
        co-rated entries, each row's mean over them taken off. ``pearson_baseline``: over
        co-rated entries, the bias baseline taken off (Koren 2010). ``msd``: 1 / (1 + mean squared
        difference over co-rated entries) (Shardanand and Maes 1995), always positive. ``auto``:
        ``pearson_baseline`` for ratings, ``cosine`` for clicks and counts, whose deviations say
        nothing (`cofilter.core.feedback`).
    k:
        Neighbours that take part in a prediction; only positive similarities count. None: 40 for
        ratings; for clicks and counts 120 items, or as many users as have `PAIRS` pairs together
        when each has as many as the median user (from 40 up to a quarter of all
        users, at most 1,000).
    shrinkage:
        Similarity × n / (n + shrinkage), n co-ratings (Bell and Koren 2007). None: 100 for ratings,
        3 for clicks and counts.
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
    self_votes:
        A row is a neighbour of itself too, with similarity 1, so that a prediction of a rating
        that the model was fitted on counts that rating. It is a flaw, found in published work:
        for `cofilter.evaluation.leak` alone, which measures it, and so not a key of ``conf/knn``.
    """

    similarity: Similarity = "auto"
    k: int | None = Field(None, gt=0)
    shrinkage: float | None = Field(None, ge=0)
    significance: int = Field(0, ge=0)
    min_overlap: int = Field(1, ge=1)
    aggregation: Literal["plain", "mean_centred", "baseline_centred"] = "baseline_centred"
    ranking: Literal["summed_similarity", "prediction"] = "summed_similarity"
    self_votes: bool = False

    def settled(self, data: Interactions, *, of_users: bool = False) -> Self:
        """``auto`` and None decided; ``of_users``: neighbours are users."""
        rated = feedback_of(data.rating, self.scale) == "ratings"
        taken = FOR_RATINGS if rated else FOR_CLICKS
        if of_users and not rated:
            taken = {**taken, "k": users_of_clicks(data)}
        left = [name for name in taken if getattr(self, name) in ("auto", None)]
        return self.model_copy(update={name: taken[name] for name in left})


def users_of_clicks(data: Interactions) -> int:
    """How many neighbouring users have `PAIRS` pairs together, at most a quarter of all users."""
    each = np.bincount(data.user)
    most = max(LEAST_K, min(MOST_K, len(each) // 4))
    return min(max(round(PAIRS / float(np.median(each))), LEAST_K), most)
