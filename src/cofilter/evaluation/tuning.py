"""How each row of the leaderboard was tuned: the rule, and the records that `make tune` keeps.

A search judges a model by the metric that chooses it (`tuning_metric`). What it found stands in
`TUNED`, which is committed, and says of a point of the sweep (`how_tuned`):

``24 trials`` or ``300 s``
    A record of the same data (train and validation, by their hash) and of the point's family and
    kind has exactly the point's configuration, and it was judged as it would be today: by the same
    metric and, for rankings, the same relevance threshold. Only what makes points of one kind
    (dim and seed) and what changes no result may differ; another dim than the searched one is
    named: ``24 trials at dim20``. A dim that is left to the data may be searched, and then counts.
``default``
    Otherwise, where the configuration is the class's own.
``by hand``
    Otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from cofilter.core.config import Config, parse
from cofilter.core.io import json_sha256, read_json
from cofilter.core.matrix import Interactions
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.metrics import rating
from cofilter.recommender.base import Recommender
from cofilter.recommender.iterative import RANKED
from cofilter.scoring.config import PrimaryConfig
from cofilter.training.points import (
    AUTO,
    DIM,
    KIND,
    SEED,
    expected_points,
    make_point,
    parse_point,
)

TUNED = Path("conf/tuned.json")
DEFAULT, BY_HAND = "default", "by hand"
# Of the data or the machine, so that it does not tell whether a model was tuned.
_ELSEWHERE = {"scale", SEED, KIND, "keep_seen", "device", "engine", "threads"}


class TuningRecord(Config):
    """How one family and kind was tuned on one data set.

    Attributes
    ----------
    method:
        The point that was searched, family/point.
    budget:
        What it was given: ``24 trials`` or ``300 s``.
    trials, complete, seconds:
        What it took: trials in all, those that were scored to their end, and their sum of seconds.
    metric:
        On warm validation rows.
    value, before:
        Of the best trial; of the configuration as it stood, the default unless it was changed
        (None: that trial failed).
    seed:
        Of the search.
    relevance_threshold:
        By which rankings were scored.
    config:
        The best trial's whole configuration.
    """

    method: str
    budget: str
    trials: int
    complete: int
    seconds: float
    metric: str
    value: float
    before: float | None
    seed: int
    relevance_threshold: float | None
    config: dict[str, Any]


class TunedData(Config):
    """All records of one data set: its name, and a record by ``family/kind``."""

    data: str
    methods: dict[str, TuningRecord]


def tuning_metric(model: Recommender, config: PrimaryConfig, *, rated: bool) -> str:
    """The metric that a model is tuned by, on validation: the one that chooses it.

    A model that predicts ratings: the primary metric where that is an error, otherwise RMSE, which
    its loss approximates. One that only ranks, and any model where the numbers are clicks or counts
    (not ``rated``): the primary metric where that ranks, otherwise NDCG@10 (or at the first k).
    """
    error = config.primary in rating.DEFINITIONS
    if model.predicts_ratings and rated:
        return config.primary if error else "rmse"
    if not error:
        return config.primary
    return f"ndcg@{RANKED if RANKED in config.k else config.k[0]}"


def data_fingerprint(train: Interactions, validation: Interactions) -> str:
    """16 hexadecimal digits that tell these ratings from others."""
    return json_sha256([train.sha256, validation.sha256])[:16]


def read_tuned(path: Path) -> dict[str, TunedData]:
    """Records by the data's fingerprint; without a file nothing was tuned."""
    if not path.is_file():
        return {}
    return {data: parse(TunedData, told, str(path)) for data, told in read_json(path).items()}


def kind_key(family: str, point: str) -> str:
    """``family/kind``, or the family alone where it has no kinds: what is tuned by itself."""
    kind = parse_point(point).get(KIND)
    return family if kind is None else f"{family}/{kind}"


def how_tuned(
    cfg: Mapping[str, Any], parts: Parts, config: EvaluateConfig, path: Path = TUNED
) -> dict[str, str]:
    """What the leaderboard says of each point of a configuration's sweep, by ``family/point``."""
    known, records = read_tuned(path), {}
    if known:  # hashed only then
        both = Interactions.of(parts.train), Interactions.of(parts.validation)
        records = known[key].methods if (key := data_fingerprint(*both)) in known else {}
    rated = parts.feedback(cfg["data"]["scale"]) == "ratings"
    found = {}
    for family, point in expected_points(cfg):
        model = make_point(family, point, cfg)
        axes = {KIND, SEED} if _dim(point) == AUTO else {KIND, SEED, DIM}
        record = records.get(kind_key(family, point))
        metric = tuning_metric(model, config, rated=rated)
        if record is not None and _agrees(record, model, axes, metric, config):
            found[f"{family}/{point}"] = record.budget + _elsewhere(record, point)
        else:
            found[f"{family}/{point}"] = DEFAULT if _is_default(model, axes) else BY_HAND
    return found


def _agrees(
    record: TuningRecord,
    model: Recommender,
    axes: Set[str],
    metric: str,
    config: EvaluateConfig,
) -> bool:
    if record.metric != metric or _own(record.config, axes) != _own(_plain(model), axes):
        return False
    return metric in rating.DEFINITIONS or record.relevance_threshold == config.relevance_threshold


def _elsewhere(record: TuningRecord, point: str) -> str:
    searched, own = record.config.get(DIM), _dim(point)
    return "" if own in (searched, AUTO) else f" at {DIM}{searched}"


def _dim(point: str) -> Any:
    return parse_point(point).get(DIM)


def _is_default(model: Recommender, axes: Set[str]) -> bool:
    kind = getattr(model.config, KIND, None)
    fresh = type(model)() if kind is None else type(model)(kind=kind)
    return _own(_plain(model), axes) == _own(_plain(fresh), axes)


def _plain(model: Recommender) -> dict[str, Any]:
    return model.config.model_dump(mode="json")


def _own(values: Mapping[str, Any], axes: Set[str]) -> dict[str, Any]:
    return {name: each for name, each in values.items() if name not in _ELSEWHERE | axes}
