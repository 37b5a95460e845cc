"""Hyper-parameters of alternating least squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cofilter.core.feedback import Feedback, feedback_of
from cofilter.core.matrix import Interactions
from cofilter.recommender.config import IterativeConfig

Confidence = Literal["auto", "rating", "constant", "log", "scaled"]
OF_RATINGS = 35.0
LEAST_FACTORS, MOST_FACTORS = 50, 256
ITEMS_A_FACTOR = 64
# Between the best for real logs, 0.1, and for sparse and made-up ones, 0.2
# (python -m benchmarks.als_on_clicks).
SHARE = 0.14
_FORM_OF: dict[Feedback, Confidence] = {"ratings": "rating", "clicks": "constant", "counts": "log"}


class ALSConfig(IterativeConfig):
    """Hyper-parameters of `ExplicitALS` and `ImplicitALS`.

    Attributes
    ----------
    kind:
        ``explicit`` or ``implicit``, which of the two models.
    dim:
        Length of the factors. ``auto``: 50 for ``explicit``; for ``implicit`` by `default_dim`.
    regularization:
        λ of the model's objective; above 0, since a row may have fewer ratings than factors.
        None, implicit alone: by ``penalty_share``.
    penalty_share:
        implicit, without ``regularization``: λ is this share of what the median user's observed
        pairs weigh beyond 1 together, so that it follows alpha and the data. None: 0.14 for clicks
        and counts, and λ = 35 for ratings, chosen on MovieLens 100K.
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
    dim: Annotated[int, Field(gt=0)] | Literal["auto"] = "auto"
    epochs: int = Field(30, gt=0)
    patience: int | None = Field(3, gt=0)
    regularization: float | None = Field(0.12, gt=0)
    penalty_share: float | None = Field(None, gt=0)
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

    @property
    def length(self) -> int:
        """Of the factors, once it is settled."""
        assert self.dim != "auto"
        return self.dim

    def settled(self, data: Interactions) -> Self:
        """``auto`` and null decided, as the attributes say."""
        n_users, n_items = data.shape
        dim = self.dim
        if dim == "auto":
            dim = LEAST_FACTORS if self.kind == "explicit" else default_dim(n_items)
        if self.kind == "explicit":
            return self.model_copy(update={"dim": dim})
        feedback = feedback_of(data.rating, self.scale)
        form, alpha = self.confidence, self.alpha
        if form == "auto":
            form = _FORM_OF[feedback]
        amount = 1.0 if form == "constant" else float(np.mean(amounts(form, data.rating)))
        if alpha is None:
            weight = float(np.sqrt(n_users * n_items / len(data)))
            alpha = 1.0 if feedback == "ratings" or amount <= 0 else weight / amount
        chosen: dict[str, Any] = {"dim": dim, "confidence": form, "alpha": alpha}
        if self.regularization is None:
            chosen |= self._penalty(alpha * typical_amount(form, data), feedback)
        return self.model_copy(update=chosen)

    def _penalty(self, typical: float, feedback: Feedback) -> dict[str, float | None]:
        share = self.penalty_share or (None if feedback == "ratings" else SHARE)
        if typical <= 0:
            return {"regularization": OF_RATINGS}
        penalty = OF_RATINGS if share is None else share * typical
        return {"regularization": penalty, "penalty_share": share or penalty / typical}


def typical_amount(form: str, data: Interactions) -> float:
    """What the median user's observed pairs amount to together.

    Not the mean user's, which a few users with thousands of pairs would multiply.
    """
    amount = np.ones(len(data)) if form == "constant" else amounts(form, data.rating)
    return float(np.median(np.bincount(data.user, amount)))


def default_dim(n_items: int) -> int:
    """A factor for every `ITEMS_A_FACTOR` items, from `LEAST_FACTORS` up to `MOST_FACTORS`.

    Measured by `python -m benchmarks.als_on_clicks`: more do not help where items are few, and do
    where they are many, whatever the number of users and pairs.
    """
    return min(max(LEAST_FACTORS, n_items // ITEMS_A_FACTOR), MOST_FACTORS)


def amounts(confidence: str, rating: np.ndarray) -> np.ndarray:
    """float32[n]: what of a rating the implicit objective takes, its logarithm or itself."""
    return np.log1p(rating, dtype=np.float32) if confidence == "log" else rating
