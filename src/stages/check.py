"""Refuse an impossible configuration before DVC removes the outputs that it would replace."""

from __future__ import annotations

from cofilter.blending.weights import BlendConfig
from cofilter.core.config import parse
from cofilter.core.io import write_json
from cofilter.core.paths import CHECKED
from cofilter.evaluation.config import EvaluateConfig
from cofilter.recommender.device import resolve_device
from cofilter.tracking.config import TrackingConfig
from cofilter.training.effective import refuse_ineffective
from cofilter.training.points import expected_points, make_point
from stages.app import Run, plain, stage
from stages.drift import composed
from stages.groups import checkpoint_config


@stage
def main(run: Run) -> None:
    """Config → every typed config and the device → a constant file that train stages wait for."""
    refuse_ineffective(run.cfg, plain(composed()))
    for family, point in expected_points(run.cfg):
        make_point(family, point, run.cfg)
    parse(BlendConfig, run.cfg["blend"], "blend")
    parse(EvaluateConfig, run.cfg["evaluate"], "evaluate")
    parse(TrackingConfig, run.cfg["tracking"], "tracking")
    checkpoint_config(run.cfg)
    resolve_device(run.cfg["device"])
    write_json(run.out / CHECKED, {"configuration": "possible"})


if __name__ == "__main__":
    main()
