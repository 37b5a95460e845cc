"""Jobs of a backtest that nothing would take up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cofilter.backtest.job import job_code
from cofilter.backtest.kept import JOB
from cofilter.core.io import read_json
from cofilter.core.paths import JOBS
from cofilter.core.stale import Stale
from cofilter.training.checkpoint import is_locked
from cofilter.training.families import ENSEMBLE, families


def stale_jobs(checkout: Path) -> Iterator[Stale]:
    """Jobs of other code; those of other data or parameters go after ``checkpoint.keep_days``."""
    code = {family: job_code(family) for family in (*families(), ENSEMBLE)}
    for path in sorted((checkout / JOBS).glob(f"*/{JOB}")):
        identity = read_json(path)
        family = identity["method"].partition("/")[0]
        if identity["code"] != code.get(family) and not is_locked(path.parent):
            yield Stale(path.parent, "job of a backtest by other code")
