"""Hyper-parameters of alternating least squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from cofilter.core.feedback import Feedback
from cofilter.recommender.config import IterativeConfig


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
    min_rating:
        implicit: lower ratings count as not observed; None takes all. A user left without any
        gets the most popular items.
    init_std:
        Standard deviation of the normal start of the item factors.
    """

    kind_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "implicit": {"regularization": 35.0}
    }

    kind: Literal["explicit", "implicit"] = "explicit"
    dim: int = Field(50, gt=0)
    epochs: int = Field(30, gt=0)
    patience: int | None = Field(3, gt=0)
    regularization: float = Field(0.12, gt=0)
    solver: Literal["cholesky", "cg"] = "cholesky"
    cg_steps: int = Field(3, gt=0)
    alpha: float = Field(1.0, gt=0)
    confidence: Literal["auto", "rating", "constant", "log", "scaled"] = "auto"
    min_rating: float | None = None
    init_std: float = Field(0.1, gt=0)

    def settled(self, feedback: Feedback) -> Self:
        """``auto`` decided."""
        if self.confidence != "auto":
            return self
        chosen = {"ratings": "rating", "clicks": "constant", "counts": "log"}[feedback]
        return self.model_copy(update={"confidence": chosen})
