"""What an ensemble is made of."""

from __future__ import annotations

from pydantic import Field, model_validator

from cofilter.core.config import Config
from cofilter.recommender.config import ModelConfig


class MemberConfig(Config):
    """One member of an `Ensemble`.

    Attributes
    ----------
    name:
        ``family/point``; also its folder within the ensemble's.
    rating_weight, ranking_weight:
        Its say in predicted ratings and in rankings; 0 for none.
    """

    name: str = Field(pattern=r"^\w+/\w[\w.-]*$")
    rating_weight: float = Field(ge=0)
    ranking_weight: float = Field(ge=0)


class EnsembleConfig(ModelConfig):
    """What an `Ensemble` is made of.

    Attributes
    ----------
    members:
        In the order in which sums are taken.
    rank_constant:
        η of the fusion.
    depth:
        Length of the members' lists that are fused.
    """

    members: tuple[MemberConfig, ...]
    rank_constant: float = Field(ge=0)
    depth: int = Field(gt=0)

    @model_validator(mode="after")
    def _distinct(self) -> EnsembleConfig:
        names = [member.name for member in self.members]
        if len(set(names)) < len(names):
            raise ValueError(f"a member is named twice among {', '.join(names)}")
        return self
