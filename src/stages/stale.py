"""Remove what no present point names: `make clean-stale`; with ``--dry-run`` it is only listed."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

import yaml

from cofilter.backtest.stale import stale_jobs
from cofilter.core.paths import LOGS
from cofilter.report.terminal import print_stale, terminal
from cofilter.tracking.stale import stale_runs
from cofilter.training.stale import stale_outputs
from stages.app import plain
from stages.drift import PARAMS

DRY_RUN = "--dry-run"


def main() -> None:
    """Parameters → what is stale, with its size → remove it."""
    cfg = plain(yaml.safe_load(PARAMS.read_text(encoding="utf-8")))
    found = list(chain(stale_outputs(Path(), cfg), stale_jobs(Path()), stale_runs(LOGS)))
    dry_run = DRY_RUN in sys.argv[1:]
    print_stale(found, terminal(), dry_run=dry_run)
    for each in () if dry_run else found:
        each.remove()


if __name__ == "__main__":
    main()
