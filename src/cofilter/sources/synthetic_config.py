"""Parameters of the generator of made-up ratings."""

from __future__ import annotations

from pydantic import Field

from cofilter.core.config import Config


class SyntheticConfig(Config):
    """Size and nature of made-up ratings; null where the number of users decides."""

    users: int = Field(ge=10, le=5_000_000)
    items: int | None = Field(ge=100, le=500_000)
    ratings: int | None = Field(ge=200)
    seed: int = Field(ge=0)
    factors: int = Field(ge=1, le=64)
    noise_sd: float = Field(gt=0, le=0.95)  # rating steps are half stars; all of the sd is 1.05
    start: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    years: float = Field(ge=1, le=60)
    drift: float = Field(ge=0, le=2)  # 0: nothing changes with time but who and what is there
