"""Cross-validate methods over random folds, outside DVC: `make cv`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from functools import partial

from cofilter.core.config import parse
from cofilter.core.io import read_table, write_text
from cofilter.core.paths import CHECKPOINTS, FILTERED
from cofilter.evaluation.cross_validation import CVConfig, fit_twice
from cofilter.evaluation.folds import cross_validate, summary
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.terminal import print_folds, terminal
from cofilter.training.points import make_method
from stages.app import Run, app
from stages.groups import checkpoint_config
from stages.tracked import data_hashes, tracker_of, use


@app("cv")
def main(run: Run) -> None:
    """Config → ratings → every method on every fold → table."""
    cfg, cv = run.cfg, parse(CVConfig, run.cfg["cv"], "cv")
    methods = {name: partial(make_method, name, cfg, "cv.methods") for name in cv.methods}
    for make in methods.values():
        make()  # an impossible model stops here, before the first one is trained
    split = cv.split(parse(SplitConfig, cfg["split"], "split"))
    fit = fit_twice(checkpoint_config(cfg), run.root / CHECKPOINTS)
    set_threads(cfg["threads"])
    with tracker_of(run, data_hashes(), "cv", "cv") as tracked:
        tracked.start()
        table = cross_validate(read_table(FILTERED), split, methods, fit)
        write_text(run.out / "cv.csv", table.to_csv(index=False))
        use(tracked, "filtered")
        tracked.log_table("cv", table)
    print_folds(summary(table), terminal())


if __name__ == "__main__":
    main()
