"""How a list is re-ranked."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, PositiveInt

from cofilter.core.config import Config

Kind = Literal["mmr", "popularity", "genres"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class RerankingConfig(Config):
    """How a list is re-ranked; `cofilter.reranking.reranker.Reranker` has the formulas.

    Attributes
    ----------
    kind:
        ``mmr``: unlike items (maximal marginal relevance); ``popularity``: fewer popular ones;
        ``genres``: genres in the shares that the user's history has (calibration).
    strength:
        λ from 0, the model's own list, to 1, which no longer asks how relevant an item is.
    depth:
        How many of the model's best items a list is made of; as many as the list is long, if that
        is more.
    """

    kind: Kind
    strength: float = Field(ge=0, le=1)
    depth: PositiveInt = 100
