"""Send offline runs and their lineage to Weights & Biases, outside DVC: `make sync`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

import logging

from cofilter.core.config import parse
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.sync import sync
from stages.app import Run, stage

log = logging.getLogger("cofilter")


@stage
def main(run: Run) -> None:
    """Config → send → say what was sent."""
    log.info("%s", sync(parse(TrackingConfig, run.cfg["tracking"], "tracking"), run.root))


if __name__ == "__main__":
    main()
