"""Hyper-parameters of alternating least squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cofilter.core.feedback import Feedback, feedback_of
from cofilter.core.matrix import Interactions
from cofilter.recommender.config import IterativeConfig

Confidence = Literal["auto", "rating", "constant", "log", "scaled"]
OF_RATINGS = 35.0
# Between the best of three grids: MovieLens 100K and latest small as clicks, Last.fm plays.
SHARE = 0.07
_FORM_OF: dict[Feedback, Confidence] = {"ratings": "rating", "clicks": "constant", "counts": "log"}


class ALSConfig(IterativeConfig):
    """Hyper-parameters of `ExplicitALS` and `ImplicitALS`.

    Attributes
    ----------
    kind:
        ``explicit`` or ``implicit``, which of the two models.
    dim:
        Length of the factors.
    regularization:
        λ of the model's objective; above 0, since a row may have fewer ratings than factors.
        None, implicit alone: 35 for ratings, chosen on MovieLens 100K; for clicks and counts
        `SHARE` of what the mean user's observed pairs weigh beyond 1.
    solver:
        ``cholesky``: each row's exact minimum; ``cg``: ``cg_steps`` steps of preconditioned
        conjugate gradient from its last value (Takács, Pilászy and Tikk 2011), cheaper when
        ``dim`` is large.
    cg_steps:
        Steps of ``cg``.
    alpha, confidence:
        implicit: how often an observed pair counts, c: 1 + alpha · rating (``rating``), 1 + alpha
        (``constant``, for clicks or when ratings are not amounts), 1 + alpha · log(1 + rating)
        (``log``, for counts, of which a few are huge), or alpha · rating (``scaled``; at least 1
        for every pair). One that was not observed counts once. ``auto``: ``rating`` for ratings,
        ``constant`` for clicks, ``log`` for counts (`cofilter.core.feedback`).
        alpha None: 1 for ratings; for clicks and counts such that the mean observed pair weighs
        √(pairs / observed pairs) beyond 1, the sparser the data the more.
    min_rating:
        implicit: lower ratings count as not observed; None takes all. A user left without any
        gets the most popular items.
    init_std:
        Standard deviation of the normal start of the item factors.
    """

    kind_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "implicit": {"regularization": None}
    }

    kind: Literal["explicit", "implicit"] = "explicit"
    dim: int = Field(50, gt=0)
    epochs: int = Field(30, gt=0)
    patience: int | None = Field(3, gt=0)
    regularization: float | None = Field(0.12, gt=0)
    solver: Literal["cholesky", "cg"] = "cholesky"
    cg_steps: int = Field(3, gt=0)
    alpha: float | None = Field(None, gt=0)
    confidence: Confidence = "auto"
    min_rating: float | None = None
    init_std: float = Field(0.1, gt=0)

    @model_validator(mode="after")
    def _penalized(self) -> Self:
        if self.kind == "explicit" and self.regularization is None:
            raise ValueError("regularization null is not allowed for kind explicit: a number is")
        return self

    def settled(self, data: Interactions) -> Self:
        """``auto`` and null decided, as the attributes say."""
        if self.kind == "explicit":
            return self
        feedback = feedback_of(data.rating, self.scale)
        form, alpha, penalty = self.confidence, self.alpha, self.regularization
        if form == "auto":
            form = _FORM_OF[feedback]
        amount = 1.0 if form == "constant" else float(np.mean(amounts(form, data.rating)))
        n_users, n_items = data.shape
        if alpha is None:
            weight = float(np.sqrt(n_users * n_items / len(data)))
            alpha = 1.0 if feedback == "ratings" or amount <= 0 else weight / amount
        if penalty is None:
            observed = alpha * amount * len(data) / n_users
            penalty = OF_RATINGS if feedback == "ratings" or amount <= 0 else SHARE * observed
        chosen = {"confidence": form, "alpha": alpha, "regularization": penalty}
        return self.model_copy(update=chosen)


def amounts(confidence: str, rating: np.ndarray) -> np.ndarray:
    """float32[n]: what of a rating the implicit objective takes, its logarithm or itself."""
    return np.log1p(rating, dtype=np.float32) if confidence == "log" else rating
