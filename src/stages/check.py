"""Refuse impossible configurations and data before DVC removes outputs that it would replace."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.io import read_json, write_json
from cofilter.core.parts import AUDIT, load_parts
from cofilter.core.paths import CHECKED, SPLIT
from cofilter.recommender.device import resolve_device
from cofilter.training.sweep import fit_methods, refuse_unfit
from stages.app import Run, stage
from stages.possible import possible_methods
from stages.tracked import tracker, use


@stage
def main(run: Run) -> None:
    """Config and split → every method → a constant file that the stages after this one wait for."""
    methods = possible_methods(run.cfg)
    resolve_device(run.cfg["device"])
    parts = load_parts(SPLIT)
    fit = fit_methods(methods, parts.feedback(run.cfg["data"]["scale"]), timed=parts.timed)
    refuse_unfit(read_json(SPLIT / AUDIT), fit)
    write_json(run.out / CHECKED, {"configuration": "possible"})
    with tracker(run, "check", waits=False) as tracked:
        use(tracked, "split")
        tracked.log_summary({"points": len(methods), "fit": len(fit)})


if __name__ == "__main__":
    main()
