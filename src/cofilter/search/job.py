"""One search as plain values, so that worker processes can be handed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cofilter.core.columns import RATING, TIMESTAMP
from cofilter.core.errors import CapabilityError, ConfigError
from cofilter.core.feedback import Feedback, feedback_of
from cofilter.core.io import json_sha256, read_table
from cofilter.core.matrix import Interactions
from cofilter.core.paths import LOGS, TRIALS
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.tuning import data_fingerprint, tuning_metric
from cofilter.metrics import rating
from cofilter.recommender.base import Recommender
from cofilter.recommender.iterative import RANKED
from cofilter.scoring.config import ScoreConfig, lower_is_better, metric_names
from cofilter.scoring.target import Target
from cofilter.search.config import SearchConfig
from cofilter.search.space import Make, Space
from cofilter.tracking.config import TrackingConfig
from cofilter.training.loop import CheckpointConfig

PARTS = ("train", "validation")
SEARCH = "search"  # folder within logs/


@dataclass(frozen=True)
class Job:
    """What every process of a search knows.

    Attributes
    ----------
    study:
        Its name.
    kind:
        Of the family's kinds; None where it has none.
    make:
        Gives the unfitted model, with values laid over the family's group; can be pickled.
    space:
        What varies.
    present:
        The values that the configuration has, by the space's paths.
    metric:
        What a trial is judged by, on warm validation rows.
    run_config:
        The whole configuration as plain values, for the trials' tracked runs.
    root:
        The main checkout.
    threads:
        Of the kernels, for all workers together.
    """

    config: SearchConfig
    study: str
    kind: str | None
    make: Make
    space: Space
    present: Mapping[str, Any]
    metric: str
    evaluate: EvaluateConfig
    checkpoint: CheckpointConfig
    tracking: TrackingConfig
    run_config: Mapping[str, Any]
    root: Path
    threads: int

    @property
    def folder(self) -> Path:
        """Where studies and their locks lie."""
        return self.root / LOGS / SEARCH

    @property
    def database(self) -> Path:
        """The study's SQLite file."""
        return self.folder / f"{self.study}.db"

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        """As Optuna says it."""
        return "minimize" if lower_is_better(self.metric) else "maximize"

    @property
    def scale(self) -> tuple[float, float] | None:
        """That of the ratings, when it is named."""
        return self.make({}).config.scale

    def checkpoints(self, params: Mapping[str, Any]) -> Path:
        """A folder for one trial's checkpoints: a trial tried again finds those it had."""
        return self.root / TRIALS / self.study / json_sha256(dict(params))[:16]


@dataclass(frozen=True)
class Data:
    """What trials see of the ratings: there is no test part here, nor a way to it.

    Attributes
    ----------
    target:
        The validation part as what is to be predicted.
    feedback, timed:
        What the train part's numbers are, and whether its rows have times.
    """

    train: Interactions
    validation: Interactions
    target: Target
    feedback: Feedback
    timed: bool

    @classmethod
    def load(
        cls,
        split: Path,
        score: ScoreConfig,
        scale: tuple[float, float] | None = None,
    ) -> Data:
        """Read train and validation, and nothing else, from a split's folder."""
        train, validation = (read_table(split / f"{part}.parquet") for part in PARTS)
        threshold, weighted = score.relevance_threshold, score.weighted
        target = Target.of(train, None, validation, threshold, scale, weighted=weighted)
        feedback, timed = feedback_of(train[RATING].to_numpy(), scale), TIMESTAMP in train
        return cls(Interactions.of(train), Interactions.of(validation), target, feedback, timed)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that tell these ratings from others."""
        return data_fingerprint(self.train, self.validation)


def metric_of(
    model: Recommender, config: SearchConfig, evaluate: EvaluateConfig, *, rated: bool = True
) -> str:
    """The metric that a search judges by; ``rated``: whether the data are ratings.

    Raises
    ------
    ConfigError
        There is no such metric, or the pruner has nothing to go by.
    CapabilityError
        The model has no such metric.
    """
    watched = "rmse" if model.predicts_ratings else f"ndcg@{RANKED}"
    metric = config.metric or tuning_metric(model, evaluate, rated=rated)
    names = metric_names(evaluate)
    if metric not in names:
        raise ConfigError(
            f"search.metric: {metric!r} is not one of {', '.join(names)} (k comes from evaluate.k)"
        )
    rates = metric in rating.DEFINITIONS
    if rates and not model.predicts_ratings:
        raise CapabilityError(
            f"search.metric: {config.method} ranks and predicts no ratings, so it has no {metric}; "
            "a ranking metric such as ndcg@10 is expected"
        )
    if rates and not rated:
        raise ConfigError(
            f"search.metric: {metric} needs ratings, and these data are clicks or counts; a "
            "ranking metric such as ndcg@10 is expected"
        )
    if not rates and not model.ranks:
        raise CapabilityError(
            f"search.metric: {config.method} does not rank, so it has no {metric}; rmse is expected"
        )
    if model.gradient and config.pruner != "none" and lower_is_better(watched) != rates:
        raise ConfigError(
            f"search.metric: {metric} cannot prune {config.method}, whose epochs are watched by "
            f"{watched}: search.pruner=none is expected with it"
        )
    return metric
