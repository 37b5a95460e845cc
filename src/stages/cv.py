"""Cross-validate methods over random folds, outside DVC: `make cv`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.config import parse
from cofilter.core.io import read_table, write_text
from cofilter.core.paths import CHECKPOINTS, FILTERED
from cofilter.evaluation.cross_validation import CVConfig, fit_twice, makers, trainable
from cofilter.evaluation.folds import cross_validate, summary
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.terminal import print_folds, terminal
from stages.app import Run, app
from stages.groups import checkpoint_config, primary_config
from stages.tracked import data_hashes, tracker_of, use


@app("cv")
def main(run: Run) -> None:
    """Config → ratings → every method on every fold → tables."""
    cfg, score = run.cfg, primary_config(run.cfg)
    cv = parse(CVConfig, cfg["cv"], "cv")
    set_threads(cfg["threads"])
    ratings = read_table(FILTERED)
    methods = trainable(makers(cv, cfg), ratings, cfg["data"]["scale"])
    split = cv.split(parse(SplitConfig, cfg["split"], "split"))
    fit = fit_twice(checkpoint_config(cfg), run.root / CHECKPOINTS)
    with tracker_of(run, data_hashes(), "cv", "cv") as tracked:
        tracked.start()
        table = cross_validate(ratings, split, methods, fit, rankings=score)
        means = summary(table, score.primary)
        use(tracked, "filtered")
        tracked.log_table("cv", means)
    write_text(run.out / "cv.csv", table.to_csv(index=False))
    write_text(run.out / "cv_summary.csv", means.to_csv(index=False))
    print_folds(means, terminal(), score.list_length)


if __name__ == "__main__":
    main()
