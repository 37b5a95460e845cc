"""What a search found: its trials as a table, its best configuration as a file of conf/."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from optuna.trial import FrozenTrial

from cofilter.core.errors import ConfigError
from cofilter.search.job import Job
from cofilter.search.space import KINDS, merged, tree_of
from cofilter.search.study import EPOCHS, IDENTITY, REASON, VALUES, SearchStudy

DEFAULT = "default.yaml"  # of a family's group
# What a point's name or the machine sets, so that it does not belong into a configuration.
NOT_CHOSEN = ("kind", "dim", "device", "engine", "threads")
HEADER = "# Chosen by `make search` on validation rows; the rest is as the default says.\n"
DEFAULTS = "defaults:\n  - default\n  - _self_\n"
_ORIGIN = re.compile(r"# \w+/(\w*)\S*: ")  # of a method, in the lines of `origin`


def table(study: SearchStudy) -> pd.DataFrame:
    """The trials in order: trial, state, the metric, the values by path, epochs, seconds, reason.

    Trials that were tried again, since their process died, are left out.
    """
    rows = []
    for trial in study.trials():
        values = trial.user_attrs.get(VALUES, {})
        rows.append(
            {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                study.job.metric: trial.value if trial.state.name == "COMPLETE" else None,
                **{path: values.get(path) for path in study.job.space},
                "epochs": trial.user_attrs.get(EPOCHS),
                "seconds": trial.duration.total_seconds() if trial.duration else None,
                "reason": trial.user_attrs.get(REASON),
            }
        )
    found = pd.DataFrame(rows)
    return found.assign(epochs=found["epochs"].astype("Int64"), seconds=found["seconds"].round(2))


def summary(study: SearchStudy) -> str:
    """One line: how many trials ended how, and what the best one is."""
    job, trials, best = study.job, study.trials(), chosen(study)
    counts = Counter(trial.state.name.lower() for trial in trials)
    states = ", ".join(f"{counts[name]} {name}" for name in ("complete", "pruned", "fail"))
    return (
        f"{job.study}: {len(trials)} trials ({states}); best {job.metric} {best.value:.4f} "
        f"in trial {best.number}{_before(study)}"
    )


def chosen(study: SearchStudy) -> FrozenTrial:
    """The best trial of a study that has one."""
    best = study.best()
    assert best is not None  # `search` has seen to it
    return best


def target(job: Job) -> Path:
    """Where the best configuration goes."""
    return job.root / "conf" / job.config.family / f"{job.config.name or job.study}.yaml"


def refuse_to_overwrite(job: Job) -> None:
    """Raise `ConfigError` when the file is there and may not be replaced."""
    if target(job).exists() and not job.config.overwrite:
        path = target(job).relative_to(job.root)
        raise ConfigError(
            f"{path}: exists already; search.overwrite=true replaces what it says of "
            f"{job.config.method}, search.name names another"
        )


def configuration(study: SearchStudy) -> str:
    """The best configuration as a choice of its family's group: only what differs from default.

    What a file of this name says of other kinds of the family is kept.
    """
    job = study.job
    family = job.config.family
    default = _read(job.root / "conf" / family / DEFAULT)
    group = merged(job.run_config[family], tree_of(chosen(study).user_attrs[VALUES]))
    kind = job.kind
    new = _changed(_own(group, kind), _as_it_is(default, group, kind))
    old = _read(target(job)) if target(job).exists() else {}
    kept = {name: value for name, value in (old.get(KINDS) or {}).items() if name != kind}
    if kept:
        new[KINDS] = kept | new.get(KINDS, {})
    lines = target(job).read_text(encoding="utf-8").splitlines() if kept else []
    origins = [line for line in lines if (m := _ORIGIN.match(line)) and m[1] in kept]
    body = yaml.safe_dump(new, sort_keys=False, allow_unicode=True) if new else ""
    said = "\n".join([*origins, origin(study)])
    return f"{HEADER}{said}\n{DEFAULTS}" + (f"\n{body}" if body else "")


def origin(study: SearchStudy) -> str:
    """A comment: by what search the configuration was chosen, on what data."""
    job, best = study.job, chosen(study)
    return (
        f"# {job.config.method}: {job.metric} {best.value:.4f}{_before(study)}; "
        f"trial {best.number} of {len(study.trials())} of the study {job.study}, "
        f"data {study.study.user_attrs[IDENTITY]['data']}"
    )


def _before(study: SearchStudy) -> str:
    value = value_before(study)
    return "" if value is None else f" ({value:.4f} before)"


def value_before(study: SearchStudy) -> float | None:
    """What the configuration was worth as it stood; None where that trial failed."""
    as_it_stood: tuple[dict[str, Any], ...] = ({}, dict(study.job.present))
    for trial in study.trials():
        if trial.user_attrs.get(VALUES) in as_it_stood and trial.value is not None:
            return float(trial.value)
    return None


def _own(group: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    """A group without what points and machines set, and of ``kinds`` its own alone."""
    own = {name: value for name, value in group.items() if name not in (*NOT_CHOSEN, KINDS)}
    if KINDS in group and kind is not None:
        own[KINDS] = {kind: group[KINDS][kind]}
    return own


def _as_it_is(default: Mapping[str, Any], group: Mapping[str, Any], kind: str | None) -> Any:
    """The default group; its kind with all that it has, be it from ``group``'s common values."""
    if KINDS not in default:
        return default
    common = {name: value for name, value in group.items() if name != KINDS}
    return {**default, KINDS: {kind: common | default[KINDS][kind]}}


def _changed(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves of ``new`` that ``old`` has not, or has otherwise."""
    found: dict[str, Any] = {}
    for name, value in new.items():
        if isinstance(value, Mapping) and isinstance(old.get(name), Mapping):
            if inner := _changed(value, old[name]):
                found[name] = inner
        elif name not in old or old[name] != value:
            found[name] = value
    return found


def _read(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return dict(found)
