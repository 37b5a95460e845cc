"""Search hyper-parameters on validation, outside DVC: `make search`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from hydra.core.config_store import ConfigStore

from cofilter.core.io import write_text
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.terminal import print_study, terminal
from cofilter.search.job import Data
from cofilter.search.report import configuration, summary, table, target
from cofilter.search.request import job_of
from cofilter.search.search import search
from stages.app import Run, app
from stages.drift import CONF
from stages.groups import checkpoint_config

# Hydra's config `spaces`, which conf/search.yaml includes: every conf/<family>/search.yaml.
families = sorted(path.parent.name for path in CONF.glob("*/search.yaml"))
spaces = [{f"{family}@search.space.{family}": "search"} for family in families]
ConfigStore.instance().store("spaces", {"defaults": spaces})


@app("search")
def main(run: Run) -> None:
    """Config → train and validation → trials → the best configuration as a file of conf/."""
    job = job_of(run.cfg, checkpoint_config(run.cfg), run.root)
    set_threads(job.threads)
    study = search(job, Data.load(run.root / job.config.split, job.evaluate))
    text = configuration(study)
    write_text(target(job), text)
    write_text(run.out / "trials.csv", table(study).to_csv(index=False))
    print_study(summary(study), text, target(job).relative_to(run.root), terminal())


if __name__ == "__main__":
    main()
