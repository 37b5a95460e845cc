"""Refuse impossible configurations and data before DVC removes outputs that it would replace."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.io import read_json, write_json
from cofilter.core.parts import AUDIT
from cofilter.core.paths import CHECKED, SPLIT
from cofilter.recommender.device import resolve_device
from cofilter.training.sweep import refuse_unfit
from stages.app import Run, stage
from stages.possible import possible_methods


@stage
def main(run: Run) -> None:
    """Config and audit → every method → a constant file that the stages after this one wait for."""
    methods = possible_methods(run.cfg)
    resolve_device(run.cfg["device"])
    refuse_unfit(read_json(SPLIT / AUDIT), methods)
    write_json(run.out / CHECKED, {"configuration": "possible"})


if __name__ == "__main__":
    main()
