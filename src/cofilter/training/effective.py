"""Keys that would change nothing in the pipeline are refused, with the key that does it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cofilter.core.errors import ConfigError
from cofilter.training.points import AUTO, DIM, KIND, SEED, Tree, axes_of, parse_point

FAMILY, KINDS = "family", "kinds"


def refuse_ineffective(cfg: Tree, defaults: Tree) -> None:
    """Refuse what was set for the pipeline and has no effect there.

    ``family``, ``seed`` and a family's ``kind`` and ``dim`` are for one direct run of a train
    stage: in the pipeline the points and seeds name them. A family's key has no effect either when
    every kind that is trained has a value of its own for it.

    Parameters
    ----------
    cfg:
        The pipeline's configuration.
    defaults:
        The same tree as conf/ has it, with nothing set.

    Raises
    ------
    ConfigError
        One line that names each such key and what to set in its place.
    """
    found = list(_ineffective(cfg, defaults))
    if found:
        raise ConfigError("; ".join(found))


def _ineffective(cfg: Tree, defaults: Tree) -> Iterator[str]:
    if cfg[FAMILY] != defaults[FAMILY]:
        yield _line(FAMILY, cfg[FAMILY], "which trains every family that has points: set points")
    if cfg[SEED] != defaults[SEED]:
        yield _line(SEED, cfg[SEED], f"whose seeds name it: set seeds=[{cfg[SEED]}]")
    for family in cfg["points"]:
        yield from _of_axes(family, cfg, defaults)
        yield from _of_shadowed(family, cfg, defaults)


def _of_axes(family: str, cfg: Tree, defaults: Tree) -> Iterator[str]:
    """Axes of the family's points that its group or one of its kinds sets."""
    group = cfg[family]
    axes = [axis for axis in (KIND, DIM) if axis in axes_of(family, cfg)]
    places = {family: group} | {
        f"{family}.{KINDS}.{kind}": special for kind, special in group.get(KINDS, {}).items()
    }
    # A point whose dim is auto has its kind's.
    taken = {DIM} if AUTO in axes_of(family, cfg).get(DIM, ()) else set()
    for place, values in places.items():
        for axis in axes if values is group else [name for name in axes if name not in taken]:
            present = defaults[family].get(axis) if values is group else None
            if axis in values and values[axis] != present:
                remedy = f"points.{family}.{axis}=[{values[axis]}]"
                why = f"whose points name the {axis}s: set {remedy}"
                yield _line(f"{place}.{axis}", values[axis], why)


def _of_shadowed(family: str, cfg: Tree, defaults: Tree) -> Iterator[str]:
    """Keys of the group that every trained kind has otherwise."""
    special = cfg[family].get(KINDS, {})
    trained = [special.get(kind, {}) for kind in _kinds_in_use(family, cfg)]
    for key, value in cfg[family].items():
        changed = key != KINDS and value != defaults[family].get(key)
        if changed and trained and all(key in values for values in trained):
            kinds = (kind for kind, values in special.items() if key in values)
            shadows = ", ".join(f"{family}.{KINDS}.{kind}.{key}" for kind in kinds)
            yield _line(f"{family}.{key}", value, f"whose kinds have their own: set {shadows}")


def _kinds_in_use(family: str, cfg: Tree) -> set[Any]:
    """Kinds that the points train or that the stage leak fits."""
    entries = cfg["leak"]["methods"]
    methods = (entry["method"] if isinstance(entry, Mapping) else entry for entry in entries)
    named = (method.partition("/") for method in methods)
    leaking = {parse_point(point).get(KIND) for name, _, point in named if name == family}
    return {*axes_of(family, cfg).get(KIND, ()), *leaking}


def _line(key: str, value: Any, why: str) -> str:
    return f"{key}: {json.dumps(value)} has no effect in the pipeline, {why}"
