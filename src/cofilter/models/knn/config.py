"""Hyper-parameters of the neighbourhood models."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from cofilter.core.feedback import feedback_of
from cofilter.core.matrix import Interactions
from cofilter.recommender.config import ModelConfig

Similarity = Literal["auto", "cosine", "adjusted_cosine", "pearson", "pearson_baseline", "msd"]


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
    self_votes:
        A row is a neighbour of itself too, with similarity 1, so that a prediction of a rating
        that the model was fitted on counts that rating. It is a flaw, found in published work:
        for `cofilter.evaluation.leak` alone, which measures it, and so not a key of ``conf/knn``.
    """

    similarity: Similarity = "auto"
    k: int = Field(40, gt=0)
    shrinkage: float = Field(100.0, ge=0)
    significance: int = Field(0, ge=0)
    min_overlap: int = Field(1, ge=1)
    aggregation: Literal["plain", "mean_centred", "baseline_centred"] = "baseline_centred"
    ranking: Literal["summed_similarity", "prediction"] = "summed_similarity"
    self_votes: bool = False

    def settled(self, data: Interactions) -> Self:
        """``auto`` decided."""
        if self.similarity != "auto":
            return self
        rated = feedback_of(data.rating, self.scale) == "ratings"
        chosen = "pearson_baseline" if rated else "cosine"
        return self.model_copy(update={"similarity": chosen})
