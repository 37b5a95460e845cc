"""Tunes every method of the sweep with the same budget, and records how.

Each method has a study of its own, so that a tuning that was stopped goes on with what is left: of
studies that have spent their budget no trial runs again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.trial import TrialState
from tqdm import tqdm

from cofilter.backtest.config import BacktestConfig
from cofilter.backtest.methods import backtest_points
from cofilter.console import messages
from cofilter.core.config import parse, plain
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.io import write_json, write_text
from cofilter.evaluation.tuning import (
    TUNED,
    TunedData,
    TuningRecord,
    kind_key,
    read_tuned,
)
from cofilter.search.config import StudyConfig, TuneConfig
from cofilter.search.job import Data, Job
from cofilter.search.report import chosen, configuration, target, value_before
from cofilter.search.request import job_of
from cofilter.search.search import SearchError, search
from cofilter.search.space import tree_of
from cofilter.search.study import VALUES, SearchStudy
from cofilter.training.loop import CheckpointConfig
from cofilter.training.points import KIND, make_method, parse_point
from cofilter.training.unfit import unfit_reason

log = logging.getLogger(__name__)

_ORIGIN = re.compile(r"^# .* of the study (\S+), data ", re.MULTILINE)


@dataclass
class Tuned:
    """What a tuning found.

    Attributes
    ----------
    studies:
        Of each method that has a complete trial, in the order of the sweep.
    failed:
        Why another has none, by method.
    """

    studies: list[SearchStudy] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def tune_jobs(
    cfg: Mapping[str, Any], checkpoint: CheckpointConfig, root: Path, data: Data
) -> list[Job]:
    """A search of each method that the group ``tune`` names, or of each that can be searched.

    Methods that the data cannot train are named in the log.

    Raises
    ------
    ConfigError
        A method or value is impossible, or a file for a best configuration is there already and no
        tuning of these data wrote it.
    DataError
        No method is left.
    """
    config = parse(TuneConfig, cfg["tune"], "tune")
    name = config.name or f"tune_{cfg['data']['name']}"
    shared = {key: getattr(config, key) for key in StudyConfig.model_fields}
    jobs = []
    for method in config.methods or _searchable(config, cfg):
        model = make_method(method, cfg, "tune.methods")
        reason = unfit_reason(model, data.feedback, timed=data.timed)
        if reason is not None:
            messages.left_out(method, reason)
            continue
        key = kind_key(*_split(method)).replace("/", "-")
        own = {"method": method, "metric": None, "n_trials": config.trials, "name": name}
        own |= {"study": f"tune-{key}-{cfg['data']['name']}-{data.fingerprint[:8]}"}
        told = plain(shared | own | {"overwrite": True})
        rated = data.feedback == "ratings"
        jobs.append(job_of({**cfg, "search": told}, checkpoint, root, rated=rated))
    if not jobs:
        raise DataError("tune.methods: none can be searched and trained on these data")
    _refuse_to_overwrite(jobs, config)
    return jobs


def tune(jobs: Sequence[Job], data: Data) -> Tuned:
    """Spend each job's budget; after each the best configuration and the record are written.

    A method without a complete trial does not stop the others.

    Raises
    ------
    Interrupted
        SIGTERM or SIGINT came; run again to go on from there.
    """
    found = Tuned()
    with tqdm(jobs, desc="tune", unit="method", disable=None) as progress:
        for at, job in enumerate(progress, start=1):
            method = job.config.method
            log.info("%d of %d: %s, %s by %s", at, len(jobs), method, job.config.budget, job.metric)
            try:
                study = search(job, data)
            except SearchError as error:
                log.warning("%s: %s", method, error)
                found.failed[method] = str(error)
                continue
            write_text(target(job), configuration(study))
            _keep(study, data)
            found.studies.append(study)
    return found


def record_of(study: SearchStudy) -> TuningRecord:
    """How a study's method was tuned."""
    job, trials, best = study.job, study.trials(), chosen(study)
    assert best.value is not None  # it is complete
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return TuningRecord(
        method=job.config.method,
        budget=job.config.budget,
        trials=len(trials),
        complete=len(complete),
        seconds=round(study.seconds, 1),
        metric=job.metric,
        value=best.value,
        before=value_before(study),
        seed=job.config.seed,
        relevance_threshold=job.evaluate.relevance_threshold,
        config=job.make(tree_of(best.user_attrs[VALUES])).config.model_dump(mode="json"),
    )


def _keep(study: SearchStudy, data: Data) -> None:
    """Put a study's record in the place of an earlier one of the same data, family and kind."""
    path, job = study.job.root / TUNED, study.job
    known = read_tuned(path)
    name = job.run_config["data"]["name"]
    before = known.get(data.fingerprint, TunedData(data=name, methods={})).methods
    methods = {**before, kind_key(*_split(job.config.method)): record_of(study)}
    known[data.fingerprint] = TunedData(data=name, methods=dict(sorted(methods.items())))
    write_json(path, plain(known))


def _searchable(config: TuneConfig, cfg: Mapping[str, Any]) -> list[str]:
    """A point of each family and kind of the sweep for which a space is named."""
    every = BacktestConfig(methods="kinds", without=())
    return [
        f"{family}/{point}"
        for family, point in backtest_points(every, cfg)
        if _has_space(config.space.get(family) or {}, parse_point(point).get(KIND))
    ]


def _has_space(space: Mapping[str, Any], kind: str | None) -> bool:
    common = {name for name, inner in space.items() if name != "kinds" and inner}
    return bool(common or (space.get("kinds") or {}).get(kind))


def _refuse_to_overwrite(jobs: Sequence[Job], config: TuneConfig) -> None:
    """Refuse files that something else than a tuning of these data has written."""
    mine = {job.study for job in jobs}
    for path in sorted({target(job) for job in jobs}):
        if config.overwrite or not path.exists():
            continue
        if not mine & set(_ORIGIN.findall(path.read_text(encoding="utf-8"))):
            shown = path.relative_to(jobs[0].root)
            raise ConfigError(
                f"{shown}: exists already, and no tuning of these data wrote it; "
                "tune.overwrite=true replaces what it says, tune.name names another"
            )


def _split(method: str) -> tuple[str, str]:
    family, _, point = method.partition("/")
    return family, point
