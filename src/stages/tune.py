"""Tune every method of the sweep with the same budget, outside DVC: `make tune`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.io import write_text
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.terminal import terminal
from cofilter.report.tuning import print_tuned
from cofilter.search.job import Data
from cofilter.search.report import table
from cofilter.search.search import SearchError
from cofilter.search.tune import tune, tune_jobs
from stages.app import Run, app
from stages.groups import checkpoint_config, score_config
from stages.spaces import offer_spaces

offer_spaces("tune")  # conf/tune.yaml includes them


@app("tune")
def main(run: Run) -> None:
    """Config → train and validation → a study a method → files of conf/ and the record."""
    cfg = run.cfg
    set_threads(cfg["threads"])
    data = Data.load(run.root / cfg["tune"]["split"], score_config(cfg), cfg["data"]["scale"])
    found = tune(tune_jobs(cfg, checkpoint_config(cfg), run.root, data), data)
    for study in found.studies:
        write_text(run.out / f"{study.job.study}.csv", table(study).to_csv(index=False))
    print_tuned(found.studies, terminal())
    if found.failed:
        raise SearchError("; ".join(f"{name}: {why}" for name, why in found.failed.items()))


if __name__ == "__main__":
    main()
