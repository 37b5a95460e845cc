"""Refuse an impossible configuration before DVC removes the models that it would replace."""

from __future__ import annotations

from cofilter.config import parse
from cofilter.evaluation.config import EvaluateConfig
from cofilter.io import write_json
from cofilter.models.device import resolve_device
from cofilter.paths import CHECKED
from cofilter.tracking.config import TrackingConfig
from cofilter.training.weights import BlendConfig
from stages.app import Run, stage
from stages.families import FAMILIES, make_point
from stages.points import point_name
from stages.train import checkpoint_config


@stage
def main(run: Run) -> None:
    """Config → every typed config and the device → a constant file that train stages wait for."""
    for family in FAMILIES:
        group = run.cfg[family]
        for kind in group.get("kinds", [group.get("kind")]):
            make_point(family, point_name(kind), run.cfg)
    parse(BlendConfig, run.cfg["blend"], "blend")
    parse(EvaluateConfig, run.cfg["evaluate"], "evaluate")
    parse(TrackingConfig, run.cfg["tracking"], "tracking")
    checkpoint_config(run.cfg)
    resolve_device(run.cfg["device"])
    write_json(run.out / CHECKED, {"configuration": "possible"})


if __name__ == "__main__":
    main()
