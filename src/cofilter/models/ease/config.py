"""Hyper-parameters of EASE."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from cofilter.core.feedback import feedback_of
from cofilter.core.matrix import Interactions
from cofilter.recommender.config import ModelConfig

# Where the data decide. The best on clicks of six logs lies between 60 and 960, and 240 within 7 %
# of each, within 3 % of the three whole ones (python -m benchmarks.ease_on_clicks).
FOR_RATINGS, FOR_CLICKS = 300.0, 240.0


class EASEConfig(ModelConfig):
    """Hyper-parameters of `EASE`.

    Attributes
    ----------
    kind:
        What X holds for an observed pair: 1 (``binary``) or the ``rating``.
    l2:
        λ below, in units of the mean square of X's stored entries, so that it means the same for
        both kinds. None: 300 for ratings, 240 for clicks and counts.
    precision:
        Of the inverse over items: ``double``, ``single``, or ``auto``: double where that stays
        below ``max_gib``.
    threads:
        Of the dense inverse. Its last bits depend on them, so they are set to this number on
        whatever machine.
    max_gib:
        Refuse more memory than that, however much is free.
    """

    kind: Literal["binary", "rating"] = "rating"
    l2: float | None = Field(None, gt=0)
    precision: Literal["auto", "double", "single"] = "auto"
    threads: int = Field(2, gt=0)
    max_gib: float = Field(8.5, gt=0)

    def settled(self, data: Interactions) -> Self:
        """``l2`` decided."""
        if self.l2 is not None:
            return self
        rated = feedback_of(data.rating, self.scale) == "ratings"
        return self.model_copy(update={"l2": FOR_RATINGS if rated else FOR_CLICKS})
