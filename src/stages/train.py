"""What every train stage does with its model: fit, track, save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cofilter.columns import ITEM, TITLE
from cofilter.config import parse
from cofilter.errors import ConfigError
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.samples import sample_predictions, sample_recommendations
from cofilter.io import read_json, read_table, write_json
from cofilter.models.base import Recommender
from cofilter.paths import CHECKPOINTS, ITEMS, LOGS, MODELS, SPLIT
from cofilter.preparation.parts import AUDIT, content_hashes, load_parts
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.tracker import Tracker, run_group
from cofilter.training.loop import CheckpointConfig
from cofilter.training.point import Point, save_point, train_point
from stages.app import Run
from stages.threads import set_threads


def shared(cfg: dict[str, Any]) -> dict[str, Any]:
    """The part of a model's configuration that all models share."""
    return {"scale": cfg["data"]["scale"], "bias": cfg["bias"]}


def hyper_parameters(cfg: dict[str, Any], family: str) -> dict[str, Any]:
    """Everything that a stochastic family's config class is told.

    The family's group, with what its ``kinds`` say of the chosen kind on top.
    """
    group = dict(cfg[family])
    kinds = group.pop("kinds", {})
    if kinds and group["kind"] not in kinds:
        allowed = ", ".join(kinds)
        raise ConfigError(f"{family}.kind: {group['kind']!r} is not one of {allowed}")
    special = kinds[group["kind"]] if kinds else {}
    return group | special | shared(cfg) | {"seed": cfg["seed"]}


def checkpoint_config(cfg: dict[str, Any]) -> CheckpointConfig:
    """Cadence and resume policy, which stand in two places so that ``resume=never`` is short."""
    return parse(CheckpointConfig, cfg["checkpoint"] | {"resume": cfg["resume"]}, "checkpoint")


def train(run: Run, family: str, name: str, make: Callable[[], Recommender]) -> None:
    """Fit one point of a family on the split, track it, and save it under models/."""
    cfg = run.cfg
    set_threads(cfg["threads"])
    checkpoint = checkpoint_config(cfg)
    evaluate = parse(EvaluateConfig, cfg["evaluate"], "evaluate")
    point = Point(family, name, cfg["seed"], make, cfg["refit"], evaluate, checkpoint)
    make()  # an impossible model stops here, before anything is read or tracked
    parts, audit = load_parts(SPLIT), read_json(SPLIT / AUDIT)
    tracker = Tracker(
        parse(TrackingConfig, cfg["tracking"], "tracking"),
        root=run.root,
        group=run_group(content_hashes(audit)),
        job_type=f"train_{family}",
        name=f"{family}-{name}",
        run_config=cfg,
    )
    with tracker:
        trained = train_point(point, parts, run.root / CHECKPOINTS, tracker)
        folder = run.out / MODELS / family / name
        save_point(trained, folder)
        write_json(run.root / LOGS / "timings" / f"{family}-{name}.json", trained.timings)
        model = trained.model
        titles = read_table(ITEMS).set_index(ITEM)[TITLE]
        tracker.log_summary(trained.selection["validation"] | trained.timings)
        tracker.log_table("predictions", sample_predictions(model, parts.validation, titles))
        tracker.log_table("recommendations", sample_recommendations(model, parts, titles))
        tracker.log_artifact(f"{family}-{name}", "model", folder, aliases=["best"])
        if trained.checkpoint is not None:
            tracker.log_artifact(
                f"{family}-{name}-checkpoint", "checkpoint", trained.checkpoint, aliases=["last"]
            )
