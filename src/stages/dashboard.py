"""Make a report of the tracked runs at Weights & Biases, outside DVC: `make dashboard`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

import logging

from cofilter.core.config import parse
from cofilter.core.io import read_json
from cofilter.core.parts import AUDIT, content_hashes
from cofilter.core.paths import SPLIT
from cofilter.evaluation.config import EvaluateConfig
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.dashboard import publish
from cofilter.training.points import SEED, axes_of
from stages.app import Run, stage
from stages.tracked import run_group

log = logging.getLogger("cofilter")


@stage
def main(run: Run) -> None:
    """Config and the split's hashes → publish → say where it is."""
    config = parse(EvaluateConfig, run.cfg["evaluate"], "evaluate")
    outcome = publish(
        parse(TrackingConfig, run.cfg["tracking"], "tracking"),
        run.root,
        group=run_group(content_hashes(read_json(SPLIT / AUDIT))),
        families=[name for name in run.cfg["points"] if SEED in axes_of(name, run.cfg)],
        metrics=list(dict.fromkeys([config.primary, "rmse", "mae"])),
    )
    log.info("%s", outcome)


if __name__ == "__main__":
    main()
