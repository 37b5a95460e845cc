"""What a hyper-parameter search is told."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from cofilter.core.config import Config

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"  # of files, and of a choice on Hydra's command line


class SearchConfig(Config):
    """Group ``search``.

    Attributes
    ----------
    method:
        ``family/point``, such as ``mf/biased-dim50``: what the name leaves out may be searched.
    study:
        Names the study and its file; None: made of method and data.
    name:
        The best configuration becomes ``conf/<family>/<name>.yaml``; None: the study's name.
    overwrite:
        Whether that file may be there already.
    split:
        Folder with ``train.parquet`` and ``validation.parquet``, relative to the checkout.
    metric:
        On warm validation rows; None: ``rmse`` where ratings are predicted, ``ndcg@10`` otherwise.
    n_trials:
        In all, whatever runs of the study they were made in.
    workers:
        Processes that share the study. One makes the same trials in every equal run, stopped in
        the middle or not; what several know of each other depends on time.
    seed:
        Of the sampler; the models have the common one.
    startup_trials:
        Trials drawn at random before TPE (Bergstra et al. 2011) draws; as many end before the
        median prunes.
    pruner:
        ``median``: a trial ends when its best value so far is worse than the median of the others'
        at the same epoch. ``halving``: asynchronous successive halving (Li et al. 2020). ``none``.
    warmup_epochs:
        No trial is pruned before.
    space:
        By family, a tree like the family's group; see `cofilter.search.space`.
    """

    method: str
    study: str | None = Field(pattern=NAME)
    name: str | None = Field(pattern=NAME)
    overwrite: bool
    split: str
    metric: str | None
    n_trials: int = Field(gt=0)
    workers: int = Field(gt=0)
    seed: int = Field(ge=0)
    startup_trials: int = Field(ge=0)
    pruner: Literal["median", "halving", "none"]
    warmup_epochs: int = Field(gt=0)
    space: dict[str, Any]

    @field_validator("method")
    @classmethod
    def _family_and_point(cls, method: str) -> str:
        if len(parts := method.split("/")) != 2 or not all(parts):
            raise ValueError("family/point is expected (such as mf/biased-dim50)")
        return method

    @property
    def family(self) -> str:
        """The family that ``method`` names."""
        return self.method.partition("/")[0]

    @property
    def point(self) -> str:
        """The point that ``method`` names."""
        return self.method.partition("/")[2]
