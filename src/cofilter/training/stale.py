"""What no present point names: model folders, checkpoints and timings of earlier sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.io import read_json
from cofilter.core.matrix import Interactions
from cofilter.core.parts import load_parts
from cofilter.core.paths import CHECKPOINTS, JOBS, MODELS, SPLIT, TIMINGS, TRIALS
from cofilter.core.stale import Stale
from cofilter.scoring.folders import other_folders
from cofilter.training.checkpoint import IDENTITY, is_finished, is_locked
from cofilter.training.code import code_sha256
from cofilter.training.families import families
from cofilter.training.points import Tree, expected_points, make_point


def stale_outputs(checkout: Path, cfg: Tree) -> Iterator[Stale]:
    """Models, timings and checkpoints in a checkout that the configuration has no use for.

    A model that DVC trained comes back from its cache when the parameters name it again.
    """
    points = expected_points(cfg)
    for folder in other_folders(checkout / MODELS, points):
        yield Stale(folder, "model of no present point")
    names = {f"{family}-{point}" for family, point in points}
    for path in sorted((checkout / TIMINGS).glob("*.json")):
        if path.stem not in names:
            yield Stale(path, "timing of no present point")
    yield from stale_checkpoints(checkout, cfg)


def stale_checkpoints(checkout: Path, cfg: Tree) -> Iterator[Stale]:
    """Checkpoints that no training of a present point would take up.

    Those of a search's trials stay until the trial is finished or the code has changed; those
    that a process works on stay too, and so do those of a backtest's jobs, which go with their job.
    """
    present = _present(checkout, cfg)
    code = {family: code_sha256(family) for family in families()}
    for path in sorted((checkout / CHECKPOINTS).rglob(IDENTITY)):
        folder, identity = path.parent, read_json(path)
        family = folder.parent.name
        of_search = folder.is_relative_to(checkout / TRIALS)
        if is_locked(folder) or folder.is_relative_to(checkout / JOBS):
            continue
        if identity.get("code") != code.get(family):
            yield Stale(folder, "checkpoint of other code")
        elif of_search and is_finished(folder):
            yield Stale(folder, "checkpoint of a finished trial")
        elif not of_search and not any(_belongs(identity, each) for each in present[family]):
            yield Stale(folder, "checkpoint of other data or parameters")


def _present(checkout: Path, cfg: Tree) -> dict[str, list[dict[str, Any]]]:
    """Identities of the present points' fits and refits, without what the learner adds."""
    found: dict[str, list[dict[str, Any]]] = {family: [] for family in families()}
    if not (checkout / SPLIT).is_dir():
        return found
    parts = load_parts(checkout / SPLIT)
    both = pd.concat([parts.train, parts.validation], ignore_index=True)
    train, validation, all_rows = map(Interactions.of, (parts.train, parts.validation, both))
    fits = (
        {"train": train.sha256, "validation": validation.sha256},
        {"train": all_rows.sha256, "validation": None},
    )
    for family, point in expected_points(cfg):
        settled = make_point(family, point, cfg).config.settled(train)  # a refit keeps it
        config = settled.model_dump(mode="json")
        found[family] += [{"config": config, **fit} for fit in fits]
    return found


def _belongs(identity: Tree, present: Tree) -> bool:
    """Whether a checkpoint's identity is that of a present fit; epochs may not be part of it."""
    same_data = all(identity.get(name) == present[name] for name in ("train", "validation"))
    return same_data and identity["config"].items() <= present["config"].items()
