"""Search hyper-parameters on validation, outside DVC: `make search`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.io import write_text
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.terminal import print_study, terminal
from cofilter.search.job import Data
from cofilter.search.report import configuration, summary, table, target
from cofilter.search.request import job_of
from cofilter.search.search import search
from stages.app import Run, app
from stages.groups import checkpoint_config, score_config
from stages.spaces import offer_spaces

offer_spaces("search")  # conf/search.yaml includes them


@app("search")
def main(run: Run) -> None:
    """Config → train and validation → trials → the best configuration as a file of conf/."""
    cfg = run.cfg
    data = Data.load(run.root / cfg["search"]["split"], score_config(cfg), cfg["data"]["scale"])
    job = job_of(cfg, checkpoint_config(cfg), run.root, rated=data.feedback == "ratings")
    set_threads(job.threads)
    study = search(job, data)
    text = configuration(study)
    write_text(target(job), text)
    write_text(run.out / "trials.csv", table(study).to_csv(index=False))
    print_study(summary(study), text, target(job).relative_to(run.root), terminal())


if __name__ == "__main__":
    main()
