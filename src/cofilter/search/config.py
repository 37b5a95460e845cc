"""What a hyper-parameter search is told, and a tuning of many methods."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from cofilter.core.config import Config

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"  # of files, and of a choice on Hydra's command line


class StudyConfig(Config):
    """How studies are made, alike for one method and for many.

    Attributes
    ----------
    name:
        The best configuration becomes ``conf/<family>/<name>.yaml``; None: named by the data.
    overwrite:
        Whether that file may be there already.
    split:
        Folder with ``train.parquet`` and ``validation.parquet``, relative to the checkout.
    seconds:
        What the trials may take together, instead of a number of them: the last one begins before.
        Whatever runs of the study they were made in; what a killed trial took does not count.
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

    name: str | None = Field(pattern=NAME)
    overwrite: bool
    split: str
    seconds: float | None = Field(gt=0)
    workers: int = Field(gt=0)
    seed: int = Field(ge=0)
    startup_trials: int = Field(ge=0)
    pruner: Literal["median", "halving", "none"]
    warmup_epochs: int = Field(gt=0)
    space: dict[str, Any]


def _refuse_two_budgets(trials: int | None, seconds: float | None, name: str) -> None:
    if (trials is None) == (seconds is None):
        raise ValueError(
            f"{name} {trials} and seconds {seconds}: exactly one of them is expected, and the "
            "other null"
        )


class SearchConfig(StudyConfig):
    """Group ``search``.

    Attributes
    ----------
    method:
        ``family/point``, such as ``mf/biased-dim50``: what the name leaves out may be searched.
    study:
        Names the study and its file; None: made of method and data.
    metric:
        On warm validation rows; None: the one that chooses the method, see
        `cofilter.evaluation.tuning.tuning_metric`.
    n_trials:
        In all, whatever runs of the study they were made in. It or ``seconds``.
    """

    method: str
    study: str | None = Field(pattern=NAME)
    metric: str | None
    n_trials: int | None = Field(gt=0)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        _refuse_two_budgets(self.n_trials, self.seconds, "n_trials")
        return self

    @field_validator("method")
    @classmethod
    def _family_and_point(cls, method: str) -> str:
        if len(parts := method.split("/")) != 2 or not all(parts):
            raise ValueError("family/point is expected (such as mf/biased-dim50)")
        return method

    @property
    def budget(self) -> str:
        """``24 trials`` or ``300 s``."""
        return f"{self.seconds:g} s" if self.n_trials is None else f"{self.n_trials} trials"

    @property
    def family(self) -> str:
        """The family that ``method`` names."""
        return self.method.partition("/")[0]

    @property
    def point(self) -> str:
        """The point that ``method`` names."""
        return self.method.partition("/")[2]


class TuneConfig(StudyConfig):
    """Group ``tune``: every method has the same budget, its own study, and is judged by its metric.

    Attributes
    ----------
    methods:
        Points to search, family/point; None: of each family and kind of the sweep that can be
        searched the point that the backtest takes.
    trials:
        Of each method. It or ``seconds``.
    """

    methods: tuple[str, ...] | None
    trials: int | None = Field(gt=0)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        _refuse_two_budgets(self.trials, self.seconds, "trials")
        return self
