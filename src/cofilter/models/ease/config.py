"""Hyper-parameters of EASE."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cofilter.recommender.config import ModelConfig


class EASEConfig(ModelConfig):
    """Hyper-parameters of `EASE`.

    Attributes
    ----------
    kind:
        What X holds for an observed pair: 1 (``binary``) or the ``rating``.
    l2:
        λ below, in units of the mean square of X's stored entries, so that it means the same for
        both kinds.
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
    l2: float = Field(300.0, gt=0)
    precision: Literal["auto", "double", "single"] = "auto"
    threads: int = Field(2, gt=0)
    max_gib: float = Field(8.5, gt=0)
