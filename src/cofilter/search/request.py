"""The search that a configuration describes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cofilter.core.config import parse
from cofilter.evaluation.config import EvaluateConfig
from cofilter.recommender.base import Recommender
from cofilter.search.config import SearchConfig
from cofilter.search.job import Job, metric_of
from cofilter.search.report import refuse_to_overwrite
from cofilter.search.space import Tree, check_space, merged, space_of, values_at
from cofilter.tracking.config import TrackingConfig
from cofilter.training.loop import CheckpointConfig
from cofilter.training.points import AUTO, make_point, parse_point


def job_of(
    cfg: Mapping[str, Any], checkpoint: CheckpointConfig, root: Path, *, rated: bool = True
) -> Job:
    """The search that the group ``search`` describes, over the other groups as they are.

    ``rated``: whether the data are ratings, on which the metric depends.

    Raises
    ------
    ConfigError
        There is no such method, metric or hyper-parameter, a value is impossible, or the file for
        the best configuration is there already.
    CapabilityError
        The method has no such metric.
    """
    config = parse(SearchConfig, cfg["search"], "search")
    evaluate = parse(EvaluateConfig, cfg["evaluate"], "evaluate")
    family, point = config.family, config.point
    model = make_point(family, point, cfg)  # an unknown method stops here
    making = partial(make, family, point, cfg)
    kind = parse_point(point).get("kind", cfg[family].get("kind"))
    space = space_of(config.space, family, kind, "search.space")
    named = {axis for axis, value in parse_point(point).items() if value != AUTO}
    space = {path: each for path, each in space.items() if path.rpartition(".")[2] not in named}
    check_space(space, making, f"search.space.{family}")
    job = Job(
        config=config,
        study=config.study or f"{family}-{point}-{cfg['data']['name']}",
        kind=kind,
        make=making,
        space=space,
        present=values_at(space, cfg[family]),
        metric=metric_of(model, config, evaluate, rated=rated),
        evaluate=evaluate,
        checkpoint=checkpoint,
        tracking=parse(TrackingConfig, cfg["tracking"], "tracking"),
        run_config=cfg,
        root=root,
        threads=cfg["threads"],
    )
    refuse_to_overwrite(job)
    return job


def make(family: str, point: str, cfg: Mapping[str, Any], values: Tree) -> Recommender:
    """The unfitted model of a point, with values laid over its family's group."""
    return make_point(family, point, {**cfg, family: merged(cfg[family], values)})
